package io.bitloom.client.cluster;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * A program that ends when its standard input is closed, so it cannot outlive this one, however
 * this one ends. What it prints goes to a log file.
 */
final class ChildProcess implements AutoCloseable {

  private static final String JVM_OPTIONS = "BITLOOM_JAVA_OPTS";
  private static final Duration GRACE = Duration.ofSeconds(20);
  private static final Duration SHORT_GRACE = Duration.ofSeconds(5);

  private final String name;
  private final Path log;
  private final Process process;

  private ChildProcess(String name, Path log, Process process) {
    this.name = name;
    this.log = log;
    this.process = process;
  }

  /**
   * Starts {@code ./bitloom} with arguments; its log lies in the folder for logs.
   *
   * @param jvmOptions flags for its JVM besides those of the cluster, separated by spaces
   */
  static ChildProcess start(
      String name, ClusterConfig config, String jvmOptions, List<String> arguments)
      throws IOException {
    ProcessBuilder builder = new ProcessBuilder(config.home().resolve("bitloom").toString());
    builder.command().addAll(arguments);
    builder.environment().put("BITLOOM_BUILD", "never");
    // What the user set comes last and so holds.
    builder
        .environment()
        .merge(
            JVM_OPTIONS, config.jvmOptions() + " " + jvmOptions, (own, ours) -> ours + " " + own);
    Path log = config.logs().resolve(name + ".log");
    builder.redirectErrorStream(true).redirectOutput(new File(log.toString()));
    return new ChildProcess(name, log, builder.start());
  }

  boolean isAlive() {
    return process.isAlive();
  }

  /** Runs something when the program has ended. */
  void whenEnded(Runnable action) {
    process.onExit().thenRun(action);
  }

  /** How the program ended, with its last words. */
  String epitaph(int lines) {
    StringBuilder text =
        new StringBuilder(
            "the " + name + " ended with exit code " + process.exitValue() + "; end of " + log);
    lastLines(lines).forEach(line -> text.append("\n  ").append(line));
    return text.toString();
  }

  private Deque<String> lastLines(int count) {
    Deque<String> last = new ArrayDeque<>();
    try (Stream<String> lines = Files.lines(log, StandardCharsets.ISO_8859_1)) {
      lines.forEach(
          line -> {
            last.add(line);
            if (last.size() > count) {
              last.remove();
            }
          });
    } catch (IOException e) {
      last.add("(the log cannot be read: " + e.getMessage() + ")");
    }
    return last;
  }

  /** Ends the program: politely, then by SIGTERM, then by SIGKILL. */
  @Override
  public void close() {
    try {
      process.getOutputStream().close();
    } catch (IOException e) {
      // It has ended already.
    }
    if (!hasEnded(GRACE)) {
      process.destroy();
      if (!hasEnded(SHORT_GRACE)) {
        process.destroyForcibly();
      }
    }
  }

  private boolean hasEnded(Duration within) {
    try {
      return process.waitFor(within.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }
}
