package io.bitloom.loadtests;

import io.bitloom.client.cli.Bitloom;
import io.bitloom.coordinator.CoordinatorCommands;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/** The page with every option of every command, as the programs themselves know them. */
final class OptionsPage {
  private static final String HEAD =
      """
      # All options

      What `--help` says of every command, in one page. [cli.md](cli.md) explains how things work together.
      A test keeps this page complete; it is written anew by

      ```bash
      mvn -q -pl load-tests -am test -Dtest=CommandReferenceTest -Dsurefire.failIfNoSpecifiedTests=false -Dbitloom.write.docs=true
      ```
      """;

  private static final Pattern VARIABLE = Pattern.compile("\\$\\{env:([A-Z0-9_]+)(:-(.*))?}");
  private static final Pattern STYLE = Pattern.compile("@\\|\\S+ (.*?)\\|@");

  private OptionsPage() {}

  /** All commands that take options or run something, by what is typed after {@code ./bitloom}. */
  static Map<String, CommandSpec> commands() {
    Map<String, CommandSpec> commands = new LinkedHashMap<>();
    add(commands, "", new CommandLine(new Bitloom()).getCommandSpec());
    new CoordinatorCommands()
        .commands()
        .forEach((name, line) -> add(commands, name, line.getCommandSpec()));
    add(commands, "", io.bitloom.worker.Main.commandLine().getCommandSpec());
    add(commands, "bench", new CommandLine(new io.bitloom.loadtests.Main()).getCommandSpec());
    List<String> names = List.copyOf(commands.keySet());
    commands.keySet().removeIf(group -> names.stream().anyMatch(it -> it.startsWith(group + " ")));
    return commands;
  }

  /** The client lists the commands of the other modules without their options: those come last. */
  private static void add(Map<String, CommandSpec> commands, String name, CommandSpec spec) {
    if (spec.subcommands().isEmpty()) {
      commands.remove(name);
      commands.put(name, spec);
    }
    spec.subcommands()
        .forEach((sub, line) -> add(commands, (name + " " + sub).strip(), line.getCommandSpec()));
  }

  static String text() {
    StringBuilder page = new StringBuilder(HEAD);
    commands().forEach((name, spec) -> page.append(section(name, spec)));
    return page.toString();
  }

  private static String section(String name, CommandSpec spec) {
    String title =
        Stream.concat(
                Stream.of(name),
                spec.positionalParameters().stream().map(PositionalParamSpec::paramLabel))
            .collect(Collectors.joining(" "));
    List<String> lines = new ArrayList<>();
    lines.add("");
    lines.add("## `" + title + "`");
    lines.add("");
    lines.add(plain(String.join(" ", spec.usageMessage().description())));
    List<String> rows = new ArrayList<>();
    for (PositionalParamSpec parameter : spec.positionalParameters()) {
      rows.add(row("`" + parameter.paramLabel() + "`", parameter));
    }
    for (OptionSpec option : spec.options()) {
      if (!option.usageHelp() && !option.versionHelp()) {
        rows.add(row("`" + label(option) + "`", option));
      }
    }
    if (!rows.isEmpty()) {
      lines.add("");
      lines.add("| Option | Variable | Meaning |");
      lines.add("|---|---|---|");
      lines.addAll(rows);
    }
    return String.join("\n", lines) + "\n";
  }

  private static String label(OptionSpec option) {
    String names = String.join(", ", option.names());
    String value = option.arity().max() == 0 ? "" : " " + option.paramLabel().replace("|", "\\|");
    return names + value;
  }

  private static String row(String label, ArgSpec argument) {
    String initial = argument.defaultValueString(false);
    Matcher variable = VARIABLE.matcher(initial == null ? "" : initial);
    boolean named = variable.matches();
    String value = named ? variable.group(3) : initial;
    String shown = value == null ? "" : value;
    String meaning =
        plain(String.join(" ", argument.description()).replace("${DEFAULT-VALUE}", shown));
    return "| "
        + label
        + " | "
        + (named ? "`" + variable.group(1) + "`" : "")
        + " | "
        + meaning.replace("|", "\\|")
        + " |";
  }

  private static String plain(String text) {
    return STYLE
        .matcher(text)
        .replaceAll("$1")
        .replace("%n", " ")
        .replace("%%", "%")
        .replaceAll("\\s+", " ")
        .strip();
  }
}
