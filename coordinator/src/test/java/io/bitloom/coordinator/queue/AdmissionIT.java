package io.bitloom.coordinator.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.Exhausted;
import io.bitloom.coordinator.queue.upkeep.RunningQueue;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/** What a tenant may have is decided exactly, by whichever coordinator. */
class AdmissionIT extends QueueFixture {

  private static final String TENANT = "tenant";
  private static final long NO_LIMIT = TenantLimits.NONE.bytes();

  private static TenantLimits prompts(long most) {
    return new TenantLimits(1000, most, NO_LIMIT, NO_LIMIT);
  }

  private static TenantLimits bytes(long most) {
    return new TenantLimits(1000, NO_LIMIT, most, NO_LIMIT);
  }

  private CompletionStage<TenantUse> reserve(
      JobQueue by, String jobId, long offset, int count, long bytes, TenantLimits limits) {
    return by.prompts().reserve(TENANT, jobId, offset, count, bytes, limits);
  }

  private boolean admitted(String jobId, long offset, int count, long most) {
    return refusal(() -> reserve(queue, jobId, offset, count, 0, prompts(most))).isEmpty();
  }

  private static Optional<Exhausted> refusal(Supplier<CompletionStage<?>> call) {
    try {
      await(call.get());
      return Optional.empty();
    } catch (BitloomException e) {
      return Optional.of(e.exhausted().orElseThrow());
    }
  }

  @Test
  void twoCoordinatorsTogetherLetInNoMoreThanTheLimit() {
    List<String> jobIds = List.of(newJob(), newJob(), newJob());
    try (JobQueue other = new RunningQueue(redis, settings)) {
      List<CompletionStage<Boolean>> calls = new ArrayList<>();
      for (int i = 0; i < 40; i++) {
        for (JobQueue either : List.of(queue, other)) {
          String jobId = jobIds.get(calls.size() % jobIds.size());
          long offset = calls.size() / jobIds.size() * 10L;
          calls.add(
              reserve(either, jobId, offset, 10, 0, prompts(305))
                  .handle((done, refused) -> refused == null));
        }
      }
      assertEquals(30, calls.stream().filter(call -> await(call)).count());
    }
  }

  @Test
  void whatIsAskedForAgainIsReservedOnce() {
    String jobId = newJob();
    assertTrue(admitted(jobId, 0, 60, 100));
    assertTrue(admitted(jobId, 0, 60, 100));
    append(jobId, 0, 60, SQUARE);
    assertTrue(admitted(jobId, 60, 40, 100));
    assertFalse(admitted(jobId, 100, 1, 100));
  }

  @Test
  void aGapIsNotReserved() {
    String jobId = newJob();
    assertTrue(admitted(jobId, 4_000_000, 10, 100));
    assertTrue(admitted(newJob(), 0, 90, 100));
  }

  @Test
  void outcomesAndEndedJobsMakeRoom() throws InterruptedException {
    String jobId = sealedJob(50, SQUARE);
    String next = newJob();
    awaitTrue("noted", () -> used("prompts") == 50);
    assertFalse(admitted(next, 0, 60, 100));
    succeed(lease(SQUARE, 20));
    awaitTrue("outcomes are noted", () -> used("prompts") == 30);
    assertTrue(admitted(next, 0, 60, 100));
    drain(jobId, SQUARE);
    awaitTrue("the other job has ended", () -> admitted(next, 60, 40, 100));
    assertFalse(admitted(next, 100, 1, 100));
  }

  @Test
  void bytesCountUntilTheirJobIsDeletedAndEveryRefusalSaysHowMany() throws InterruptedException {
    String jobId = sealedJob(50, SQUARE);
    drain(jobId, SQUARE);
    awaitTrue("the job has ended", () -> await(redis.call(r -> r.zcard(keys.endedJobs()))) == 1);
    long takes = used("bytes");
    String next = newJob();
    long base = used("bytes") - takes;
    TenantLimits limits = bytes(takes + base + 100);
    Exhausted refused = refusal(() -> reserve(queue, next, 0, 1, 101, limits)).orElseThrow();
    assertEquals(
        new Exhausted(
            "tenants/tenant", "queue_bytes", limits.bytes(), takes + base, refused.retryAfter()),
        refused);
    assertTrue(refusal(() -> reserve(queue, next, 0, 1, 100, limits)).isEmpty());

    await(queue.jobs().delete(jobId, id -> CompletableFuture.completedStage(null)));
    assertEquals(base + 100, used("bytes"));
    assertTrue(refusal(() -> reserve(queue, next, 1, 1, takes, limits)).isEmpty());
  }

  @Test
  void aJobThatItsTenantMayNotHaveIsNotListed() {
    long one = StoredBytes.ofJob(bytes("spec"));
    List<NewJob> jobs = new ArrayList<>();
    for (TenantLimits limits :
        List.of(
            new TenantLimits(1, NO_LIMIT, NO_LIMIT, NO_LIMIT),
            new TenantLimits(9, NO_LIMIT, 2 * one - 1, NO_LIMIT),
            new TenantLimits(9, NO_LIMIT, NO_LIMIT, 0))) {
      jobs.add(
          new NewJob(
              TENANT,
              "",
              1,
              5,
              bytes("spec"),
              Optional.empty(),
              limits,
              NewJob.First.NONE,
              false,
              false));
    }
    newJob();
    assertEquals(
        List.of("open_jobs", "queue_bytes", "result_bytes"),
        jobs.stream()
            .map(job -> refusal(() -> queue.jobs().create(job)).orElseThrow().limit())
            .toList());
    assertEquals(1L, await(redis.call(r -> r.zcard(keys.jobs()))).longValue());
    assertEquals(one, used("bytes"));
  }

  @Test
  void aJobTakesNoMorePromptsThanItsOwnLimit() {
    String jobId = newJob();
    List<NewPrompt> prompts = List.of(new NewPrompt(SQUARE, 1, payload(0)));
    long most = StoredBytes.ofJob(bytes("spec")) + StoredBytes.of(prompts);
    await(queue.prompts().append(jobId, 0, prompts, most));
    BitloomException refused =
        assertThrows(
            BitloomException.class, () -> await(queue.prompts().append(jobId, 1, prompts, most)));
    assertEquals("job_bytes", refused.exhausted().orElseThrow().limit());
    assertEquals(most, refused.exhausted().orElseThrow().used());
    assertEquals(1, job(jobId).counts().appended());
  }

  private long used(String field) {
    return used(TENANT, field);
  }
}
