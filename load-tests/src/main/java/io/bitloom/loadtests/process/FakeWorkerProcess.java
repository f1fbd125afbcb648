package io.bitloom.loadtests.process;

import io.bitloom.coordinator.FakeWorkerMain;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A {@link io.bitloom.coordinator.FakeWorker} in a process of its own. */
public final class FakeWorkerProcess implements AutoCloseable {

  private final Process process;

  private FakeWorkerProcess(Process process) {
    this.process = process;
  }

  /**
   * Starts one.
   *
   * @param folder for the log
   * @param options of {@link FakeWorkerMain}
   */
  public static FakeWorkerProcess start(Path folder, String id, List<String> options)
      throws IOException {
    return start(Distribution.here(), folder, id, options);
  }

  /** Likewise, one of a version. */
  public static FakeWorkerProcess start(
      Distribution version, Path folder, String id, List<String> options) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(
        List.of("-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto", "-cp"));
    command.add(version.workerClassPath());
    command.add(FakeWorkerMain.class.getName());
    command.add("--id=" + id);
    command.addAll(options);
    return new FakeWorkerProcess(Programs.start(command, folder.resolve(id + ".log")));
  }

  /** Ends it like {@code kill -9}. */
  public void kill() {
    process.destroyForcibly().onExit().join();
  }

  /** Sends {@code STOP}, and it hangs, or {@code CONT}, and it goes on. */
  public void signal(String name) throws IOException, InterruptedException {
    new ProcessBuilder("kill", "-" + name, Long.toString(process.pid())).start().waitFor();
  }

  @Override
  public void close() throws IOException, InterruptedException {
    process.getOutputStream().close();
    if (!process.waitFor(10, TimeUnit.SECONDS)) {
      process.destroyForcibly();
    }
  }
}
