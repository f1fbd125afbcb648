package io.bitloom.loadtests.process;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** A coordinator in a process of its own, as {@code ./bitloom coordinator} starts it. */
public final class CoordinatorProcess implements AutoCloseable {

  private static final Pattern USED = Pattern.compile("used (\\d+)K");
  private static final int PATIENCE_SECONDS = 180;

  private final Process process;
  private final Path portsFile;
  private final Path log;
  private JsonObject ports;

  private CoordinatorProcess(Process process, Path portsFile, Path log) {
    this.process = process;
    this.portsFile = portsFile;
    this.log = log;
  }

  /**
   * Starts one without waiting for it. Those of one folder share Redis and results.
   *
   * @param name of its log in the folder
   * @param grpcPort 0 for any free one
   */
  public static CoordinatorProcess start(
      Path folder, String name, int grpcPort, List<String> options) throws IOException {
    return start(Distribution.here(), folder, name, grpcPort, options);
  }

  /** Likewise, one of a version. */
  public static CoordinatorProcess start(
      Distribution version, Path folder, String name, int grpcPort, List<String> options)
      throws IOException {
    return start(version, folder, name, grpcPort, options, Map.of());
  }

  /**
   * Likewise.
   *
   * @param environment besides that of this process
   */
  public static CoordinatorProcess start(
      Distribution version,
      Path folder,
      String name,
      int grpcPort,
      List<String> options,
      Map<String, String> environment)
      throws IOException {
    Path portsFile = folder.resolve(name + ".json");
    Files.deleteIfExists(portsFile);
    Path log = folder.resolve(name + ".log");
    List<String> command = new ArrayList<>();
    command.add(version.bitloom().toString());
    command.add("coordinator");
    command.addAll(common(folder, grpcPort));
    command.add("--ports-file=" + portsFile);
    command.addAll(options);
    return new CoordinatorProcess(Programs.start(command, log, environment), portsFile, log);
  }

  private static List<String> common(Path folder, int grpcPort) {
    return List.of(
        "--data=" + folder.resolve("data"),
        "--share-data",
        "--grpc-port=" + grpcPort,
        "--http-port=0",
        "--exit-on-stdin-close");
  }

  /** Starts several that share a program and end together, without waiting for them. */
  public static List<CoordinatorProcess> startTogether(
      Path folder, List<String> names, List<String> options) throws IOException {
    List<Path> portsFiles = names.stream().map(name -> folder.resolve(name + ".json")).toList();
    Path log = folder.resolve(names.get(0) + ".log");
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-Xmx2g", "-cp", Distribution.here().workerClassPath()));
    command.add(ManyCoordinators.class.getName());
    command.add(portsFiles.stream().map(Path::toString).collect(Collectors.joining(",")));
    command.addAll(common(folder, 0));
    command.addAll(options);
    Process process = Programs.start(command, log);
    return portsFiles.stream().map(file -> new CoordinatorProcess(process, file, log)).toList();
  }

  /** Waits until it has told its ports. */
  public void awaitReady() throws IOException, InterruptedException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
    while (!Files.exists(portsFile)) {
      if (!process.isAlive() || System.nanoTime() > end) {
        process.destroyForcibly();
        throw new IOException("the coordinator does not start: " + Files.readString(log));
      }
      Thread.sleep(20);
    }
    ports = JsonParser.parseString(Files.readString(portsFile)).getAsJsonObject();
  }

  public String target() {
    return "127.0.0.1:" + grpcPort();
  }

  public int grpcPort() {
    return ports.get("grpc").getAsInt();
  }

  public String redis() {
    return ports.get("redis").getAsString();
  }

  public long pid() {
    return process.pid();
  }

  /** Fails if it has ended without being told to. */
  public void requireAlive() throws IOException {
    if (!process.isAlive()) {
      throw new IOException("a coordinator ended by itself: " + Files.readString(log));
    }
  }

  /** All that it has logged. */
  public String said() throws IOException {
    return Files.readString(log);
  }

  /** Ends it like {@code kill -9}. */
  public void kill() {
    process.destroyForcibly().onExit().join();
  }

  /** Ends it like {@code kill}, in good order. */
  public void terminate() {
    process.toHandle().destroy();
    process.onExit().join();
  }

  /** What is left of its heap after a full collection, in bytes. */
  public long liveHeap() throws IOException, InterruptedException {
    jcmd("GC.run");
    Matcher used = USED.matcher(jcmd("GC.heap_info"));
    if (!used.find()) {
      throw new IOException("the heap of the coordinator cannot be read");
    }
    return Long.parseLong(used.group(1)) * 1024;
  }

  private String jcmd(String what) throws IOException, InterruptedException {
    Process jcmd =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "jcmd").toString(),
                Long.toString(process.pid()),
                what)
            .redirectErrorStream(true)
            .start();
    String said = new String(jcmd.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    jcmd.waitFor();
    return said;
  }

  @Override
  public void close() throws IOException, InterruptedException {
    process.getOutputStream().close();
    if (!process.waitFor(20, TimeUnit.SECONDS)) {
      process.destroyForcibly();
    }
  }
}
