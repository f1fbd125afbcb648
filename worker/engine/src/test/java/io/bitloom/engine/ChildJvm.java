package io.bitloom.engine;

import java.io.BufferedReader;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.bytedeco.javacpp.Loader;

/** A program of the test class path in a process of its own, and what it prints. */
public final class ChildJvm implements AutoCloseable {
  private static final int PATIENCE_SECONDS = 240;

  /** How the program logs; a library leaves it to others. */
  private static final String LOG = "logback.xml";

  private final Process process;
  private final BlockingQueue<String> lines = new LinkedBlockingQueue<>();

  private ChildJvm(Process process) {
    this.process = process;
    Thread reader = new Thread(this::read, "child-output");
    reader.setDaemon(true);
    reader.start();
  }

  /** Runs a main class of the test class path, with its standard input open. */
  public static ChildJvm start(Class<?> main, List<String> jvm, String... arguments)
      throws IOException {
    return start(main, jvm, Map.of(), arguments);
  }

  /** Compiles and runs a program of one source file on the test class path. */
  public static ChildJvm startSource(Path program, String... arguments) throws IOException {
    return start(program.toString(), List.of(), Map.of(), arguments);
  }

  /** Runs a main class of the test class path with more environment variables. */
  public static ChildJvm start(
      Class<?> main, List<String> jvm, Map<String, String> environment, String... arguments)
      throws IOException {
    return start(main.getName(), jvm, environment, arguments);
  }

  private static ChildJvm start(
      String main, List<String> jvm, Map<String, String> environment, String... arguments)
      throws IOException {
    List<String> command = new ArrayList<>();
    command.add(System.getProperty("java.home") + "/bin/java");
    command.addAll(flagsOfThisJvm());
    command.add("-Dorg.bytedeco.javacpp.maxPhysicalBytes=0");
    // The same libraries, and what was measured to be fastest, as here.
    command.add("-Dorg.bytedeco.javacpp.cachedir=" + Loader.getCacheDir());
    if (ChildJvm.class.getClassLoader().getResource(LOG) != null) {
      command.add("-Dlogback.configurationFile=" + LOG); // not that of the tests
    }
    command.addAll(jvm);
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), main));
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().put("OMP_WAIT_POLICY", "PASSIVE");
    builder.environment().put("OPENBLAS_NUM_THREADS", "1");
    builder.environment().put("THP_MEM_ALLOC_ENABLE", "1");
    builder.environment().putAll(environment);
    return new ChildJvm(builder.start());
  }

  /** How the build lets the JVMs of tests collect and compile. */
  public static List<String> flagsOfThisJvm() {
    return ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
        .filter(flag -> flag.startsWith("-XX:"))
        .toList();
  }

  private void read() {
    try (BufferedReader reader = process.inputReader()) {
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        lines.add(line);
      }
    } catch (IOException e) {
      lines.add("the output broke: " + e);
    }
  }

  /** Waits for a line with this text. */
  public String awaitLine(String text) throws InterruptedException {
    List<String> seen = new ArrayList<>();
    while (true) {
      String line = lines.poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
      if (line == null) {
        throw new AssertionError("no line with \"" + text + "\" came, but " + seen);
      }
      if (line.contains(text)) {
        return line;
      }
      seen.add(line);
    }
  }

  /** Sends SIGTERM. */
  public void terminate() {
    process.destroy();
  }

  /** Ends the process's standard input. */
  public void closeInput() throws IOException {
    process.outputWriter().close();
  }

  public int awaitExit() throws InterruptedException {
    if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
      throw new AssertionError("the process does not end");
    }
    return process.exitValue();
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }
}
