package io.bitloom.deploy;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;

/** A container held to {@code bitloom worker}. */
final class WorkerProgram {

  /** A model that is nowhere: what a worker opens last before it needs a machine. */
  private static final String NO_MODEL = "/no/such/model";

  private static final String COMMAND = "worker";

  private final ProgramContainer container;

  WorkerProgram(ProgramContainer container) {
    this.container = container;
  }

  List<String> faults() {
    List<String> faults = new ArrayList<>();
    CommandLine line = Programs.worker();
    CommandSpec command = line.getSubcommands().get(COMMAND).getCommandSpec();
    faults.addAll(Programs.unknownVariables(container, command));
    try {
      Path file = Files.createTempFile("worker", ".pem");
      try {
        List<String> words = words(command, file);
        Optional<String> refusal = refusal(line, words);
        if (refusal.isPresent()) {
          faults.add(refusal.get());
        } else {
          checkPorts(words, faults);
        }
      } finally {
        Files.delete(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return faults;
  }

  /** Arguments and variables, with a file that is there in place of those that are not. */
  private List<String> words(CommandSpec command, Path file) {
    List<String> words = new ArrayList<>(List.of(COMMAND));
    words.addAll(Programs.variablesAsOptions(container, command));
    words.addAll(List.of(Programs.words(container)));
    words.replaceAll(word -> word.replaceFirst("^(--tls-(?:ca|cert|key)=).*", "$1" + file));
    // That a device is there is the machine's affair.
    words.replaceAll(word -> word.replaceFirst("^--device=cuda:[0-9]+$", "--device=cpu"));
    return words;
  }

  private static Optional<String> refusal(CommandLine line, List<String> words) {
    List<String> all = new ArrayList<>(words);
    all.replaceAll(word -> word.startsWith("--model=") ? "--model=" + NO_MODEL : word);
    if (all.equals(words)) {
      all.add("--model=" + NO_MODEL);
    }
    StringWriter said = new StringWriter();
    int exit = line.setErr(new PrintWriter(said)).execute(all.toArray(String[]::new));
    String first = said.toString().lines().findFirst().orElse("exit code " + exit);
    return first.contains(NO_MODEL) ? Optional.empty() : Optional.of(first);
  }

  private void checkPorts(List<String> words, List<String> faults) {
    ParseResult given = Programs.worker().parseArgs(words.toArray(String[]::new)).subcommand();
    int http = given.matchedOptionValue("--http-port", 0);
    String bind = given.matchedOptionValue("--http-bind", "127.0.0.1");
    faults.addAll(Programs.portFaults(container, http > 0 ? Set.of(http) : Set.of(), http, false));
    if (http > 0 && bind.startsWith("127.") && !container.ports().isEmpty()) {
      faults.add("listens on " + bind + ", where nobody else comes");
    }
  }
}
