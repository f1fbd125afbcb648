package io.bitloom.loadtests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.coordinator.results.TestS3;
import io.bitloom.coordinator.tracing.SpanReceiver;
import io.bitloom.coordinator.tracing.SpanReceiver.Received;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The traces of prompts through a client, a coordinator, a worker and a store. */
class TracesIT {

  private static final Set<String> STEPS_OF_ALL =
      Set.of(
          "submit", "append", "enqueue", "lease", "text", "decode", "encode", "upload", "commit",
          "deliver");

  @TempDir private Path folder;

  private TestCluster cluster(TestS3 s3, Map<String, String> environment) throws Exception {
    Map<String, String> ofCoordinator = new HashMap<>(s3.environment());
    ofCoordinator.putAll(environment);
    return TestCluster.start(
        folder,
        List.of(
            "--results=s3://" + TestS3.BUCKET + "/traces",
            "--s3-endpoint=" + s3.endpoint(),
            "--s3-path-style"),
        ofCoordinator,
        environment);
  }

  private void submit(TestCluster cluster, int prompts, Map<String, String> environment)
      throws Exception {
    Path file = folder.resolve("prompts-" + prompts + ".jsonl");
    Files.writeString(
        file,
        IntStream.range(0, prompts)
            .mapToObj(i -> "{\"prompt\": \"a red fox\", \"size\": \"0.06M\", \"seed\": " + i + "}")
            .collect(Collectors.joining("\n")));
    BitloomProcess submit =
        BitloomProcess.start(
            folder,
            "submit-" + prompts,
            List.of(
                "submit",
                file.toString(),
                "--out=" + folder.resolve("out-" + prompts),
                "--coordinator=" + cluster.address()),
            environment);
    assertEquals(0, submit.exitCode(), submit::said);
  }

  @Test
  void aTraceLeadsFromSubmitThroughEveryScaleToItsReader() throws Exception {
    try (SpanReceiver receiver = SpanReceiver.start();
        TestS3 s3 = TestS3.start();
        TestCluster cluster = cluster(s3, receiver.environment("1"))) {
      submit(cluster, 1, receiver.environment("1"));
      receiver.await(
          spans -> steps(spans).containsAll(STEPS_OF_ALL) && steps(spans).contains("process demo"));
      onePrompt(receiver.spans());

      submit(cluster, 4, receiver.environment("1"));
      receiver.await(
          spans ->
              STEPS_OF_ALL.stream().allMatch(step -> named(spans, step).size() == 5)
                  && named(spans, "process demo").stream()
                          .mapToInt(batch -> batch.links().size())
                          .sum()
                      == 5);
      severalPrompts(receiver.spans());
    }
  }

  private static Set<String> steps(List<Received> spans) {
    return spans.stream().map(Received::name).collect(Collectors.toCollection(TreeSet::new));
  }

  private static List<Received> named(List<Received> spans, String name) {
    return spans.stream().filter(span -> span.name().equals(name)).toList();
  }

  private static Map<String, Received> ofOnePrompt(List<Received> spans) {
    assertEquals(1, spans.stream().map(Received::trace).distinct().count());
    return spans.stream().collect(Collectors.toMap(Received::name, Function.identity()));
  }

  private static void onePrompt(List<Received> all) {
    Received process = named(all, "process demo").get(0);
    Map<String, Received> spans =
        ofOnePrompt(all.stream().filter(span -> span != process).toList());
    int scales = spans.size() - STEPS_OF_ALL.size();
    assertTrue(scales > 3);
    List<String> drawn = new ArrayList<>(List.of("text"));
    IntStream.rangeClosed(1, scales).forEach(k -> drawn.add("scale " + k + "/" + scales));
    drawn.addAll(List.of("decode", "encode", "upload"));
    Set<String> expected = new TreeSet<>(STEPS_OF_ALL);
    expected.addAll(drawn);
    assertEquals(expected, new TreeSet<>(spans.keySet()));

    assertEquals("", spans.get("submit").parent());
    Map<String, String> parents =
        new HashMap<>(
            Map.of(
                "append", "submit", "enqueue", "append", "lease", "enqueue", "commit", "lease",
                "deliver", "commit"));
    drawn.forEach(step -> parents.put(step, "lease"));
    parents.forEach(
        (step, parent) -> assertEquals(spans.get(parent).id(), spans.get(step).parent(), step));
    assertEquals(List.of(process.named()), spans.get("lease").links());
    assertEquals(List.of(spans.get("lease").named()), process.links());
    assertEquals("", process.parent());

    assertEquals("bitloom-client", spans.get("submit").service());
    assertEquals("bitloom-coordinator", spans.get("append").service());
    assertEquals("bitloom-worker", spans.get("text").service());
    assertEquals("store", spans.get("upload").attributes().get("bitloom.target"));
    assertEquals("1", spans.get("scale 1/" + scales).attributes().get("bitloom.tokens"));
    assertEquals("demo", process.attributes().get("gen_ai.request.model"));
    assertTrue(all.stream().noneMatch(Received::failed));
    assertTrue(all.stream().noneMatch(span -> span.toString().contains("fox")));
    order(spans, drawn, process);
  }

  /** All on one machine, so that there is one clock. */
  private static void order(Map<String, Received> spans, List<String> drawn, Received process) {
    assertTrue(spans.get("submit").start() <= spans.get("append").start());
    assertTrue(spans.get("append").end() <= spans.get("submit").end());
    List<String> order = new ArrayList<>(List.of("append", "enqueue"));
    for (int i = 1; i < order.size(); i++) {
      assertFollows(spans.get(order.get(i - 1)), spans.get(order.get(i)));
    }
    assertEquals(spans.get("enqueue").start(), spans.get("lease").start());
    assertFollows(spans.get("lease"), spans.get("text"));
    assertTrue(spans.get("lease").end() <= process.start());
    for (int i = 1; i < drawn.size(); i++) {
      assertFollows(spans.get(drawn.get(i - 1)), spans.get(drawn.get(i)));
    }
    assertFollows(spans.get("upload"), spans.get("commit"));
    assertTrue(spans.get("commit").start() <= spans.get("deliver").start());
    assertTrue(process.start() <= spans.get("text").start());
    assertTrue(spans.get("decode").end() <= process.end());
  }

  private static void assertFollows(Received first, Received second) {
    assertTrue(first.end() <= second.start(), () -> second + " does not follow " + first);
  }

  private static void severalPrompts(List<Received> all) {
    List<Received> batches = named(all, "process demo");
    List<Received> leases = named(all, "lease");
    assertEquals(5, leases.size());
    Map<String, Received> byName =
        batches.stream().collect(Collectors.toMap(Received::named, Function.identity()));
    for (Received lease : leases) {
      Received batch = byName.get(lease.links().get(0));
      assertTrue(batch.links().contains(lease.named()));
      assertEquals(
          Integer.toString(batch.links().size()),
          batch.attributes().get("messaging.batch.message_count"));
    }
    assertTrue(batches.stream().anyMatch(batch -> batch.links().size() > 1));
  }

  @Test
  void nothingOfOpenTelemetryIsLoadedUnlessItIsAskedFor() throws Exception {
    Map<String, String> watched =
        Map.of(
            "BITLOOM_JAVA_OPTS",
            "-XX:TieredStopAtLevel=1 -Xlog:class+load:file=" + folder + "/classes-%p.log");
    try (TestCluster cluster = TestCluster.start(folder, List.of(), watched, watched)) {
      submit(cluster, 1, watched);
    }
    try (var files = Files.list(folder)) {
      List<Path> logs =
          files.filter(file -> file.getFileName().toString().startsWith("classes-")).toList();
      assertEquals(3, logs.size());
      for (Path log : logs) {
        String loaded = Files.readString(log);
        assertTrue(loaded.contains("io.bitloom.common.trace.Tracing "));
        assertFalse(loaded.contains("io.opentelemetry"), () -> log + " names OpenTelemetry");
      }
    }
  }
}
