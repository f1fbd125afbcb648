package io.bitloom.client.cli;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParseResult;

/** A command of ours as a line that can be pasted into the shell that this one came from. */
final class ShellCommand {

  private static final Pattern PLAIN = Pattern.compile("[A-Za-z0-9_@%+=:,./-]+");

  /** How the coordinator is reached; not the token, which must not stand in logs. */
  private static final Set<String> CONNECTION =
      Set.of("--coordinator", "--insecure", "--tls", "--tls-ca", "--tls-cert", "--tls-key");

  /** Of the first attempt alone. */
  private static final Set<String> ONCE = Set.of("--token", "--resume", "--request-id");

  private final List<String> words = new ArrayList<>();

  private ShellCommand() {
    words.add(System.getProperty("bitloom.program", "./bitloom"));
  }

  static ShellCommand of(String... words) {
    ShellCommand command = new ShellCommand();
    command.words.addAll(Arrays.asList(words));
    return command;
  }

  /** An option, unless its value is null. */
  ShellCommand with(String option, Object value) {
    if (value != null) {
      words.add(option);
      words.add(value.toString());
    }
    return this;
  }

  /** A flag. */
  ShellCommand with(String flag) {
    words.add(flag);
    return this;
  }

  /** The coordinator that a command was given. */
  ShellCommand sameCoordinator(ParseResult given) {
    given.matchedOptions().stream()
        .distinct() // one that was given twice has all its values
        .filter(option -> CONNECTION.contains(option.longestName()))
        .forEach(this::repeat);
    return this;
  }

  /** All options that a command was given, but those that must not be repeated. */
  ShellCommand sameOptions(ParseResult given) {
    given.matchedOptions().stream()
        .distinct() // one that was given twice has all its values
        .filter(option -> !ONCE.contains(option.longestName()))
        .forEach(this::repeat);
    return this;
  }

  private void repeat(OptionSpec option) {
    if (option.arity().max() == 0) {
      words.add(option.longestName());
      return;
    }
    for (String value : option.originalStringValues()) {
      words.add(option.longestName());
      words.add(value);
    }
  }

  @Override
  public String toString() {
    return String.join(" ", words.stream().map(ShellCommand::quoted).toList());
  }

  private static String quoted(String word) {
    return PLAIN.matcher(word).matches() ? word : "'" + word.replace("'", "'\\''") + "'";
  }
}
