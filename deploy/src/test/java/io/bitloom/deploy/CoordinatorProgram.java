package io.bitloom.deploy;

import io.bitloom.common.config.ConfigException;
import io.bitloom.coordinator.config.CoordinatorConfig;
import io.bitloom.coordinator.config.ListenConfig;
import io.bitloom.coordinator.config.Setting;
import io.bitloom.coordinator.config.SettingValues;
import io.bitloom.coordinator.config.SettingsFileException;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import picocli.CommandLine;

/** A container held to {@code bitloom coordinator}. */
final class CoordinatorProgram {

  /** The last setting to be looked at before a coordinator starts, with a value that it refuses. */
  private static final String LAST = "--drain-timeout=24h";

  private static final String CONFIG = "--config=";

  private final ProgramContainer container;
  private final Map<String, String> variables = new HashMap<>();

  CoordinatorProgram(ProgramContainer container) {
    this.container = container;
    container
        .variables()
        .forEach(
            (name, text) -> {
              String value = Programs.expanded(text, container.variables());
              boolean uri = name.equals("BITLOOM_REDIS") && value.equals(Programs.SECRET);
              variables.put(name, uri ? "redis://secret:6379" : value);
            });
  }

  List<String> faults() {
    List<String> faults = new ArrayList<>();
    CommandLine line = Programs.coordinator();
    faults.addAll(Programs.unknownVariables(container, line.getCommandSpec()));
    try {
      Path folder = Files.createTempDirectory("coordinator");
      Path file = folder.resolve("coordinator.yaml");
      try {
        check(line, file, faults);
      } finally {
        Files.deleteIfExists(file);
        Files.delete(folder);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return faults;
  }

  private void check(CommandLine line, Path file, List<String> faults) throws IOException {
    List<String> words = new ArrayList<>();
    Optional<Path> config = Optional.empty();
    for (String word : Programs.words(container, line.getCommandSpec())) {
      if (word.startsWith(CONFIG)) {
        String path = word.substring(CONFIG.length());
        if (!container.files().containsKey(path)) {
          faults.add("there is no file " + path);
          return;
        }
        Files.writeString(file, container.files().get(path));
        config = Optional.of(file);
        words.add(CONFIG + file);
      } else {
        words.add(word);
      }
    }
    Optional<String> refusal = refusal(line, words);
    if (refusal.isPresent()) {
      faults.add(refusal.get());
    } else {
      checkSettings(words, config, faults);
    }
  }

  /** What the command says of a command line before it starts anything; empty: nothing. */
  private Optional<String> refusal(CommandLine line, List<String> words) {
    ProgramContainer known =
        new ProgramContainer(
            container.image(),
            words,
            variables,
            container.ports(),
            container.requests(),
            container.files());
    List<String> all = new ArrayList<>(Programs.variablesAsOptions(known, line.getCommandSpec()));
    all.addAll(words);
    all.add(LAST);
    StringWriter said = new StringWriter();
    int exit = line.setErr(new PrintWriter(said)).execute(all.toArray(String[]::new));
    String first = said.toString().lines().findFirst().orElse("exit code " + exit);
    return first.contains("drain-timeout") && first.contains("24h")
        ? Optional.empty()
        : Optional.of(first);
  }

  private void checkSettings(List<String> words, Optional<Path> file, List<String> faults) {
    CommandLine.ParseResult given = Programs.coordinator().parseArgs(words.toArray(String[]::new));
    Map<String, String> options = new HashMap<>();
    for (Setting<?> setting : CoordinatorConfig.SETTINGS) {
      if (given.hasMatchedOption(setting.option())) {
        options.put(
            setting.name(),
            String.valueOf(given.matchedOption(setting.option()).<Object>getValue()));
      }
    }
    try {
      ListenConfig listen =
          CoordinatorConfig.of(
                  SettingValues.of(CoordinatorConfig.SETTINGS, options, variables, file))
              .listen();
      faults.addAll(
          Programs.portFaults(
              container,
              Set.copyOf(Arrays.asList(listen.grpcPort(), listen.httpPort())),
              listen.httpPort(),
              listen.access().tls().isPresent()));
      if (listen.bind().startsWith("127.") && !container.ports().isEmpty()) {
        faults.add("listens on " + listen.bind() + ", where nobody else comes");
      }
    } catch (ConfigException | SettingsFileException e) {
      faults.add(e.getMessage());
    }
  }
}
