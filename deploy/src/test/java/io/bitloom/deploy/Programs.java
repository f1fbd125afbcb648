package io.bitloom.deploy;

import io.bitloom.client.cli.Bitloom;
import io.bitloom.common.cli.Usage;
import io.bitloom.coordinator.CoordinatorCommands;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import software.amazon.awssdk.core.SdkSystemSetting;

/**
 * What the programs in the images understand. A container of a manifest is held to them: its
 * arguments are given to the command itself, which must go on to the point where it would look for
 * others; its variables must be ones that the program reads; ports and requests must be its own.
 */
public final class Programs {

  /** Stands for a value that only the cluster knows. */
  public static final String SECRET = "secret";

  /** What a container may ask its HTTP port for; {@code ChartStartsIT} asks running ones. */
  public static final Set<String> PATHS = Set.of("/health/live", "/health/ready", "/metrics");

  private static final Pattern VARIABLE = Pattern.compile("\\$\\{env:([A-Z0-9_]+)(:-.*)?}");
  private static final Pattern REFERENCE = Pattern.compile("\\$\\(([A-Za-z0-9_]+)\\)");

  /** Read where no option is declared: by the log, by the cache's folder, by the JVM. */
  private static final Set<String> OTHERS =
      Set.of(
          "BITLOOM_LOG",
          "BITLOOM_LOG_LEVEL",
          "XDG_CACHE_HOME",
          "JAVA_TOOL_OPTIONS",
          "_JAVA_OPTIONS");

  private Programs() {}

  /** What of a container the program would refuse, ignore or not answer; empty: nothing. */
  public static List<String> faults(ProgramContainer container) {
    List<String> faults =
        switch (container.image()) {
          case "bitloom-coordinator" -> new CoordinatorProgram(container).faults();
          case "bitloom-worker", "bitloom-worker-cuda" -> new WorkerProgram(container).faults();
          case "bitloom-client" -> client(container);
          default -> List.of("is none of Bitloom's images");
        };
    return faults.stream().map(fault -> container.image() + ": " + fault).toList();
  }

  static CommandLine coordinator() {
    return new CoordinatorCommands().commands().get("coordinator");
  }

  static CommandLine worker() {
    return io.bitloom.worker.Main.commandLine();
  }

  private static List<String> client(ProgramContainer container) {
    List<String> faults = new ArrayList<>();
    CommandLine client = new CommandLine(new Bitloom());
    CommandSpec command = client.getCommandSpec();
    try {
      CommandLine.ParseResult given =
          client.parseArgs(
              container.arguments().stream()
                  .map(argument -> expanded(argument, container.variables()))
                  .toArray(String[]::new));
      while (given.hasSubcommand()) {
        given = given.subcommand();
      }
      command = given.commandSpec();
    } catch (CommandLine.ParameterException e) {
      faults.add(Usage.message(e));
    }
    faults.addAll(unknownVariables(container, command));
    container.ports().forEach(port -> faults.add("does not listen on port " + port));
    container.requests().forEach(request -> faults.add("answers nothing, not even " + request));
    return faults;
  }

  /**
   * Arguments with the variables in them put in, as Kubernetes does, and each option in one word
   * with its value.
   */
  static List<String> words(ProgramContainer container, CommandSpec command) {
    List<String> words = new ArrayList<>();
    String waiting = null; // an option whose value comes next
    for (String argument : container.arguments()) {
      String word = expanded(argument, container.variables());
      OptionSpec option = command.findOption(word);
      if (waiting != null) {
        words.add(waiting + "=" + word);
        waiting = null;
      } else if (option != null && option.arity().max() > 0) {
        waiting = word;
      } else {
        words.add(word);
      }
    }
    if (waiting != null) {
      words.add(waiting);
    }
    return words;
  }

  static String expanded(String text, Map<String, String> variables) {
    return REFERENCE
        .matcher(text)
        .replaceAll(
            found ->
                Matcher.quoteReplacement(variables.getOrDefault(found.group(1), found.group())));
  }

  /** Variables that neither the program reads nor others refer to. */
  static List<String> unknownVariables(ProgramContainer container, CommandSpec command) {
    Set<String> known = new TreeSet<>(OTHERS);
    command.args().forEach(argument -> variable(argument).ifPresent(known::add));
    Stream.of(SdkSystemSetting.values())
        .map(SdkSystemSetting::environmentVariable)
        .forEach(known::add);
    Stream.concat(container.arguments().stream(), container.variables().values().stream())
        .forEach(text -> REFERENCE.matcher(text).results().forEach(it -> known.add(it.group(1))));
    return container.variables().keySet().stream()
        .filter(name -> !known.contains(name))
        .sorted()
        .map(name -> "does not read the variable " + name)
        .toList();
  }

  private static Optional<String> variable(ArgSpec argument) {
    return Stream.ofNullable(argument.defaultValueString(false))
        .map(VARIABLE::matcher)
        .filter(Matcher::matches)
        .map(match -> match.group(1))
        .findFirst();
  }

  /**
   * Variables as the options whose defaults they are, unless an argument goes before: the
   * environment of this process cannot be changed.
   */
  static List<String> variablesAsOptions(ProgramContainer container, CommandSpec command) {
    List<String> options = new ArrayList<>();
    List<String> given = words(container, command);
    for (OptionSpec option : command.options()) {
      Optional<String> value =
          variable(option)
              .filter(variable -> given.stream().noneMatch(word -> names(word, option)))
              .map(container.variables()::get)
              .map(text -> expanded(text, container.variables()));
      if (value.isPresent() && option.arity().max() == 0) {
        if (value.get().equals("true")) {
          options.add(option.longestName());
        }
      } else {
        value.ifPresent(text -> options.add(option.longestName() + "=" + text));
      }
    }
    return options;
  }

  private static boolean names(String word, OptionSpec option) {
    return List.of(option.names()).contains(word.replaceFirst("=.*", ""));
  }

  /**
   * Ports and requests of a program that has one HTTP port.
   *
   * @param listening all ports that it listens on, of which one is
   * @param http the one
   * @param secured whether by TLS
   */
  static List<String> portFaults(
      ProgramContainer container, Set<Integer> listening, int http, boolean secured) {
    List<String> faults = new ArrayList<>();
    container.ports().stream()
        .filter(port -> !listening.contains(port))
        .forEach(port -> faults.add("does not listen on port " + port));
    listening.stream()
        .filter(port -> !container.ports().contains(port))
        .forEach(port -> faults.add("listens on port " + port + ", which is not said"));
    for (ProgramContainer.Request request : container.requests()) {
      if (request.port() != http || !PATHS.contains(request.path())) {
        faults.add("has nothing at port " + request.port() + ", " + request.path());
      }
      if (request.secured() != secured) {
        faults.add("speaks " + (secured ? "HTTPS" : "HTTP") + ", unlike " + request);
      }
    }
    return faults;
  }
}
