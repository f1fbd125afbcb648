package io.bitloom.loadtests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.client.sdk.BitloomClient;
import io.bitloom.loadtests.process.CoordinatorProcess;
import io.bitloom.loadtests.process.FakeWorkerProcess;
import io.bitloom.v1.Job;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReplayIT {

  private static final int PROMPTS = 12;

  @TempDir Path folder;

  @Test
  void whatAReplayDrawsFillsTheGapsInTheFirstJobsFolder() throws Exception {
    List<String> lines =
        IntStream.range(0, PROMPTS)
            .mapToObj(i -> "{\"custom_id\": \"p" + i + "\", \"prompt\": \"number " + i + "\"}")
            .toList();
    Files.write(folder.resolve("prompts.jsonl"), lines);
    try (CoordinatorProcess coordinator =
        CoordinatorProcess.start(folder, "coordinator", 0, List.of())) {
      coordinator.awaitReady();
      String address = "--coordinator=" + coordinator.target();
      try (FakeWorkerProcess choosy =
              FakeWorkerProcess.start(folder, "choosy", List.of(address, "--refusal-rate=0.5"));
          BitloomClient client = BitloomClient.builder(coordinator.target()).build()) {
        while (client.listModels().isEmpty()) {
          Thread.sleep(20);
        }
        BitloomProcess submit =
            run("submit", "submit", "prompts.jsonl", "--size=0.06M", "--out=out", address);
        assertEquals(3, submit.exitCode(), submit::said);
        assertEquals(3, submit.err().lines().filter(line -> line.contains(" failed: ")).count());
        assertTrue(submit.out().contains(" more prompts failed: "), submit::said);
        choosy.kill();
        Job first = only(client.listJobs(List.of(), ""));
        try (FakeWorkerProcess worker =
            FakeWorkerProcess.start(folder, "worker", List.of(address))) {
          BitloomProcess replay = run("replay", "replay", first.getName(), address);
          assertEquals(0, replay.exitCode(), replay::said);
          Job again = client.replay(first.getName(), false);
          assertEquals("prompts.jsonl replay 1", again.getDisplayName());
          assertTrue(replay.out().contains(again.getName()), replay::said);

          BitloomProcess results =
              run("results", "results", again.getName(), "--out=out", "--follow", address);
          assertEquals(0, results.exitCode(), results::said);
        }
      }
    }
    List<String> manifest = Files.readAllLines(folder.resolve("out/manifest.jsonl"));
    assertEquals(PROMPTS, manifest.size());
    for (int i = 0; i < PROMPTS; i++) {
      String file = "p" + i + ".png";
      assertTrue(Files.exists(folder.resolve("out").resolve(file)), file);
      assertEquals(1, manifest.stream().filter(line -> line.contains("\"" + file + "\"")).count());
    }
  }

  private static Job only(Iterator<Job> jobs) {
    List<Job> all = new ArrayList<>();
    jobs.forEachRemaining(all::add);
    assertEquals(1, all.size());
    return all.get(0);
  }

  private BitloomProcess run(String name, String... arguments) throws Exception {
    return BitloomProcess.run(folder, name, arguments);
  }
}
