package io.bitloom.loadtests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.client.sdk.BitloomClient;
import io.bitloom.loadtests.process.CoordinatorProcess;
import io.bitloom.loadtests.process.FakeWorkerProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Backup and restore as {@code docs/operations/backup.md} tells it. */
class RestoreIT {

  private static final int PROMPTS = 200;
  private static final String BACKUP =
      """
      mkdir -p backup/redis
      cp data/redis/appendonly.aof backup/redis/
      cp -al data/results backup/results
      """;
  private static final String RESTORE =
      """
      rm -r data
      mkdir data
      cp -a backup/redis backup/results data/
      """;

  @TempDir Path folder;

  @BeforeEach
  void prompts() throws IOException {
    Files.write(
        folder.resolve("prompts.jsonl"),
        IntStream.range(0, PROMPTS)
            .mapToObj(i -> "{\"custom_id\": \"p" + i + "\", \"prompt\": \"number " + i + "\"}")
            .toList());
  }

  @Test
  void whatIsRestoredGoesOnAndAFolderThatIsAheadOfItGetsEveryImage() throws Exception {
    String job;
    try (CoordinatorProcess coordinator = start();
        FakeWorkerProcess worker =
            FakeWorkerProcess.start(folder, "first", options(coordinator, "--batch-time=40ms"))) {
      BitloomProcess submit = submit(coordinator);
      awaitImages(40);
      shell(BACKUP);
      awaitImages(120);
      submit.signal("KILL");
      submit.exitCode();
      job =
          submit
              .out()
              .lines()
              .flatMap(line -> Stream.of(line.split(" ")))
              .findFirst()
              .orElseThrow();
      coordinator.terminate();
    }
    shell(RESTORE);

    // Prompts that fail once come later, so that results are in another order than before.
    try (CoordinatorProcess coordinator = start();
        FakeWorkerProcess worker =
            FakeWorkerProcess.start(
                folder, "second", options(coordinator, "--failure-rate=0.05"))) {
      BitloomProcess results =
          BitloomProcess.run(
              folder, "results", "results", job, "--out=out", "--follow", at(coordinator));
      assertEquals(0, results.exitCode(), results::said);
      assertTrue(results.out().contains("the queue was set back"), results::said);
    }
    List<String> manifest = Files.readAllLines(folder.resolve("out/manifest.jsonl"));
    assertEquals(PROMPTS, manifest.size());
    assertEquals(PROMPTS, images());
    for (int i = 0; i < PROMPTS; i++) {
      String file = "\"p" + i + ".png\"";
      assertEquals(1, manifest.stream().filter(line -> line.contains(file)).count(), file);
    }
  }

  private CoordinatorProcess start() throws IOException, InterruptedException {
    CoordinatorProcess coordinator =
        CoordinatorProcess.start(
            folder,
            "coordinator",
            0,
            List.of("--lease-duration=3s", "--heartbeat-interval=1s", "--reconnect-grace=1s"));
    coordinator.awaitReady();
    return coordinator;
  }

  private static String at(CoordinatorProcess coordinator) {
    return "--coordinator=" + coordinator.target();
  }

  private static List<String> options(CoordinatorProcess coordinator, String option) {
    return List.of(at(coordinator), option);
  }

  private BitloomProcess submit(CoordinatorProcess coordinator) throws Exception {
    try (BitloomClient client = BitloomClient.builder(coordinator.target()).build()) {
      while (client.listModels().isEmpty()) {
        Thread.sleep(20);
      }
    }
    return BitloomProcess.start(
        folder,
        "submit",
        List.of("submit", "prompts.jsonl", "--size=0.06M", "--out=out", at(coordinator)));
  }

  private void awaitImages(int count) throws IOException, InterruptedException {
    while (images() < count) {
      Thread.sleep(20);
    }
  }

  private long images() throws IOException {
    Path out = folder.resolve("out");
    if (!Files.exists(out)) {
      return 0;
    }
    try (Stream<Path> files = Files.list(out)) {
      return files.filter(file -> file.getFileName().toString().matches("p\\d+\\.png")).count();
    }
  }

  private void shell(String script) throws IOException, InterruptedException {
    Process shell =
        new ProcessBuilder("sh", "-ec", script).directory(folder.toFile()).inheritIO().start();
    assertEquals(0, shell.waitFor(), script);
  }
}
