package io.bitloom.coordinator;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** A coordinator in a process of its own, started by its command line. */
public final class CoordinatorProcess implements AutoCloseable {

  private final Process process;
  private final Path log;
  private final Path portsFile;

  private CoordinatorProcess(Process process, Path log, Path portsFile) {
    this.process = process;
    this.log = log;
    this.portsFile = portsFile;
  }

  /**
   * Starts without waiting for it to be ready.
   *
   * @param directory for its log, and its data if the options do not say otherwise
   */
  public static CoordinatorProcess launch(
      Path directory, List<String> jvmOptions, List<String> options) throws IOException {
    return launch(directory, jvmOptions, options, Map.of());
  }

  /**
   * Starts without waiting for it to be ready.
   *
   * @param environment what it has besides that of this process, or in its place
   */
  static CoordinatorProcess launch(
      Path directory,
      List<String> jvmOptions,
      List<String> options,
      Map<String, String> environment)
      throws IOException {
    Path portsFile = directory.resolve("ports.json");
    Files.deleteIfExists(portsFile);
    Path log = Files.createTempFile(directory, "coordinator", ".log");
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(flagsOfThisJvm());
    command.addAll(jvmOptions);
    command.add("-cp");
    command.add(
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")));
    command.add(Main.class.getName());
    command.addAll(options);
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .redirectInput(ProcessBuilder.Redirect.PIPE);
    builder.environment().putAll(environment);
    return new CoordinatorProcess(builder.start(), log, portsFile);
  }

  /** How the build lets the JVMs of tests collect and compile. */
  public static List<String> flagsOfThisJvm() {
    return ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
        .filter(flag -> flag.startsWith("-XX:"))
        .toList();
  }

  /** Options for free ports, the ports file and data below the directory. */
  public static List<String> usualOptions(Path directory) {
    return List.of(
        "--data",
        directory.resolve("data").toString(),
        "--grpc-port",
        "0",
        "--http-port",
        "0",
        "--ports-file",
        directory.resolve("ports.json").toString());
  }

  /** What it wrote when it was ready. */
  public JsonObject ports() throws Exception {
    TestCoordinator.awaitTrue(
        "coordinator is ready", () -> Files.exists(portsFile) || !process.isAlive());
    if (!Files.exists(portsFile)) {
      throw new AssertionError("the coordinator ended: " + output());
    }
    return JsonParser.parseString(Files.readString(portsFile)).getAsJsonObject();
  }

  public Process process() {
    return process;
  }

  /** The exit code; waits for it. */
  public int exitCode() throws Exception {
    if (!process.waitFor(TestCoordinator.PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
      throw new AssertionError("the coordinator goes on: " + output());
    }
    return process.exitValue();
  }

  /** All that it has printed. */
  public String output() throws IOException {
    return Files.readString(log);
  }

  @Override
  public void close() throws Exception {
    process.destroy();
    if (!process.waitFor(TestCoordinator.PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
      process.destroyForcibly().waitFor();
    }
  }
}
