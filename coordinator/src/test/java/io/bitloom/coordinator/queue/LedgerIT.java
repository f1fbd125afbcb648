package io.bitloom.coordinator.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.bitloom.coordinator.queue.redis.PromptGroups;
import io.bitloom.coordinator.queue.upkeep.RunningQueue;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** Whatever breaks off, and whoever notes it: the ledger comes to what the jobs say themselves. */
class LedgerIT extends QueueFixture {

  private static final String TENANT = "tenant";

  private JobQueue another() {
    return new RunningQueue(redis, withSweep(settings, Duration.ofMillis(100)));
  }

  private static List<NewPrompt> prompts(long offset, int count) {
    return LongStream.range(offset, offset + count)
        .mapToObj(i -> new NewPrompt(SQUARE, 1, payload(i)))
        .toList();
  }

  private void agrees() throws InterruptedException {
    agrees(TENANT);
  }

  @Test
  void anAppendThatNobodyNotedIsNotedByTheSweep() throws InterruptedException {
    String jobId = newJob();
    long before = used(TENANT, "bytes");
    List<NewPrompt> prompts = prompts(0, 40);
    await(jobs.append(jobId, 0, 40, PromptGroups.of(0, prompts), TenantLimits.NONE.bytes(), 1));
    assertEquals(before, used(TENANT, "bytes"));
    try (JobQueue other = another()) {
      awaitTrue("noted", () -> used(TENANT, "prompts") == 40);
      assertEquals(before + StoredBytes.of(prompts), used(TENANT, "bytes"));
    }
    agrees();
  }

  @Test
  void whatWasLetInAndNeverAppendedIsGoneWithItsJob() throws InterruptedException {
    String jobId = newJob();
    append(jobId, 0, 10, SQUARE);
    awaitTrue("noted", () -> used(TENANT, "prompts") == 10);
    await(queue.prompts().reserve(TENANT, jobId, 10, 90, 5000, TenantLimits.NONE));
    awaitTrue("counted", () -> used(TENANT, "prompts") == 100);
    await(queue.jobs().cancel(jobId));
    awaitTrue("ended", () -> used(TENANT, "prompts") == 0);
    await(queue.prompts().reserve(TENANT, jobId, 10, 90, 5000, TenantLimits.NONE));
    assertEquals(0, used(TENANT, "prompts"));
    agrees();
  }

  @Test
  void aJobThatWasListedAndNeverCreatedDoesNotCount() throws InterruptedException {
    NewJob job = new NewJob(TENANT, "nightly", 1, 5, bytes("spec"));
    String jobId = await(queue.jobs().create(job)).id();
    await(redis.call(r -> r.unlink(keys.job(jobId))));
    long longAgo = 1;
    await(
        redis.call(
            r -> r.zadd(keys.activeJobs(), longAgo, jobId.getBytes(StandardCharsets.UTF_8))));
    try (JobQueue other = another()) {
      awaitTrue("forgotten", () -> used(TENANT, "bytes") == 0);
    }
    assertEquals(0L, await(redis.call(r -> r.scard(keys.openJobsOf(TENANT)))).longValue());
    assertEquals(0L, await(redis.call(r -> r.zcard(keys.jobsOf(TENANT)))).longValue());
  }

  @Test
  void aDeletionThatBrokeOffBeforeTheListsLeavesNothingThatCounts() {
    String jobId = newJob();
    await(queue.jobs().cancel(jobId));
    await(redis.call(r -> r.unlink(keys.job(jobId))));
    await(queue.jobs().forget(jobId));
    assertEquals(0, used(TENANT, "bytes"));
    assertEquals(0L, await(redis.call(r -> r.zcard(keys.jobs()))).longValue());
    assertEquals(0L, await(redis.call(r -> r.hlen(keys.ledger()))).longValue());
  }

  @Test
  void whatIsNotedAfterTheDeletionCountsNothing() throws InterruptedException {
    String jobId = sealedJob(5, SQUARE);
    drain(jobId, SQUARE);
    await(queue.jobs().delete(jobId, id -> CompletableFuture.completedStage(null)));
    await(index().book(TENANT, Map.of(jobId, new JobUse(5, 5, 9999, 9999))));
    assertEquals(0, used(TENANT, "bytes"));
    assertEquals(0, used(TENANT, "results"));
  }

  @Test
  void outcomesCountWithTheirResults() throws InterruptedException {
    String jobId = sealedJob(3, SQUARE);
    LeasedBatch batch = lease(SQUARE, 3);
    await(
        queue
            .leases()
            .commit(
                batch.lease(),
                batch.tasks().stream()
                    .map(
                        task ->
                            new TaskOutcome(task.task(), true, bytes("body"), 3_000_000_000L, true))
                    .toList()));
    awaitTrue("noted", () -> used(TENANT, "results") == 9_000_000_000L);
    assertEquals(
        List.of(TaskVerdict.SUPERSEDED, TaskVerdict.SUPERSEDED, TaskVerdict.SUPERSEDED),
        succeed(batch));
    agrees();
    assertEquals(0, used(TENANT, "prompts"));
    assertEquals(3, job(jobId).counts().succeeded());
  }

  @Test
  void aDescriptionCountsWhenItGrows() throws InterruptedException {
    String jobId = newJob();
    long before = used(TENANT, "bytes");
    for (String name : List.of("x".repeat(100), "x".repeat(50), "x".repeat(120))) {
      await(queue.jobs().describe(jobId, Map.of("display_name", bytes(name))));
    }
    awaitTrue("noted", () -> used(TENANT, "bytes") == before + 120);
    agrees();
  }

  @Test
  void aJobThatNobodyKeepsIsToBeDeletedAMinuteAfterItsEnd() throws InterruptedException {
    NewJob job =
        new NewJob(
            TENANT,
            "",
            1,
            5,
            bytes("spec"),
            Optional.empty(),
            TenantLimits.NONE,
            new NewJob.First(1, StoredBytes.of(prompts(0, 1))),
            true,
            false);
    String jobId = await(queue.jobs().create(job)).id();
    assertEquals(1, used(TENANT, "prompts"));
    await(queue.prompts().append(jobId, 0, prompts(0, 1)));
    await(queue.jobs().seal(jobId, OptionalLong.of(1)));
    drain(jobId, SQUARE);
    awaitTrue("ended", () -> await(redis.call(r -> r.zcard(keys.fleetingJobs()))) == 1);
    assertEquals(List.of(), await(queue.jobs().toDelete(Duration.ofDays(9), 10)));
    await(redis.call(r -> r.zadd(keys.fleetingJobs(), 1, jobId.getBytes(StandardCharsets.UTF_8))));
    assertEquals(List.of(jobId), await(queue.jobs().toDelete(Duration.ofDays(9), 10)));
    agrees();
  }
}
