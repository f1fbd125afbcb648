package io.bitloom.loadtests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.bitloom.client.sdk.BitloomClient;
import io.bitloom.engine.tensor.LibTorch;
import io.bitloom.v1.WorkerStatus;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class UpIT {

  private static final Duration PATIENCE = Duration.ofMinutes(3);
  private static final List<String> UP =
      List.of("up", "--data=data", "--grpc-port=0", "--http-port=0", "--json");

  @TempDir Path folder;

  @Test
  void aKilledCoordinatorAndAKilledWorkerComeBackAndASecondClusterIsRefused() throws Exception {
    try (BitloomProcess up = BitloomProcess.start(folder, "up", UP)) {
      JsonObject ready = event(up, "up", 1);
      try (BitloomClient client = BitloomClient.builder(ready.get("grpc").getAsString()).build()) {
        String first = connectedWorker(client, worker -> true);

        BitloomProcess second = BitloomProcess.run(folder, "second", UP.toArray(String[]::new));
        assertEquals(2, second.exitCode(), second::said);
        assertTrue(second.out().contains("data belongs to process "), second::said);
        assertTrue(second.out().contains("(./bitloom up --data=data "), second::said);
        assertEquals(1, second.said().lines().count(), second::said);

        kill("io.bitloom.coordinator.Main");
        assertEquals("coordinator", event(up, "restart", 1).get("process").getAsString());
        kill("io.bitloom.worker.Main");
        assertEquals("worker", event(up, "restart", 2).get("process").getAsString());
        connectedWorker(client, worker -> !worker.getId().equals(first));
      }
      up.signal("TERM");
      assertEquals(143, up.exitCode(), up::said);
    }
    String log = Files.readString(folder.resolve("data/logs/coordinator.log"));
    assertEquals(2, log.lines().filter(l -> l.contains("coordinator is ready")).count(), log);
    assertEquals(Optional.empty(), process(""));
  }

  @Test
  void withoutAGpuAutoIsOneWorkerOnTheCpu() throws Exception {
    List<String> auto = new ArrayList<>(UP);
    auto.add("--workers=auto");
    try (BitloomProcess up =
        BitloomProcess.start(folder, "up", auto, Map.of("CUDA_VISIBLE_DEVICES", ""))) {
      JsonObject ready = event(up, "up", 1);
      assertEquals(1, ready.get("workers").getAsInt());
      assertEquals(0, ready.getAsJsonArray("gpus").size());
      try (BitloomClient client = BitloomClient.builder(ready.get("grpc").getAsString()).build()) {
        connectedWorker(client, worker -> true);
      }
      up.signal("TERM");
      assertEquals(143, up.exitCode(), up::said);
    }
  }

  /** The build for CPUs cannot serve the GPU that there is, and says so at once. */
  @Test
  void aWorkerThatCannotUseItsGpuEndsAllOfItWithItsReason() throws Exception {
    assumeFalse(LibTorch.builtForGpu(), "a build for GPUs");
    Path script = folder.resolve("bin/nvidia-smi");
    Files.createDirectory(script.getParent());
    Files.writeString(script, "#!/bin/sh\necho 'GPU 0: NVIDIA H200 (UUID: GPU-a)'\n");
    Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwxr-xr-x"));
    Map<String, String> environment =
        Map.of("PATH", script.getParent() + ":" + System.getenv("PATH"));

    List<String> auto = new ArrayList<>(UP);
    auto.add("--workers=auto");
    try (BitloomProcess up = BitloomProcess.start(folder, "up", auto, environment)) {
      assertEquals(1, up.exitCode(), up::said);
      assertTrue(up.out().contains("device cuda:0: no CUDA device is available"), up::said);
      assertTrue(up.out().contains("mvn -Pgpu -DskipTests package"), up::said);
    }
  }

  private static String connectedWorker(BitloomClient client, Predicate<WorkerStatus> wanted)
      throws Exception {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (System.nanoTime() < end) {
      Optional<WorkerStatus> worker =
          client.cluster().getWorkersList().stream()
              .filter(WorkerStatus::getConnected)
              .filter(wanted)
              .findFirst();
      if (worker.isPresent()) {
        return worker.get().getId();
      }
      Thread.sleep(20);
    }
    throw new AssertionError("no such worker came");
  }

  /** Waits for the n-th event of a name. */
  private static JsonObject event(BitloomProcess process, String name, int n) throws Exception {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (System.nanoTime() < end && process.isAlive()) {
      List<JsonObject> events =
          process
              .out()
              .lines()
              .filter(line -> line.endsWith("}"))
              .map(line -> JsonParser.parseString(line).getAsJsonObject())
              .filter(event -> event.get("event").getAsString().equals(name))
              .toList();
      if (events.size() >= n) {
        return events.get(n - 1);
      }
      Thread.sleep(20);
    }
    throw new AssertionError("no event " + name + " came: " + process.said());
  }

  private void kill(String program) throws IOException {
    process(program)
        .orElseThrow(() -> new IOException(program + " does not run"))
        .destroyForcibly();
  }

  /** A process of this test whose command line has a word. */
  private Optional<ProcessHandle> process(String word) {
    return ProcessHandle.allProcesses()
        .filter(process -> isOurs(process.info().commandLine().orElse(""), word))
        .findFirst();
  }

  private boolean isOurs(String commandLine, String word) {
    return commandLine.contains(folder.toString()) && commandLine.contains(word);
  }
}
