package io.bitloom.coordinator.jobs;

import static io.bitloom.coordinator.TestCoordinator.awaitTrue;
import static io.bitloom.coordinator.TestCoordinator.prompts;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.error.Exhausted;
import io.bitloom.common.grpc.GrpcErrors;
import io.bitloom.coordinator.FakeBehaviour;
import io.bitloom.coordinator.TestCoordinator;
import io.bitloom.coordinator.config.AccessConfig;
import io.bitloom.coordinator.config.LimitsConfig;
import io.bitloom.v1.CreateJobRequest;
import io.bitloom.v1.GenerateRequest;
import io.bitloom.v1.Job;
import io.bitloom.v1.ListJobsRequest;
import io.bitloom.v1.Prompt;
import io.bitloom.v1.ReplayJobRequest;
import io.grpc.Status;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/** No way into the queue leads past the limits. */
class QuotasIT {

  private static final LimitsConfig DEFAULTS = LimitsConfig.DEFAULTS;

  @TempDir Path directory;
  private TestCoordinator coordinator;

  private void start(LimitsConfig limits) throws Exception {
    coordinator = TestCoordinator.start(directory, AccessConfig.LOOPBACK, limits, Optional.empty());
    coordinator.announce("fake", "0.06M");
  }

  @AfterEach
  void stop() {
    coordinator.close();
  }

  private static LimitsConfig tenant(long jobBytes, int rate, long queueBytes, long resultBytes) {
    return DEFAULTS.ofTenant(
        jobBytes, DEFAULTS.openJobs(), DEFAULTS.queuedPrompts(), rate, queueBytes, resultBytes);
  }

  private static Exhausted refused(Executable call) {
    RuntimeException error = assertThrows(RuntimeException.class, call);
    BitloomException known = GrpcErrors.fromStatus(error);
    assertEquals(ErrorCode.LIMIT_EXCEEDED, known.code(), known.getMessage());
    assertEquals(Status.Code.RESOURCE_EXHAUSTED, GrpcErrors.status(known.code()));
    return known.exhausted().orElseThrow();
  }

  private String replay(String job) {
    return coordinator
        .batch()
        .replayJob(ReplayJobRequest.newBuilder().setName(job).setIncludeCancelled(true).build())
        .getJob()
        .getName();
  }

  @Test
  void whoeverCancelsAndReplaysInALoopIsStoppedAtTheLimit() throws Exception {
    long most = 256 << 10;
    start(tenant(DEFAULTS.jobBytes(), DEFAULTS.promptsPerSecond(), most, DEFAULTS.resultBytes()));
    String[] last = {coordinator.submit(prompts(1)).getName()};
    int[] rounds = {0};
    Exhausted limit =
        refused(
            () -> {
              for (; rounds[0] < 10_000; rounds[0]++) {
                coordinator.cancel(last[0]);
                last[0] = replay(last[0]);
              }
            });
    assertEquals("queue_bytes", limit.limit());
    assertEquals(most, limit.value());
    assertTrue(limit.used() > most - (10 << 10) && limit.used() <= most, limit.toString());
    assertTrue(rounds[0] > 0);
    assertEquals("queue_bytes", refused(coordinator::newJob).limit());
    assertEquals("queue_bytes", refused(this::generate).limit());
    try (TestCoordinator second = coordinator.second()) {
      assertEquals(limit.used(), refused(second::newJob).used());
    }
  }

  private void generate() {
    GenerateRequest fox =
        GenerateRequest.newBuilder().setPrompt(Prompt.newBuilder().setPrompt("a fox")).build();
    coordinator.batch().generate(fox).forEachRemaining(answer -> {});
  }

  @Test
  void aReplayThatIsTooFastGoesOnWhereItWasRefused() throws Exception {
    int rate = 300;
    start(tenant(DEFAULTS.jobBytes(), rate, DEFAULTS.queueBytes(), DEFAULTS.resultBytes()));
    Job old = coordinator.submit(prompts(900));
    coordinator.cancel(old.getName());
    int[] refusals = {0};
    awaitTrue(
        "replayed",
        () -> {
          try {
            replay(old.getName());
            return true;
          } catch (RuntimeException e) {
            assertEquals("prompts_per_second", refused(() -> rethrow(e)).limit());
            refusals[0]++;
            return false;
          }
        });
    assertTrue(refusals[0] > 0);
    assertEquals(900, coordinator.job(replay(old.getName())).getCounts().getAppended());
  }

  private static void rethrow(RuntimeException e) {
    throw e;
  }

  @Test
  void aJobIsNotMadeLargerThanItsLimit() throws Exception {
    start(
        tenant(
            8 << 10, DEFAULTS.promptsPerSecond(), DEFAULTS.queueBytes(), DEFAULTS.resultBytes()));
    String name = coordinator.newJob().getName();
    coordinator.append(name, 0, prompts(5));
    Exhausted limit = refused(() -> coordinator.append(name, 5, prompts(30)));
    assertEquals("job_bytes", limit.limit());
    assertEquals(name, limit.subject());
    assertEquals(5, coordinator.job(name).getCounts().getAppended());
  }

  @Test
  void whoHasAllTheImagesThatHeMayGetsNoMore() throws Exception {
    start(tenant(DEFAULTS.jobBytes(), DEFAULTS.promptsPerSecond(), DEFAULTS.queueBytes(), 100));
    coordinator.worker("w", FakeBehaviour.DEFAULT.withImageBytes(500));
    Job job = coordinator.submit(prompts(2));
    assertEquals(2, coordinator.results(job.getName()).size());
    Exhausted[] limit = new Exhausted[1];
    awaitTrue(
        "refused",
        () -> {
          try {
            coordinator.newJob();
            return false;
          } catch (RuntimeException e) {
            limit[0] = refused(() -> rethrow(e));
            return true;
          }
        });
    assertEquals("result_bytes", limit[0].limit());
    assertEquals(1000, limit[0].used());
  }

  @Test
  void aPromptAndASpecHaveALimitInBytes() throws Exception {
    start(
        new LimitsConfig(
            4000, 1000, 16, 1000, 1 << 20, 1000, 1_000_000, 1_000_000, 1 << 30, 1 << 30));
    String foxes = "🦊".repeat(240);
    String name = coordinator.newJob().getName();
    Prompt prompt = Prompt.newBuilder().setPrompt(foxes).build();
    RuntimeException error =
        assertThrows(RuntimeException.class, () -> coordinator.append(name, 0, List.of(prompt)));
    BitloomException tooLong = GrpcErrors.fromStatus(error);
    assertEquals(ErrorCode.INVALID_FIELD, tooLong.code());
    assertEquals("prompts[0].prompt", tooLong.violations().get(0).field());
    assertTrue(tooLong.getMessage().contains("prompt-bytes"), tooLong.getMessage());

    Job.Builder job = Job.newBuilder();
    job.getDefaultsBuilder().setNegativePrompt(foxes).setSize("0.06M");
    job.putLabels("a", "x".repeat(100));
    CreateJobRequest request = CreateJobRequest.newBuilder().setJob(job).build();
    RuntimeException tooLarge =
        assertThrows(RuntimeException.class, () -> coordinator.batch().createJob(request));
    BitloomException spec = GrpcErrors.fromStatus(tooLarge);
    assertEquals(ErrorCode.INVALID_FIELD, spec.code());
    assertTrue(spec.getMessage().contains("spec-bytes"), spec.getMessage());
    ListJobsRequest list = ListJobsRequest.getDefaultInstance();
    assertEquals(1, coordinator.batch().listJobs(list).getJobsCount());
  }
}
