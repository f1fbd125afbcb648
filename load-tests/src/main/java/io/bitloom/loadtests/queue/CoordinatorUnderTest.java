package io.bitloom.loadtests.queue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A coordinator in a process of its own, as {@code ./bitloom coordinator} starts it. */
final class CoordinatorUnderTest implements AutoCloseable {

  private static final Pattern USED = Pattern.compile("used (\\d+)K");

  private final Process process;
  private final JsonObject ports;

  private CoordinatorUnderTest(Process process, JsonObject ports) {
    this.process = process;
    this.ports = ports;
  }

  /**
   * Starts one and waits until it is ready.
   *
   * @param options after those for free ports and the data below the folder
   */
  static CoordinatorUnderTest start(Path folder, List<String> options) throws Exception {
    Path portsFile = folder.resolve("ports.json");
    Path log = folder.resolve("coordinator.log");
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getenv("BITLOOM_HOME"), "bitloom").toString());
    command.addAll(
        List.of(
            "coordinator",
            "--data=" + folder.resolve("data"),
            "--grpc-port=0",
            "--http-port=0",
            "--exit-on-stdin-close",
            "--ports-file=" + portsFile));
    command.addAll(options);
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().put("BITLOOM_BUILD", "never");
    Process process = builder.redirectErrorStream(true).redirectOutput(log.toFile()).start();
    for (long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        !Files.exists(portsFile);
        Thread.sleep(20)) {
      if (!process.isAlive() || System.nanoTime() > end) {
        process.destroyForcibly();
        throw new IOException("the coordinator does not start: " + Files.readString(log));
      }
    }
    return new CoordinatorUnderTest(
        process, JsonParser.parseString(Files.readString(portsFile)).getAsJsonObject());
  }

  String target() {
    return "127.0.0.1:" + ports.get("grpc").getAsInt();
  }

  String redis() {
    return ports.get("redis").getAsString();
  }

  long pid() {
    return process.pid();
  }

  /** What is left of its heap after a full collection, in bytes. */
  long liveHeap() throws Exception {
    jcmd("GC.run");
    Matcher used = USED.matcher(jcmd("GC.heap_info"));
    if (!used.find()) {
      throw new IOException("the heap of the coordinator cannot be read");
    }
    return Long.parseLong(used.group(1)) * 1024;
  }

  private String jcmd(String what) throws Exception {
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
  public void close() throws Exception {
    process.getOutputStream().close();
    if (!process.waitFor(20, TimeUnit.SECONDS)) {
      process.destroyForcibly();
    }
  }
}
