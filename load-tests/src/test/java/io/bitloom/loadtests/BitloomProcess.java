package io.bitloom.loadtests;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.coordinator.CoordinatorProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** One run of {@code ./bitloom}; the script becomes the program, so signals reach it. */
public final class BitloomProcess implements AutoCloseable {

  /** The repository. */
  static final Path HOME =
      Path.of(System.getProperty("bitloom.home", "..")).toAbsolutePath().normalize();

  private static final Duration TIMEOUT = Duration.ofMinutes(4);

  private final String name;
  private final Process process;
  private final Path out;
  private final Path err;
  private final boolean json;

  private BitloomProcess(String name, boolean json, Process process, Path out, Path err) {
    this.name = name;
    this.json = json;
    this.process = process;
    this.out = out;
    this.err = err;
  }

  /**
   * Starts a command.
   *
   * @param folder for the files with what it prints
   * @param name of those files
   */
  public static BitloomProcess start(Path folder, String name, List<String> arguments)
      throws IOException {
    return start(folder, name, arguments, Map.of());
  }

  /**
   * Starts a command.
   *
   * @param environment what it has besides that of the test
   */
  static BitloomProcess start(
      Path folder, String name, List<String> arguments, Map<String, String> environment)
      throws IOException {
    List<String> command = new ArrayList<>(List.of(HOME.resolve("bitloom").toString()));
    command.addAll(arguments);
    return startProgram(folder, name, command, environment);
  }

  /** Starts any program. */
  static BitloomProcess startProgram(Path folder, String name, List<String> command)
      throws IOException {
    return startProgram(folder, name, command, Map.of());
  }

  private static BitloomProcess startProgram(
      Path folder, String name, List<String> command, Map<String, String> environment)
      throws IOException {
    Path out = folder.resolve(name + ".out");
    Path err = folder.resolve(name + ".err");
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().put("BITLOOM_BUILD", "never");
    // Also marks every process, children included, as one of this test.
    List<String> jvm = new ArrayList<>(CoordinatorProcess.flagsOfThisJvm());
    jvm.add("-Djava.io.tmpdir=" + folder);
    builder.environment().put("BITLOOM_JAVA_OPTS", String.join(" ", jvm));
    builder.environment().putAll(environment);
    builder.directory(folder.toFile());
    builder.redirectOutput(out.toFile()).redirectError(err.toFile());
    return new BitloomProcess(name, command.contains("--json"), builder.start(), out, err);
  }

  /** Runs a command to its end. */
  static BitloomProcess run(Path folder, String name, String... arguments)
      throws IOException, InterruptedException {
    BitloomProcess process = start(folder, name, List.of(arguments));
    process.exitCode();
    return process;
  }

  /** Waits for the end. What was printed for programs must be as it is documented. */
  public int exitCode() throws InterruptedException, IOException {
    boolean ended = process.waitFor(TIMEOUT.toSeconds(), TimeUnit.SECONDS);
    if (!ended) {
      process.destroyForcibly();
    }
    assertTrue(ended, () -> name + " does not end; it said:\n" + said());
    if (json) {
      new EventSchema().checkEvents(name, out());
    }
    return process.exitValue();
  }

  public boolean isAlive() {
    return process.isAlive();
  }

  public String out() throws IOException {
    return Files.readString(out);
  }

  String err() throws IOException {
    return Files.readString(err);
  }

  /** All that the program printed, for the messages of failed tests. */
  public String said() {
    try {
      return out() + err();
    } catch (IOException e) {
      return "(" + e + ")";
    }
  }

  /** Sends a signal: {@code INT}, {@code TERM}, {@code KILL}. */
  void signal(String signal) throws IOException, InterruptedException {
    new ProcessBuilder("kill", "-" + signal, Long.toString(process.pid()))
        .inheritIO()
        .start()
        .waitFor();
  }

  @Override
  public void close() {
    process.destroy();
    try {
      if (!process.waitFor(20, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      process.destroyForcibly();
    }
  }
}
