package io.bitloom.coordinator.dispatch.worker;

import static io.bitloom.coordinator.TestCoordinator.prompts;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.trace.PromptTrace;
import io.bitloom.common.trace.SpanRef;
import io.bitloom.common.trace.Steps;
import io.bitloom.common.trace.Tracing;
import io.bitloom.coordinator.TestCoordinator;
import io.bitloom.coordinator.tracing.SpanReceiver;
import io.bitloom.coordinator.tracing.SpanReceiver.Received;
import io.bitloom.v1.CreateJobRequest;
import io.bitloom.v1.GenerateRequest;
import io.bitloom.v1.Job;
import io.bitloom.v1.Lease;
import io.bitloom.v1.StageTimes;
import io.bitloom.v1.TaskFailure;
import io.grpc.Metadata;
import io.grpc.stub.MetadataUtils;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a coordinator writes into the traces of prompts. */
class TracedPromptsIT {

  private static final String CALLER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

  @TempDir private Path directory;
  private SpanReceiver receiver;
  private TestCoordinator coordinator;

  @BeforeEach
  void start() throws Exception {
    receiver = SpanReceiver.start();
  }

  private void start(String ratio) throws Exception {
    coordinator =
        TestCoordinator.start(
            directory, Tracing.of("bitloom-coordinator", receiver.environment(ratio)));
    coordinator.announce("fake", "0.06M", "0.25M");
  }

  @AfterEach
  void stop() {
    coordinator.close();
    receiver.close();
  }

  private List<Received> awaitSpans(Job job, int count) throws InterruptedException {
    receiver.await(all -> of(all, job).size() >= count);
    return of(receiver.spans(), job);
  }

  private static List<Received> of(List<Received> spans, Job job) {
    return spans.stream()
        .filter(span -> job.getName().equals(span.attributes().get("bitloom.job")))
        .toList();
  }

  private static Received one(List<Received> spans, String name) {
    return all(spans, name).stream()
        .reduce(
            (one, other) -> {
              throw new AssertionError("two spans " + name + ": " + spans);
            })
        .orElseThrow(() -> new AssertionError("no " + name + " among " + spans));
  }

  private static List<Received> all(List<Received> spans, String name) {
    return spans.stream().filter(span -> span.name().equals(name)).toList();
  }

  @Test
  void aPromptThatFailedOnceHasTwoLeasesOfWhichTheSecondNamesTheFirst() throws Exception {
    start("1");
    Job job = coordinator.submit(prompts(1));
    ScriptedWorker worker = new ScriptedWorker(coordinator.channel()).welcome("w");
    assertEquals(1.0, worker.welcomed().getTraceRatio());
    Lease first = worker.lease();
    worker.report(
        ScriptedWorker.outcome(first, first.getTasks(0))
            .setFailure(TaskFailure.newBuilder().setReason("OUT_OF_MEMORY").setRetryable(true))
            .build());
    Lease second = worker.lease();
    worker.report(ScriptedWorker.drawn(second, second.getTasks(0), "x"));
    coordinator.results(job.getName());

    List<Received> spans = awaitSpans(job, 7);
    assertEquals(7, spans.size(), spans::toString);
    assertEquals(1, spans.stream().map(Received::trace).distinct().count());
    Received append = one(spans, Steps.APPEND);
    Received enqueue = one(spans, Steps.ENQUEUE);
    Received deliver = one(spans, Steps.DELIVER);
    List<Received> leases = all(spans, Steps.LEASE);
    List<Received> commits = all(spans, Steps.COMMIT);
    assertEquals("", append.parent());
    assertEquals(append.id(), enqueue.parent());
    assertEquals(Set.of(enqueue.id()), parents(leases));
    assertEquals(leases.get(0).id(), commits.get(0).parent());
    assertEquals(leases.get(1).id(), commits.get(1).parent());
    assertEquals(commits.get(1).id(), deliver.parent());
    assertTrue(leases.get(1).links().contains(leases.get(0).named()));
    assertEquals(List.of("1", "2"), values(leases, "bitloom.attempt"));
    assertEquals(List.of("retried", "committed"), values(commits, "bitloom.verdict"));
    assertTrue(commits.get(0).failed());
    assertEquals("OUT_OF_MEMORY", commits.get(0).attributes().get("error.type"));
    assertFalse(commits.get(1).failed());
    assertTrue(append.end() <= enqueue.start());
    assertEquals(enqueue.start(), leases.get(0).start());
    assertTrue(leases.get(0).end() <= commits.get(0).start());
    assertEquals(commits.get(0).end(), leases.get(1).start());
    assertTrue(commits.get(1).end() <= deliver.end());
    assertTrue(
        spans.stream().noneMatch(span -> span.toString().contains(prompts(1).get(0).getPrompt())));
  }

  private static Set<String> parents(List<Received> spans) {
    return spans.stream().map(Received::parent).collect(Collectors.toSet());
  }

  private static List<String> values(List<Received> spans, String attribute) {
    return spans.stream().map(span -> span.attributes().get(attribute)).toList();
  }

  @Test
  void thePromptsOfALeaseLinkToItsBatchAndEveryReaderIsSeen() throws Exception {
    start("1");
    Job job = coordinator.submit(prompts(3));
    ScriptedWorker worker = new ScriptedWorker(coordinator.channel()).welcome("w");
    Lease lease = worker.lease();
    assertEquals(3, lease.getTasksCount());
    for (int i = 0; i < 3; i++) {
      worker.report(ScriptedWorker.drawn(lease, lease.getTasks(i), "x" + i));
    }
    coordinator.results(job.getName());
    coordinator.results(job.getName());

    List<Received> spans = awaitSpans(job, 18);
    assertEquals(18, spans.size());
    assertEquals(3, spans.stream().map(Received::trace).distinct().count());
    SpanRef batch = PromptTrace.ofLease(lease.getLeaseId()).span(Steps.PROCESS);
    String link = batch.traceId() + "/" + batch.spanId();
    for (Received leased : all(spans, Steps.LEASE)) {
      assertEquals(List.of(link), leased.links());
      assertEquals("3", leased.attributes().get("messaging.batch.message_count"));
    }
    Map<String, Long> readers =
        all(spans, Steps.DELIVER).stream()
            .collect(Collectors.groupingBy(Received::trace, Collectors.counting()));
    assertEquals(Set.of(2L), Set.copyOf(readers.values()));
  }

  @Test
  void aRatioTakesThePromptsThatEverybodyWouldTake() throws Exception {
    start("0.5");
    Job job = coordinator.newJob();
    coordinator.append(job.getName(), 0, prompts(64));
    PromptTrace.OfJob ofJob = PromptTrace.ofJob(job.getName());
    Tracing other = Tracing.of("another", receiver.environment("0.5"));
    Set<String> expected =
        java.util.stream.LongStream.range(0, 64)
            .filter(offset -> other.sampling().trace(ofJob, offset).isPresent())
            .mapToObj(Long::toString)
            .collect(Collectors.toSet());
    other.close();
    List<Received> appended = all(awaitSpans(job, 2 * expected.size()), Steps.APPEND);
    assertEquals(expected, Set.copyOf(values(appended, "bitloom.offset")));
  }

  @Test
  void aCallersSpanIsTheParentOfTheCallsAndALinkOfItsPrompts() throws Exception {
    start("1");
    Metadata headers = new Metadata();
    headers.put(Metadata.Key.of("traceparent", Metadata.ASCII_STRING_MARSHALLER), CALLER);
    var caller =
        coordinator.batch().withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers));
    caller.createJob(CreateJobRequest.getDefaultInstance());
    var generated =
        caller.generate(GenerateRequest.newBuilder().setPrompt(prompts(1).get(0)).build());
    Job job = generated.next().getJob();
    ScriptedWorker worker = new ScriptedWorker(coordinator.channel()).welcome("w");
    Lease lease = worker.lease();
    worker.report(ScriptedWorker.drawn(lease, lease.getTasks(0), "x"));
    generated.forEachRemaining(message -> {});

    List<Received> ofCall = receiver.await(spans -> ofCaller(spans).size() >= 2).stream().toList();
    for (Received call : ofCaller(ofCall)) {
      assertEquals("00f067aa0ba902b7", call.parent());
      assertEquals("grpc", call.attributes().get("rpc.system.name"));
      assertEquals("OK", call.attributes().get("rpc.status_code"));
    }
    assertEquals(
        Set.of("bitloom.v1.BatchService/CreateJob", "bitloom.v1.BatchService/Generate"),
        ofCaller(ofCall).stream().map(Received::name).collect(Collectors.toSet()));
    List<Received> spans = awaitSpans(job, 5);
    assertEquals(
        List.of("4bf92f3577b34da6a3ce929d0e0e4736/00f067aa0ba902b7"),
        one(spans, Steps.APPEND).links());
    assertTrue(
        Pattern.compile(
                "bitloom_rpc_seconds_bucket\\{method=\"bitloom.v1.BatchService/CreateJob\".*# "
                    + "\\{span_id=\"00f067aa0ba902b7\",trace_id=\"4bf92f3577b34da6a3ce929d0e0e4736\"\\}")
            .matcher(metrics("application/openmetrics-text"))
            .find());
  }

  private static List<Received> ofCaller(List<Received> spans) {
    return spans.stream()
        .filter(span -> span.trace().equals("4bf92f3577b34da6a3ce929d0e0e4736"))
        .toList();
  }

  @Test
  void histogramsNameTheTraceOfAMeasurement() throws Exception {
    start("1");
    Job job = coordinator.submit(prompts(1));
    ScriptedWorker worker = new ScriptedWorker(coordinator.channel()).welcome("w");
    Lease lease = worker.lease();
    StageTimes times =
        StageTimes.newBuilder()
            .setText(com.google.protobuf.Duration.newBuilder().setNanos(1_000_000))
            .build();
    worker.report(
        ScriptedWorker.drawn(lease, lease.getTasks(0), "x").toBuilder().setTimes(times).build());

    SpanRef leased =
        PromptTrace.ofJob(job.getName()).at(0).span(Steps.LEASE, lease.getFencingToken());
    String exemplar =
        "bitloom_stage_seconds_bucket\\{.*stage=\"text\".*# \\{span_id=\""
            + leased.spanId()
            + "\",trace_id=\""
            + leased.traceId()
            + "\"\\} 0\\.001 .*";
    assertTrue(
        Pattern.compile(exemplar).matcher(metrics("application/openmetrics-text")).find(),
        () -> exemplar);
    assertFalse(metrics("text/plain").contains("trace_id"));
    assertTrue(metrics("text/plain").contains("bitloom_trace_spans_total{fate=\"recorded\"}"));
  }

  private String metrics(String accepted) throws Exception {
    HttpResponse<String> page =
        HttpClient.newHttpClient()
            .send(
                HttpRequest.newBuilder(URI.create(coordinator.http("/metrics")))
                    .header("Accept", accepted)
                    .build(),
                HttpResponse.BodyHandlers.ofString());
    assertTrue(page.headers().firstValue("Content-Type").orElseThrow().startsWith(accepted));
    return page.body();
  }

  @Test
  void withoutAReceiverJobsEndAllTheSame() throws Exception {
    Map<String, String> nobody = receiver.environment("1");
    receiver.close();
    Tracing tracing = Tracing.of("bitloom-coordinator", nobody);
    coordinator = TestCoordinator.start(directory, tracing);
    coordinator.announce("fake", "0.06M");
    Job job = coordinator.submit(prompts(2));
    ScriptedWorker worker = new ScriptedWorker(coordinator.channel()).welcome("w");
    Lease lease = worker.lease();
    for (int i = 0; i < 2; i++) {
      worker.report(ScriptedWorker.drawn(lease, lease.getTasks(i), "x" + i));
    }
    assertEquals(2, coordinator.results(job.getName()).size());
    assertTrue(tracing.counts().recorded() >= 8);
    assertEquals(0, tracing.counts().exported());
  }
}
