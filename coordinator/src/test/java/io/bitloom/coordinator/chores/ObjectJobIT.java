package io.bitloom.coordinator.chores;

import static io.bitloom.coordinator.TestCoordinator.awaitTrue;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.airlift.compress.zstd.ZstdOutputStream;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.grpc.GrpcErrors;
import io.bitloom.common.results.ImageName;
import io.bitloom.coordinator.CoordinatorProcess;
import io.bitloom.coordinator.FakeBehaviour;
import io.bitloom.coordinator.FakeWorker;
import io.bitloom.coordinator.TestCoordinator;
import io.bitloom.coordinator.config.AccessConfig;
import io.bitloom.coordinator.config.InputConfig;
import io.bitloom.coordinator.config.LimitsConfig;
import io.bitloom.coordinator.config.ResultsConfig;
import io.bitloom.coordinator.config.S3Server;
import io.bitloom.coordinator.redis.TestRedis;
import io.bitloom.coordinator.results.TestS3;
import io.bitloom.v1.BadInputLine;
import io.bitloom.v1.BatchServiceGrpc;
import io.bitloom.v1.CreateJobRequest;
import io.bitloom.v1.GetJobRequest;
import io.bitloom.v1.InputPhase;
import io.bitloom.v1.Job;
import io.bitloom.v1.JobInput;
import io.bitloom.v1.JobState;
import io.bitloom.v1.PromptResult;
import io.grpc.ManagedChannel;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.IntFunction;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Jobs whose prompts are in objects of an S3 server. */
class ObjectJobIT {

  private static final FakeBehaviour WORKER =
      FakeBehaviour.DEFAULT.withImageBytes(200).withBatch(64, Duration.ofMillis(1));
  private static final LimitsConfig LIMITS = LimitsConfig.DEFAULTS;
  private static final IntFunction<String> LINE =
      i ->
          String.format(
              Locale.ROOT,
              "{\"custom_id\": \"p%d\", \"prompt\": \"picture %d\", \"size\": \"0.06M\"}%n",
              i,
              i);

  /** So many of them are more than a range of an object. */
  private static final int MANY = 900;

  private static final IntFunction<String> LONG_LINE =
      i -> LINE.apply(i).replace("picture", "picture " + "\u8a9e".repeat(3900));

  private static TestS3 s3;

  @TempDir private Path directory;
  private final List<AutoCloseable> parts = new ArrayList<>();

  @BeforeAll
  static void startS3() throws Exception {
    s3 = TestS3.start();
  }

  @AfterAll
  static void stopS3() throws Exception {
    s3.close();
  }

  @AfterEach
  void stop() throws Exception {
    for (int i = parts.size() - 1; i >= 0; i--) {
      parts.get(i).close();
    }
  }

  private <P extends AutoCloseable> P part(P part) {
    parts.add(part);
    return part;
  }

  private TestCoordinator start() throws IOException {
    return start(LIMITS, s3.endpoint(), 1 << 30, s3.results("jobs"));
  }

  private TestCoordinator start(LimitsConfig limits, URI endpoint, long mostBytes)
      throws IOException {
    return start(limits, endpoint, mostBytes, new ResultsConfig(false, Optional.empty()));
  }

  private TestCoordinator start(
      LimitsConfig limits, URI endpoint, long mostBytes, ResultsConfig results) throws IOException {
    InputConfig inputs =
        new InputConfig(
            List.of(
                InputConfig.place("s3://images/in"),
                InputConfig.place("s3://images/of/{tenant}/prompts")),
            mostBytes,
            S3Server.of(endpoint.toString(), "", true));
    return part(TestCoordinator.start(directory, AccessConfig.LOOPBACK, limits, results, inputs));
  }

  private static LimitsConfig limited(long queuedPrompts, int promptsPerSecond) {
    return LIMITS.ofTenant(
        LIMITS.jobBytes(),
        LIMITS.openJobs(),
        queuedPrompts,
        promptsPerSecond,
        LIMITS.queueBytes(),
        LIMITS.resultBytes());
  }

  private static byte[] lines(int count, IntFunction<String> line) {
    return IntStream.range(0, count)
        .mapToObj(line)
        .collect(Collectors.joining())
        .getBytes(StandardCharsets.UTF_8);
  }

  private static byte[] gzip(byte[] content) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (OutputStream out = new GZIPOutputStream(bytes)) {
      out.write(content);
    }
    return bytes.toByteArray();
  }

  private static byte[] zstd(byte[] content) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (OutputStream out = new ZstdOutputStream(bytes)) {
      out.write(content);
    }
    return bytes.toByteArray();
  }

  private static JobInput of(String key) {
    return JobInput.newBuilder().setUri("s3://images/" + key).build();
  }

  private static Job create(TestCoordinator coordinator, JobInput input) {
    return coordinator
        .batch()
        .createJob(
            CreateJobRequest.newBuilder()
                .setJob(Job.newBuilder().setInput(input))
                .setRequestId(UUID.randomUUID().toString())
                .build())
        .getJob();
  }

  private static Job awaitJob(TestCoordinator coordinator, Job job, Predicate<Job> condition)
      throws InterruptedException {
    Job[] now = new Job[1];
    try {
      awaitTrue(
          "the job is so",
          () -> {
            now[0] = coordinator.job(job.getName());
            return condition.test(now[0]) || now[0].hasEndTime();
          });
      assertTrue(condition.test(now[0]), "it ended");
    } catch (AssertionError e) {
      throw new AssertionError(now[0].toString(), e);
    }
    return now[0];
  }

  private static void assertDrawn(int count, List<PromptResult> results) {
    assertEquals(count, results.size());
    assertEquals(
        IntStream.range(0, count).mapToObj(i -> "p" + i).collect(Collectors.toSet()),
        results.stream().map(PromptResult::getCustomId).collect(Collectors.toSet()));
    assertTrue(results.stream().allMatch(PromptResult::hasImages));
  }

  @Test
  void promptsAreReadFromObjectsOfEveryFormAndOutcomesWrittenBesideTheImages() throws Exception {
    TestCoordinator coordinator = start();
    coordinator.worker("w", WORKER);
    byte[] plain = lines(120, LINE);
    s3.put("in/a.jsonl", plain);
    s3.put("in/a.jsonl.gz", gzip(plain));
    s3.put("in/a.jsonl.zst", zstd(plain));
    byte[] two = gzip(lines(60, LINE));
    byte[] others = gzip(lines(60, i -> LINE.apply(60 + i)));
    byte[] members = Arrays.copyOf(two, two.length + others.length);
    System.arraycopy(others, 0, members, two.length, others.length);
    s3.put("of/default/prompts/a b.jsonl.gz", members);
    byte[] table =
        lines(121, i -> i == 0 ? "Key;Text;Other\n" : "p" + (i - 1) + ";a fox " + i + ";7\n");
    s3.put("in/table.csv", table);

    List<Job> jobs = new ArrayList<>();
    for (String key :
        List.of(
            "in/a.jsonl", "in/a.jsonl.gz", "in/a.jsonl.zst", "of/default/prompts/a b.jsonl.gz")) {
      jobs.add(create(coordinator, of(key)));
    }
    jobs.add(
        create(
            coordinator,
            of("in/table.csv").toBuilder()
                .putAllColumns(Map.of("key", "custom_id", "Text", "prompt"))
                .build()));
    s3.put("in/table.parquet", parquet());
    jobs.add(
        create(
            coordinator,
            of("in/table.parquet").toBuilder()
                .putAllColumns(Map.of("key", "custom_id", "caption", "prompt", "seed", "seed"))
                .build()));
    for (Job job : jobs) {
      assertDrawn(120, coordinator.results(job.getName()));
      awaitTrue("files are written", () -> coordinator.job(job.getName()).hasOutput());
      Job done = coordinator.job(job.getName());
      assertEquals(JobState.JOB_STATE_SUCCEEDED, done.getState());
      assertEquals(InputPhase.INPUT_PHASE_DONE, done.getInputProgress().getPhase());
      assertEquals(120, done.getInputProgress().getPrompts());
      assertEquals(done.getInputProgress().getBytes(), done.getInputProgress().getBytesRead());
      assertManifest(done, 120);
    }
  }

  /** 120 rows: {@code key}, {@code caption}, {@code seed} and {@code picture}, by Snappy. */
  private static byte[] parquet() throws IOException {
    try (InputStream file = ObjectJobIT.class.getResourceAsStream("prompts.parquet")) {
      return file.readAllBytes();
    }
  }

  private static void assertManifest(Job job, int prompts) {
    String folder = "jobs/" + ImageName.folder(job.getName().substring("jobs/".length()));
    assertEquals("s3://images/" + folder + "/manifest.jsonl", job.getOutput().getManifestUri());
    String manifest = new String(s3.get(folder + "/manifest.jsonl"), StandardCharsets.UTF_8);
    List<JsonObject> lines =
        manifest.lines().map(line -> JsonParser.parseString(line).getAsJsonObject()).toList();
    assertEquals(
        prompts, lines.stream().map(line -> line.get("offset").getAsLong()).distinct().count());
    assertEquals(prompts, lines.size());
    JsonObject first = lines.get(0);
    assertEquals(
        first.get("size_bytes").getAsLong(),
        s3.get(folder + "/" + first.get("file").getAsString()).length);
    JsonObject described =
        JsonParser.parseString(new String(s3.get(folder + "/job.json"), StandardCharsets.UTF_8))
            .getAsJsonObject();
    assertEquals(job.getName(), described.get("name").getAsString());
  }

  @Test
  void badLinesAreNamedAndNothingIsQueued() throws Exception {
    TestCoordinator coordinator = start();
    coordinator.announce("fake", "0.06M");
    s3.put("in/bad.jsonl", lines(3000, i -> i == 2998 ? LINE.apply(0) : LINE.apply(i)));

    Job job = create(coordinator, of("in/bad.jsonl"));

    Job failed = awaitJob(coordinator, job, now -> now.getState() == JobState.JOB_STATE_FAILED);
    assertEquals(0, failed.getCounts().getAppended());
    assertEquals(InputPhase.INPUT_PHASE_REFUSED, failed.getInputProgress().getPhase());
    assertEquals(1, failed.getInputProgress().getBadLines());
    BadInputLine line = failed.getInputProgress().getViolations(0);
    assertEquals(2999, line.getLine());
    assertEquals("custom_id", line.getField());
    assertTrue(line.getDescription().contains("line 1"), line.getDescription());
    assertTrue(
        failed.getInputProgress().getError().contains("has bad lines (1)"), failed.toString());
  }

  @Test
  void whatIsNoFileOfPromptsEndsTheJobWithOneSentence() throws Exception {
    TestCoordinator coordinator = start(LIMITS, s3.endpoint(), 1 << 20);
    coordinator.announce("fake", "0.06M");
    s3.put("in/bomb.jsonl.gz", gzip(" ".repeat(3 << 20).getBytes(StandardCharsets.UTF_8)));
    s3.put("in/large.jsonl", new byte[(1 << 20) + 1]);
    s3.put("in/cut.jsonl.gz", Arrays.copyOf(gzip(lines(900, LINE)), 500));
    s3.put("in/empty.txt", new byte[0]);
    Map<String, String> errors =
        Map.of(
            "in/bomb.jsonl.gz", "has more than 1048576 bytes when it is uncompressed",
            "in/large.jsonl", "has 1048577 bytes, more than 1048576",
            "in/cut.jsonl.gz", "cannot be uncompressed",
            "in/empty.txt", "has no prompts",
            "in/nothing.txt", "is not there");
    for (Map.Entry<String, String> object : errors.entrySet()) {
      Job job = create(coordinator, of(object.getKey()));
      Job failed = awaitJob(coordinator, job, now -> now.getState() == JobState.JOB_STATE_FAILED);
      String error = failed.getInputProgress().getError();
      assertTrue(error.contains(object.getValue()), error);
      assertEquals(0, failed.getCounts().getAppended());
    }
  }

  @Test
  void objectsThatAreNotAllowedAreNotRead() throws Exception {
    TestCoordinator coordinator = start();
    coordinator.announce("fake", "0.06M");
    for (String key : List.of("jobs/x", "inner/x", "of/other/prompts/x", "of/default/x")) {
      assertEquals(ErrorCode.PERMISSION_DENIED, refusal(coordinator, of(key)).code(), key);
    }
    for (String uri :
        List.of(
            "", "x", "http://h/x", "s3://images/in/../jobs/x", "s3://images/in//x", "s3://i/")) {
      BitloomException refused = refusal(coordinator, JobInput.newBuilder().setUri(uri).build());
      assertEquals("job.input.uri", refused.violations().get(0).field(), uri);
    }
    BitloomException format = refusal(coordinator, of("in/x").toBuilder().setFormat("xml").build());
    assertEquals("job.input.format", format.violations().get(0).field());
    BitloomException column =
        refusal(coordinator, of("in/x.csv").toBuilder().putColumns("a", "colour").build());
    assertEquals("job.input.columns[a]", column.violations().get(0).field());
  }

  private static BitloomException refusal(TestCoordinator coordinator, JobInput input) {
    return GrpcErrors.fromStatus(
        assertThrows(RuntimeException.class, () -> create(coordinator, input)));
  }

  @Test
  void aJobOfAnObjectTakesNoOtherPromptsAndWaitsWhereALimitIsReached() throws Exception {
    TestCoordinator coordinator = start(limited(550, 1_000_000), s3.endpoint(), 1 << 30);
    coordinator.announce("fake", "0.06M");
    s3.put("in/many.jsonl.gz", gzip(lines(700, LINE)));

    Job job = create(coordinator, of("in/many.jsonl.gz"));

    awaitJob(
        coordinator, job, now -> now.getInputProgress().getObstacle().contains("queued-prompts"));
    BitloomException append =
        assertThrows(
            BitloomException.class,
            () -> coordinator.append(job.getName(), 512, TestCoordinator.prompts(1)));
    assertEquals(ErrorCode.JOB_NOT_ACCEPTING, append.code());
    BitloomException seal =
        GrpcErrors.fromStatus(
            assertThrows(RuntimeException.class, () -> coordinator.seal(job.getName())));
    assertEquals(ErrorCode.JOB_NOT_ACCEPTING, seal.code());
    coordinator.worker("w", WORKER);
    assertDrawn(700, coordinator.results(job.getName()));
  }

  @Test
  void anObjectThatChangesIsNotMixedWithItself() throws Exception {
    TestCoordinator coordinator = start(limited(1_000_000, 300), s3.endpoint(), 1 << 30);
    coordinator.announce("fake", "0.06M");
    s3.put("in/changing.jsonl", lines(MANY, LONG_LINE));

    Job job = create(coordinator, of("in/changing.jsonl"));
    awaitJob(coordinator, job, now -> now.getCounts().getAppended() > 0);
    s3.put("in/changing.jsonl", lines(MANY, i -> LONG_LINE.apply(i + 1)));

    Job failed = awaitJob(coordinator, job, now -> now.getState() == JobState.JOB_STATE_FAILED);
    String error = failed.getInputProgress().getError();
    assertTrue(error.contains("changed while it was read"), error);
    assertEquals(failed.getCounts().getAppended(), failed.getCounts().getCancelled());
  }

  @Test
  void aConnectionThatBreaksCostsARange() throws Exception {
    s3.put("in/long.jsonl", lines(MANY, LONG_LINE));
    BrokenLine line = part(new BrokenLine(s3.endpoint(), 9 << 20));
    TestCoordinator coordinator = start(LIMITS, line.endpoint(), 1 << 30);
    coordinator.worker("w", WORKER);

    Job job = create(coordinator, of("in/long.jsonl"));

    Job waiting =
        awaitJob(coordinator, job, now -> !now.getInputProgress().getObstacle().isEmpty());
    assertTrue(
        waiting.getInputProgress().getObstacle().contains("cannot be read now"),
        waiting.toString());
    line.mend();
    assertDrawn(MANY, coordinator.results(job.getName()));
  }

  @Test
  void anotherCoordinatorGoesOnWhereOneWasKilled() throws Exception {
    s3.put("in/killed.jsonl.gz", gzip(lines(1200, LINE)));
    s3.put("in/killed.jsonl", lines(MANY, LONG_LINE));
    String namespace = "test-" + UUID.randomUUID();
    BrokenLine line = part(new BrokenLine(s3.endpoint(), 9 << 20));
    CoordinatorProcess first = part(process(namespace, line.endpoint(), "--queued-prompts=550"));
    String target = target(first);
    ManagedChannel channel = channel(target);
    try (FakeWorker announcer = FakeWorker.start(target, "announcer", WORKER)) {
      awaitTrue("the model is known", () -> announcer.welcomes() > 0);
    }

    // One breaks off while it is appended, the other while it is checked.
    Job appended = create(channel, of("in/killed.jsonl.gz"));
    awaitTrue(
        "a limit is reached",
        () -> job(channel, appended).getInputProgress().getObstacle().contains("queued-prompts"));
    Job checked = create(channel, of("in/killed.jsonl"));
    awaitTrue(
        "the line is broken",
        () -> !job(channel, checked).getInputProgress().getObstacle().isEmpty());
    assertEquals(512, job(channel, appended).getCounts().getAppended());
    assertEquals(
        InputPhase.INPUT_PHASE_CHECKING, job(channel, checked).getInputProgress().getPhase());
    first.process().destroyForcibly().waitFor();
    channel.shutdownNow();
    line.mend();

    CoordinatorProcess second = part(process(namespace, line.endpoint()));
    String other = target(second);
    part(FakeWorker.start(other, "v", WORKER));
    ManagedChannel again = channel(other);
    for (Job job : List.of(appended, checked)) {
      awaitTrue("it is done", () -> job(again, job).getState() == JobState.JOB_STATE_SUCCEEDED);
    }
    assertEquals(1200, job(again, appended).getCounts().getAppended());
    assertEquals(MANY, job(again, checked).getCounts().getAppended());
  }

  private CoordinatorProcess process(String namespace, URI endpoint, String... options)
      throws IOException {
    List<String> all = new ArrayList<>(CoordinatorProcess.usualOptions(directory));
    all.addAll(
        List.of(
            "--redis=" + TestRedis.uri(),
            "--redis-namespace=" + namespace,
            "--lease-duration=3s",
            "--heartbeat-interval=500ms",
            "--reconnect-grace=1s",
            "--no-fsync-results",
            "--input=s3://images/in",
            "--s3-endpoint=" + endpoint,
            "--s3-path-style"));
    all.addAll(List.of(options));
    return CoordinatorProcess.launch(directory, s3.jvmOptions(), all);
  }

  private static String target(CoordinatorProcess process) throws Exception {
    return "127.0.0.1:" + process.ports().get("grpc").getAsInt();
  }

  private ManagedChannel channel(String target) {
    ManagedChannel channel = NettyChannelBuilder.forTarget(target).usePlaintext().build();
    part(channel::shutdownNow);
    return channel;
  }

  private static Job create(ManagedChannel channel, JobInput input) {
    return BatchServiceGrpc.newBlockingStub(channel)
        .createJob(CreateJobRequest.newBuilder().setJob(Job.newBuilder().setInput(input)).build())
        .getJob();
  }

  private static Job job(ManagedChannel channel, Job job) {
    return BatchServiceGrpc.newBlockingStub(channel)
        .getJob(GetJobRequest.newBuilder().setName(job.getName()).build())
        .getJob();
  }
}
