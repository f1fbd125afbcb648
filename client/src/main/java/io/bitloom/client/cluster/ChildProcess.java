package io.bitloom.client.cluster;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * A program that ends when its standard input is closed, so it cannot outlive this one, however
 * this one ends. What it prints goes to a log.
 */
final class ChildProcess implements AutoCloseable {

  private static final String JVM_OPTIONS = "BITLOOM_JAVA_OPTS";
  private static final long GRACE_SECONDS = 20;
  private static final long SHORT_GRACE_SECONDS = 5;
  private static final long LAST_WORDS_MILLIS = 2000;
  private static final int CHUNK_BYTES = 8192;

  private final RotatingLog log;
  private final Process process;
  private final Thread pump;

  private ChildProcess(String name, RotatingLog log, Process process) {
    this.log = log;
    this.process = process;
    this.pump = new Thread(this::pump, "log-" + name);
    pump.setDaemon(true);
    pump.start();
  }

  /**
   * Starts {@code ./bitloom} with arguments.
   *
   * @param jvmOptions flags for its JVM besides those of the cluster, separated by spaces
   * @param environment what it has besides that of this program
   */
  static ChildProcess start(
      String name,
      ClusterConfig config,
      RotatingLog log,
      String jvmOptions,
      Map<String, String> environment,
      List<String> arguments)
      throws IOException {
    ProcessBuilder builder = new ProcessBuilder(config.home().resolve("bitloom").toString());
    builder.command().addAll(arguments);
    builder.environment().putAll(environment);
    builder.environment().put("BITLOOM_BUILD", "never");
    // What the user set comes last and so holds.
    builder
        .environment()
        .merge(
            JVM_OPTIONS, config.jvmOptions() + " " + jvmOptions, (own, ours) -> ours + " " + own);
    return new ChildProcess(name, log, builder.redirectErrorStream(true).start());
  }

  private void pump() {
    byte[] chunk = new byte[CHUNK_BYTES];
    try (InputStream output = process.getInputStream()) {
      for (int length = output.read(chunk); length >= 0; length = output.read(chunk)) {
        log.write(chunk, length);
      }
    } catch (IOException e) {
      // The program has ended.
    }
  }

  /** Runs something when the program has ended and its last words are in the log. */
  void whenEnded(Runnable action, Executor executor) {
    process
        .onExit()
        .thenRunAsync(
            () -> {
              awaitLastWords();
              action.run();
            },
            executor);
  }

  /** Not for ever: a program that it has started may hold its output open. */
  private void awaitLastWords() {
    try {
      pump.join(LAST_WORDS_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** How the program ended; 128 and its number for a signal. */
  int exitCode() {
    return process.exitValue();
  }

  /** The end of the log, each line on a line of its own. */
  String lastLines(int count) {
    Deque<String> last = new ArrayDeque<>();
    try (Stream<String> lines = Files.lines(log.file(), StandardCharsets.ISO_8859_1)) {
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
    return "\n  " + String.join("\n  ", last);
  }

  /** Tells the program to end, without waiting for it. */
  void askToEnd() {
    try {
      process.getOutputStream().close();
    } catch (IOException e) {
      // It has ended already.
    }
  }

  /** Ends the program: politely, then by SIGTERM, then by SIGKILL. */
  @Override
  public void close() {
    askToEnd();
    if (!hasEnded(GRACE_SECONDS)) {
      process.destroy();
      if (!hasEnded(SHORT_GRACE_SECONDS)) {
        process.destroyForcibly();
      }
    }
    awaitLastWords();
  }

  private boolean hasEnded(long withinSeconds) {
    try {
      return process.waitFor(withinSeconds, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }
}
