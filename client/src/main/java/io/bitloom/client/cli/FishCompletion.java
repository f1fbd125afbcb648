package io.bitloom.client.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/** Completion for the shell fish, which picocli does not write. */
final class FishCompletion {

  private final String program;
  private final List<String> lines = new ArrayList<>();

  private FishCompletion(String program) {
    this.program = program;
  }

  /** Lines of {@code complete}, one for each command and each option. */
  static String of(String program, CommandSpec root) {
    FishCompletion completion = new FishCompletion(program);
    completion.add(root, List.of());
    return String.join("\n", completion.lines) + "\n";
  }

  /**
   * @param path names of the commands down to this one
   */
  private void add(CommandSpec command, List<String> path) {
    for (Map.Entry<String, CommandLine> entry : command.subcommands().entrySet()) {
      CommandSpec subcommand = entry.getValue().getCommandSpec();
      if (!subcommand.usageMessage().hidden()) {
        line(
            after(path, command),
            "-f -a " + quoted(entry.getKey()),
            ManPage.text(subcommand.usageMessage().description(), 1));
        List<String> longer = new ArrayList<>(path);
        longer.add(entry.getKey());
        add(subcommand, longer);
      }
    }
    for (OptionSpec option : command.options()) {
      if (!option.hidden()) {
        line(after(path, command), flags(option), ManPage.text(option.description(), 1));
      }
    }
  }

  private void line(String condition, String what, String description) {
    lines.add(
        "complete -c "
            + program
            + " -n "
            + quoted(condition)
            + " "
            + what
            + " -d "
            + quoted(description));
  }

  /** True where these commands were typed, and none of those that go on from there. */
  private static String after(List<String> path, CommandSpec command) {
    StringBuilder condition = new StringBuilder();
    for (String name : path) {
      condition.append("__fish_seen_subcommand_from ").append(name).append("; and ");
    }
    String next = String.join(" ", command.subcommands().keySet());
    return next.isEmpty()
        ? condition.substring(0, condition.length() - "; and ".length())
        : condition + "not __fish_seen_subcommand_from " + next;
  }

  private static String flags(OptionSpec option) {
    StringBuilder flags = new StringBuilder();
    for (String name : option.names()) {
      boolean isLong = name.startsWith("--");
      flags
          .append(isLong ? "-l " : name.length() == 2 ? "-s " : "-o ")
          .append(name.substring(isLong ? 2 : 1))
          .append(' ');
    }
    if (option.arity().max() > 0) {
      flags.append("-r ");
    }
    if (option.completionCandidates() != null) {
      flags
          .append("-f -a ")
          .append(quoted(String.join(" ", option.completionCandidates())))
          .append(' ');
    }
    return flags.toString().strip();
  }

  private static String quoted(String text) {
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'";
  }
}
