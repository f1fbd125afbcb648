package io.bitloom.loadtests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.bitloom.client.sdk.BitloomClient;
import io.bitloom.common.log.LogFields;
import io.bitloom.loadtests.process.FakeWorkerProcess;
import io.bitloom.v1.Job;
import io.bitloom.v1.Prompt;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a machine reads in the log of a coordinator. */
class LogsIT {

  private static final Map<String, String> JSON =
      Map.of("BITLOOM_LOG", "json", "BITLOOM_LOG_LEVEL", "debug");

  /** Of a table's row: the fields that it is about. */
  private static final Pattern ROW = Pattern.compile("(?m)^\\| ((?:`[a-z_]+`(?:, )?)+) \\|");

  /** Of a tracer, which is off here. */
  private static final Set<String> OF_TRACES = Set.of("trace_id", "span_id");

  @TempDir Path folder;

  @Test
  void aLineSaysWhichJobPromptTenantWorkerAndLeaseItIsAbout() throws Exception {
    String jobId;
    List<JsonObject> lines;
    Path ports = folder.resolve("ports.json");
    List<String> options =
        List.of(
            "coordinator",
            "--data=" + folder.resolve("data"),
            "--grpc-port=0",
            "--http-port=0",
            "--ports-file=" + ports);
    try (BitloomProcess coordinator = BitloomProcess.start(folder, "log", options, JSON)) {
      await(() -> Files.exists(ports));
      String address =
          "127.0.0.1:"
              + JsonParser.parseString(Files.readString(ports))
                  .getAsJsonObject()
                  .get("grpc")
                  .getAsInt();
      try (BitloomClient client = BitloomClient.builder(address).build();
          FakeWorkerProcess worker =
              FakeWorkerProcess.start(
                  folder, "fake-1", List.of("--coordinator=" + address, "--refusal-rate=1"))) {
        await(() -> !client.listModels().isEmpty());
        Job job = client.createJob(Job.getDefaultInstance(), "once");
        client.append(
            job.getName(),
            0,
            List.of(Prompt.newBuilder().setPrompt("a cake").build()).iterator(),
            appended -> {});
        client.seal(job.getName(), 1);
        jobId = job.getName().substring("jobs/".length());
        await(() -> client.getJob(job.getName()).hasEndTime());
        await(() -> about(coordinator, "has failed after").size() == 1);
        worker.kill();
        await(() -> about(coordinator, "Worker fake-1 left").size() == 1);
      }
      lines = about(coordinator, "");

      JsonObject failure = about(coordinator, "has failed: ").get(0);
      assertEquals(jobId, failure.get(LogFields.JOB).getAsString());
      assertEquals(0, failure.get(LogFields.PROMPT).getAsLong());
      assertEquals("fake-1", failure.get(LogFields.WORKER).getAsString());
      assertTrue(failure.get(LogFields.LEASE).getAsString().startsWith("fake:"), failure::toString);
      JsonObject end = about(coordinator, "has failed after").get(0);
      assertEquals(jobId, end.get(LogFields.JOB).getAsString());
      assertEquals("default", end.get(LogFields.TENANT).getAsString());
      JsonObject left = about(coordinator, "Worker fake-1 left").get(0);
      assertEquals("fake-1", left.get(LogFields.WORKER).getAsString());
    }

    Set<String> documented = documented();
    Set<String> used = new TreeSet<>(OF_TRACES);
    used.add("error"); // nothing was thrown
    for (JsonObject line : lines) {
      assertTrue(line.keySet().containsAll(Set.of("time", "level", "message", "logger", "thread")));
      used.addAll(line.keySet());
    }
    assertEquals(documented, used);
  }

  private static Set<String> documented() throws Exception {
    String page = Files.readString(BitloomProcess.HOME.resolve("docs/reference/logs.md"));
    return ROW.matcher(page)
        .results()
        .flatMap(row -> List.of(row.group(1).split(", ")).stream())
        .map(field -> field.replace("`", ""))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private static List<JsonObject> about(BitloomProcess process, String message) throws Exception {
    return process
        .err()
        .lines()
        .filter(line -> line.endsWith("}"))
        .map(line -> JsonParser.parseString(line).getAsJsonObject())
        .filter(line -> line.get("message").getAsString().contains(message))
        .toList();
  }

  private interface Condition {
    boolean holds() throws Exception;
  }

  private static void await(Condition condition) throws Exception {
    long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(3);
    while (!condition.holds()) {
      assertTrue(System.nanoTime() < end, "waited in vain");
      Thread.sleep(20);
    }
  }
}
