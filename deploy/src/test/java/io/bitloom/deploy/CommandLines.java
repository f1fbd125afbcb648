package io.bitloom.deploy;

import io.bitloom.client.cli.Bitloom;
import io.bitloom.coordinator.CoordinatorCommands;
import io.bitloom.coordinator.config.CoordinatorConfig;
import io.bitloom.coordinator.config.Setting;
import io.bitloom.coordinator.config.SettingValues;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParseResult;

/**
 * What the programs of this build know, for tests of files that start them: options are parsed by
 * the programs' own command lines, which throw {@link CommandLine.ParameterException} for one that
 * they do not have or cannot read.
 */
final class CommandLines {

  /** Paths of the HTTP ports of coordinator and worker that machines ask. */
  static final Set<String> PROBES = Set.of("/health/live", "/health/ready", "/metrics");

  private static final Pattern VARIABLE = Pattern.compile("\\$\\{env:([A-Z0-9_]+)");

  /** Of the log, the JVM, and libraries, which read them without an option. */
  private static final Set<String> OTHER_VARIABLES =
      Set.of(
          "AWS_ACCESS_KEY_ID",
          "AWS_REGION",
          "AWS_SECRET_ACCESS_KEY",
          "BITLOOM_LOG",
          "BITLOOM_LOG_LEVEL",
          "BITLOOM_PROMPT_REWRITER_KEY",
          "XDG_CACHE_HOME",
          "_JAVA_OPTIONS");

  private CommandLines() {}

  /**
   * The settings of a coordinator that is started so.
   *
   * @throws io.bitloom.common.config.ConfigException if it would refuse one
   */
  static CoordinatorConfig coordinator(List<String> arguments, Map<String, String> environment) {
    ParseResult given = coordinatorLine().parseArgs(arguments.toArray(String[]::new));
    Map<String, String> options = new HashMap<>();
    for (Setting<?> setting : CoordinatorConfig.SETTINGS) {
      OptionSpec option = given.matchedOption(setting.option());
      if (option != null) {
        options.put(setting.name(), String.valueOf(option.<Object>getValue()));
      }
    }
    return CoordinatorConfig.of(
        SettingValues.of(CoordinatorConfig.SETTINGS, options, environment, Optional.empty()));
  }

  /** The options of a worker that is started so, without the word {@code worker}. */
  static ParseResult worker(List<String> arguments) {
    List<String> words = new ArrayList<>(List.of("worker"));
    words.addAll(arguments);
    CommandLine line = io.bitloom.worker.Main.commandLine();
    return line.parseArgs(words.toArray(String[]::new)).subcommand();
  }

  /** The options of a client's command, which is the first word. */
  static ParseResult client(List<String> arguments) {
    return Bitloom.commandLine().parseArgs(arguments.toArray(String[]::new));
  }

  /** The variables that a coordinator reads. */
  static Set<String> coordinatorVariables() {
    return variables(coordinatorLine().getCommandSpec());
  }

  /** The variables that a worker reads. */
  static Set<String> workerVariables() {
    CommandLine line = io.bitloom.worker.Main.commandLine();
    return variables(line.getSubcommands().get("worker").getCommandSpec());
  }

  /** The variables that one of the client's commands reads. */
  static Set<String> clientVariables() {
    return variables(Bitloom.commandLine().getCommandSpec());
  }

  private static CommandLine coordinatorLine() {
    return new CoordinatorCommands().commands().get("coordinator");
  }

  private static Set<String> variables(CommandSpec command) {
    Set<String> names = new TreeSet<>(OTHER_VARIABLES);
    for (OptionSpec option : command.options()) {
      Matcher name = VARIABLE.matcher(String.valueOf(option.defaultValueString(false)));
      while (name.find()) {
        names.add(name.group(1));
      }
    }
    command.subcommands().values().forEach(line -> names.addAll(variables(line.getCommandSpec())));
    return names;
  }
}
