package io.bitloom.client.cli;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.IllegalFormatException;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/** The manual page of a command, in the language of {@code man(7)}. */
final class ManPage {

  private final CommandSpec command;
  private final String version;
  private final StringBuilder page = new StringBuilder();

  private ManPage(CommandSpec command, String version) {
    this.command = command;
    this.version = version;
  }

  /** Name of a command's page: {@code bitloom-model-import}. */
  static String name(CommandSpec command) {
    return command.qualifiedName("-");
  }

  /**
   * @param version of the program
   */
  static String of(CommandSpec command, String version) {
    ManPage page = new ManPage(command, version);
    page.write();
    return page.page.toString();
  }

  private void write() {
    String[] description = command.usageMessage().description();
    line(
        ".TH \""
            + escaped(name(command).toUpperCase(Locale.ROOT))
            + "\" 1 \"\" \""
            + version
            + "\"");
    line(".SH NAME");
    line(escaped(name(command)) + " \\- " + escaped(text(description, 1)));
    line(".SH SYNOPSIS");
    String synopsis = command.commandLine().getHelp().synopsis(0).strip();
    line(escaped(synopsis.replaceAll("\\s+", " ")));
    section("DESCRIPTION", description);
    arguments(
        "ARGUMENTS",
        command.positionalParameters().stream().filter(argument -> !argument.hidden()).toList());
    arguments("OPTIONS", command.options().stream().filter(option -> !option.hidden()).toList());
    commands();
    section("NOTES", command.usageMessage().footer());
    exitCodes();
    if (command.parent() != null) {
      line(".SH SEE ALSO");
      line(".BR " + escaped(name(command.parent())) + " (1)");
    }
  }

  private void section(String heading, String[] text) {
    String whole = text(text, text.length);
    if (!whole.isBlank()) {
      line(".SH " + heading);
      Arrays.stream(text).map(ManPage::rendered).filter(l -> !l.isBlank()).forEach(this::paragraph);
    }
  }

  private void paragraph(String text) {
    line(escaped(text));
    line(".br");
  }

  private void arguments(String heading, List<? extends ArgSpec> arguments) {
    if (arguments.isEmpty()) {
      return;
    }
    line(".SH " + heading);
    for (ArgSpec argument : arguments) {
      line(".TP");
      line(".B " + escaped(label(argument)));
      String text = text(argument.description(), argument.description().length);
      line(text.isBlank() ? "\\&" : escaped(text));
    }
  }

  private static String label(ArgSpec argument) {
    if (argument instanceof PositionalParamSpec) {
      return argument.paramLabel();
    }
    OptionSpec option = (OptionSpec) argument;
    String names = String.join(", ", option.names());
    return option.arity().max() > 0 ? names + " " + option.paramLabel() : names;
  }

  private void commands() {
    if (command.subcommands().isEmpty()) {
      return;
    }
    line(".SH COMMANDS");
    for (Map.Entry<String, CommandLine> entry : command.subcommands().entrySet()) {
      CommandSpec subcommand = entry.getValue().getCommandSpec();
      line(".TP");
      line(".BR " + escaped(name(subcommand)) + " (1)");
      line(escaped(text(subcommand.usageMessage().description(), 1)));
    }
  }

  private void exitCodes() {
    Map<String, String> codes = command.usageMessage().exitCodeList();
    if (!codes.isEmpty()) {
      line(".SH EXIT STATUS");
      codes.forEach(
          (code, meaning) -> {
            line(".TP");
            line(".B " + code);
            line(escaped(rendered(meaning)));
          });
    }
  }

  private void line(String line) {
    page.append(line).append('\n');
  }

  /** The first of some lines as one, without picocli's markup. */
  static String text(String[] lines, int most) {
    return Arrays.stream(lines)
        .limit(most)
        .map(ManPage::rendered)
        .collect(Collectors.joining(" "))
        .strip();
  }

  private static String rendered(String line) {
    String formatted;
    try {
      formatted = String.format(Locale.ROOT, line);
    } catch (IllegalFormatException e) {
      formatted = line; // as picocli takes it, too
    }
    return Ansi.OFF.string(formatted).replace('\n', ' ');
  }

  /** A line that begins with a dot or an apostrophe would be a request. */
  private static String escaped(String text) {
    StringBuilder safe = new StringBuilder();
    if (text.startsWith(".") || text.startsWith("'")) {
      safe.append("\\&");
    }
    text.codePoints().forEach(character -> safe.append(escaped(character)));
    return safe.toString();
  }

  private static String escaped(int character) {
    return switch (character) {
      case '\\' -> "\\e";
      case '-' -> "\\-";
      case '"' -> "\\(dq";
      default ->
          character < 128
              ? Character.toString(character)
              : String.format(Locale.ROOT, "\\[u%04X]", character);
    };
  }

  /** A command and all below it. */
  static List<CommandSpec> withSubcommands(CommandSpec command) {
    List<CommandSpec> all = new ArrayList<>(List.of(command));
    for (CommandLine subcommand : command.subcommands().values()) {
      if (!subcommand.getCommandSpec().usageMessage().hidden()) {
        all.addAll(withSubcommands(subcommand.getCommandSpec()));
      }
    }
    return all;
  }
}
