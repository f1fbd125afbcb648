package io.bitloom.loadtests.chaos;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.coordinator.redis.RedisServers;
import io.bitloom.loadtests.process.CoordinatorProcess;
import io.bitloom.loadtests.process.Distribution;
import io.bitloom.loadtests.process.FakeWorkerProcess;
import io.bitloom.v1.BatchServiceGrpc;
import io.bitloom.v1.BatchServiceGrpc.BatchServiceBlockingStub;
import io.bitloom.v1.CancelJobRequest;
import io.bitloom.v1.CreateJobRequest;
import io.bitloom.v1.GetJobRequest;
import io.bitloom.v1.Job;
import io.bitloom.v1.ListJobsRequest;
import io.bitloom.v1.ListModelsRequest;
import io.bitloom.v1.PauseJobRequest;
import io.bitloom.v1.PromptResult;
import io.bitloom.v1.ResumeJobRequest;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.lettuce.core.RedisClient;
import io.lettuce.core.api.sync.RedisCommands;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/** A coordinator of the version before is replaced by one of now while jobs are being drawn. */
class RollingUpgradeIT {

  private static final int PROMPTS = 300;
  private static final long PATIENCE_NANOS = TimeUnit.MINUTES.toNanos(3);

  /** Longer than a coordinator waits for older ones to come back before it upgrades. */
  private static final long LONGER_THAN_QUIET_MS = 14_000;

  private static final String INDEX = "bitloom:{index}:";

  @TempDir Path folder;

  private final List<AutoCloseable> parts = new ArrayList<>();
  private Distribution older;
  private String redisUri;
  private RedisCommands<String, String> redis;

  @AfterEach
  void stop() throws Exception {
    for (int i = parts.size() - 1; i >= 0; i--) {
      parts.get(i).close();
    }
  }

  private <T extends AutoCloseable> T part(T part) {
    parts.add(part);
    return part;
  }

  private void startRedis() throws Exception {
    int port = RedisServers.freePort();
    RedisServers servers = part(new RedisServers(folder));
    servers.start(port, List.of("appendonly yes", "appendfsync everysec"));
    redisUri = "redis://127.0.0.1:" + port;
    RedisClient client = RedisClient.create(redisUri);
    part(client::shutdown);
    redis = client.connect().sync();
  }

  private CoordinatorProcess coordinator(Distribution version, String name, int port)
      throws Exception {
    CoordinatorProcess started =
        part(
            CoordinatorProcess.start(
                version,
                folder,
                name,
                port,
                List.of(
                    "--redis=" + redisUri,
                    "--lease-duration=4s",
                    "--heartbeat-interval=1s",
                    "--reconnect-grace=1s",
                    "--max-attempts=100",
                    "--no-fsync-results")));
    started.awaitReady();
    return started;
  }

  /** All workers are older ones, which every coordinator serves. */
  private FakeWorkerProcess worker(String id, String targets) throws Exception {
    return part(
        FakeWorkerProcess.start(
            older,
            folder,
            id,
            List.of(
                "--coordinator=" + targets,
                "--batch-time=15ms",
                "--failure-rate=0.01",
                "--refusal-rate=0.02",
                "--seed=" + parts.size())));
  }

  private PatientClient client(String... targets) {
    return part(new PatientClient(Arrays.asList(targets), "nobody asks for it"));
  }

  private BatchServiceBlockingStub stub(CoordinatorProcess coordinator) {
    ManagedChannel channel =
        NettyChannelBuilder.forTarget(coordinator.target()).usePlaintext().build();
    part(channel::shutdownNow);
    return BatchServiceGrpc.newBlockingStub(channel);
  }

  private static String submit(PatientClient client, String name) throws Exception {
    TenantPrompts.Tenant tenant = new TenantPrompts.Tenant(name, 1, "");
    return client.submit(name, new TenantPrompts(tenant, PROMPTS).all());
  }

  private static void await(String what, Callable<Boolean> condition) throws Exception {
    long end = System.nanoTime() + PATIENCE_NANOS;
    while (!condition.call()) {
      assertTrue(System.nanoTime() < end, "waited for " + what);
      Thread.sleep(50);
    }
  }

  private static long decided(PatientClient client, String job) throws Exception {
    Job now = client.job(job);
    return now.getCounts().getSucceeded() + now.getCounts().getFailed();
  }

  /** Whatever one reads, the other reads the same or is further. */
  private static void readTheSame(PatientClient some, PatientClient other, String job)
      throws Exception {
    List<PromptResult> first = some.results(job);
    List<PromptResult> later = other.results(job);
    assertTrue(first.size() > 0, "no result of " + job);
    assertEquals(offsets(first), offsets(later).subList(0, first.size()));
  }

  private static List<Long> offsets(List<PromptResult> results) {
    return results.stream().map(PromptResult::getOffset).toList();
  }

  private static void hasOneOutcomeForEachPrompt(PatientClient client, String job)
      throws Exception {
    await(job + " to end", () -> client.job(job).hasEndTime());
    List<PromptResult> results = client.results(job);
    assertEquals(
        LongStream.range(0, client.job(job).getCounts().getAppended()).boxed().toList(),
        offsets(results).stream().sorted().toList());
    Job ended = client.job(job);
    assertEquals(
        results.stream().filter(PromptResult::hasImages).count(), ended.getCounts().getSucceeded());
    assertEquals(results.size(), ended.getCounts().getSucceeded() + ended.getCounts().getFailed());
  }

  private String key(String job, String name) {
    return "bitloom:{j:" + job.substring("jobs/".length()) + "}:" + name;
  }

  private static void assertRefused(Executable call) {
    StatusRuntimeException refused = assertThrows(StatusRuntimeException.class, call);
    assertEquals(Status.Code.INTERNAL, refused.getStatus().getCode(), refused::toString);
  }

  @Test
  void jobsGoOnWhileCoordinatorsAreReplacedAndAnOlderOneThatComesBackDoesNothing()
      throws Exception {
    older = OlderVersion.built();
    startRedis();

    // One coordinator of before
    CoordinatorProcess before = coordinator(older, "before", 0);
    int portOfNow = RedisServers.freePort();
    String both = before.target() + ",127.0.0.1:" + portOfNow;
    worker("worker-0", both);
    worker("worker-1", both);
    PatientClient clientOfBefore = client(before.target());
    clientOfBefore.awaitModel();
    String first = submit(clientOfBefore, "first");
    await("outcomes", () -> decided(clientOfBefore, first) > 50);

    // One of now beside it: both give out prompts, and read what the other's workers drew
    CoordinatorProcess now = coordinator(Distribution.here(), "now", portOfNow);
    FakeWorkerProcess onlyNow = worker("worker-2", now.target());
    PatientClient clientOfNow = client(now.target());
    String second = submit(clientOfNow, "second");
    String third = submit(clientOfBefore, "third");
    await("outcomes of both", () -> decided(clientOfNow, second) > 50);
    readTheSame(clientOfNow, clientOfBefore, first);
    readTheSame(clientOfBefore, clientOfNow, second);
    Thread.sleep(LONGER_THAN_QUIET_MS);
    assertNull(redis.get(INDEX + "version"));
    assertEquals("list", redis.type(key(second, "results")));
    hasOneOutcomeForEachPrompt(clientOfBefore, first);
    String fourth = submit(clientOfNow, "fourth");

    // The older one is stopped in the middle of a job, and the data are upgraded
    await("outcomes", () -> decided(clientOfNow, fourth) > 50);
    BatchServiceBlockingStub stubOfNow = stub(now);
    stubOfNow.pauseJob(PauseJobRequest.newBuilder().setName(fourth).build());
    before.terminate();
    await("the upgrade", () -> "2".equals(redis.get(INDEX + "version")));
    stubOfNow.resumeJob(ResumeJobRequest.newBuilder().setName(fourth).build());
    hasOneOutcomeForEachPrompt(clientOfNow, second);
    String fifth = submit(clientOfNow, "fifth");
    await("outcomes", () -> decided(clientOfNow, fifth) > 50);
    assertEquals("none", redis.type(key(fifth, "results")));
    assertEquals("list", redis.type(key(fifth, "results:0")));

    // It is started again: it can do nothing, and says so
    CoordinatorProcess again = coordinator(older, "again", 0);
    worker("worker-3", again.target());
    BatchServiceBlockingStub stub = stub(again);
    assertRefused(() -> stub.listModels(ListModelsRequest.getDefaultInstance()));
    assertRefused(() -> stub.createJob(CreateJobRequest.getDefaultInstance()));
    assertRefused(() -> stub.getJob(GetJobRequest.newBuilder().setName(fifth).build()));
    assertRefused(() -> stub.cancelJob(CancelJobRequest.newBuilder().setName(fifth).build()));
    assertRefused(() -> stub.listJobs(ListJobsRequest.getDefaultInstance()));
    await("the warning of the one of now", () -> now.said().contains("is running, and can do"));
    String sixth = submit(clientOfNow, "sixth");
    onlyNow.kill(); // leases end beside the older one, too
    for (String job : List.of(first, second, third, fourth, fifth, sixth)) {
      hasOneOutcomeForEachPrompt(clientOfNow, job);
    }
    assertFalse(again.said().contains("worker-3 connected"), again.said());
    assertEquals("none", redis.type(key(sixth, "results")));
    assertEquals("2", redis.get(INDEX + "version"));
  }
}
