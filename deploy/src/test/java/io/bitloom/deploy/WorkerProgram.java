package io.bitloom.deploy;

import io.bitloom.common.cli.Usage;
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
import picocli.CommandLine.ParameterException;
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
        check(line, words(command, file), faults);
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
    words.addAll(Programs.words(container, command));
    words.replaceAll(word -> word.replaceFirst("^(--tls-(?:ca|cert|key)=).*", "$1" + file));
    return words;
  }

  private void check(CommandLine line, List<String> words, List<String> faults) {
    try {
      ParseResult given = line.parseArgs(words.toArray(String[]::new)).subcommand();
      Optional<String> refusal = refusal(words);
      if (refusal.isPresent()) {
        faults.add(refusal.get());
      } else {
        checkPorts(given, faults);
      }
    } catch (ParameterException e) {
      faults.add(Usage.message(e));
    }
  }

  /** What the command says of a command line before it needs a machine; empty: nothing. */
  private static Optional<String> refusal(List<String> words) {
    List<String> all = new ArrayList<>(words);
    all.removeIf(word -> word.startsWith("--model="));
    all.add("--model=" + NO_MODEL);
    // Whether a device or the cluster is there is not the manifest's affair.
    all.replaceAll(word -> word.replaceFirst("^--device=cuda:[0-9]+$", "--device=cpu"));
    all.remove("--pod-deletion-cost");
    StringWriter said = new StringWriter();
    int exit = Programs.worker().setErr(new PrintWriter(said)).execute(all.toArray(String[]::new));
    String first = said.toString().lines().findFirst().orElse("exit code " + exit);
    return first.contains(NO_MODEL) ? Optional.empty() : Optional.of(first);
  }

  private void checkPorts(ParseResult given, List<String> faults) {
    int http = given.matchedOptionValue("--http-port", 0);
    String bind = given.matchedOptionValue("--http-bind", "127.0.0.1");
    faults.addAll(Programs.portFaults(container, http > 0 ? Set.of(http) : Set.of(), http, false));
    if (http > 0 && bind.startsWith("127.") && !container.ports().isEmpty()) {
      faults.add("listens on " + bind + ", where nobody else comes");
    }
  }
}
