package io.bitloom.coordinator.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.secret.Secret;
import io.bitloom.coordinator.queue.redis.JobTurns;
import io.bitloom.coordinator.queue.redis.PromptGroups;
import io.bitloom.coordinator.queue.upkeep.RunningQueue;
import io.bitloom.v1.JobState;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.LongStream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.lifecycle.AddLifecycleHook;
import net.jqwik.api.lifecycle.AfterProperty;
import net.jqwik.api.lifecycle.BeforeProperty;

/**
 * The counts by which buckets compete are at every moment what a count of all flows comes to:
 * whatever is done to jobs and leases, in full, or only in the first half of what a coordinator
 * does, as if it died then.
 */
@AddLifecycleHook(ExploresAnew.class)
class BucketCountsIT extends QueueFixture {

  private static final int JOBS = 4;
  private static final List<Bucket> BUCKETS = List.of(SQUARE, TALL);

  enum Act {
    APPEND,
    LEASE,
    COMMIT,
    FAIL,
    RELEASE,
    EXPIRE,
    PAUSE,
    RESUME,
    PRIORITY,
    CANCEL,
    // What a coordinator that dies leaves.
    APPEND_TO_JOB_ONLY,
    LEASE_FROM_BUCKET_ONLY,
    COMMIT_TO_JOB_ONLY,
    FAIL_IN_BUCKET_ONLY,
    RELEASE_IN_BUCKET_ONLY,
    PAUSE_JOB_ONLY,
    RESUME_JOB_ONLY,
    CANCEL_SOME_ONLY,
    SWEEP
  }

  record Step(Act act, int which, int count) {}

  @BeforeProperty
  void open() {
    openQueue();
  }

  @AfterProperty
  void close() {
    closeQueue();
  }

  @Provide
  Arbitrary<List<Step>> steps() {
    return Combinators.combine(
            Arbitraries.of(Act.class),
            Arbitraries.integers().between(0, 999),
            Arbitraries.integers().between(1, 300))
        .as(Step::new)
        .list()
        .ofMinSize(20)
        .ofMaxSize(80);
  }

  @Property(tries = 30, edgeCases = EdgeCasesMode.NONE)
  void theyAreWhatARecountComesToAfterEveryStep(@ForAll("steps") List<Step> steps)
      throws InterruptedException {
    Run run = new Run();
    for (Step step : steps) {
      run.make(step);
      assertCounted(step.toString());
    }
    run.sweep();
    run.jobs.forEach(jobId -> await(queue.jobs().cancel(jobId)));
    for (LeasedBatch batch : run.leases) {
      await(queue.leases().expire(batch.lease()));
    }
    run.bare.forEach(lease -> await(queue.leases().expire(lease)));
    run.sweep();
    for (Bucket bucket : BUCKETS) {
      assertCounted("the end");
      awaitTrue(
          "nobody waits",
          () -> {
            tryLease(bucket, 1000);
            return rank(bucket).equals(new BucketRank(bucket, -1, Map.of()));
          });
      assertEquals(0, await(redis.call(r -> r.exists(keys.bucket(bucket)[8]))).intValue());
    }
  }

  private void assertCounted(String after) {
    for (Bucket bucket : BUCKETS) {
      assertFalse(await(buckets.recount(bucket)), after);
    }
  }

  private final class Run {

    private final List<String> jobs = new ArrayList<>();
    private final List<LeasedBatch> leases = new ArrayList<>();
    private final List<LeaseRef> bare = new ArrayList<>();

    Run() {
      for (int i = 0; i < JOBS; i++) {
        jobs.add(newJob("tenant " + i % 2, 1 + i % 2, i));
      }
    }

    void make(Step step) throws InterruptedException {
      String jobId = jobs.get(step.which() % JOBS);
      Bucket bucket = BUCKETS.get(step.which() % 2);
      boolean open = job(jobId).state() == JobState.JOB_STATE_ACCEPTING;
      switch (step.act()) {
        case APPEND -> {
          if (open) {
            append(jobId, job(jobId).counts().appended(), step.count(), SQUARE, TALL);
          }
        }
        case APPEND_TO_JOB_ONLY -> {
          if (open) {
            onlyToTheJob(jobId, job(jobId).counts().appended(), step.count());
          }
        }
        case LEASE -> tryLease(bucket, step.count()).ifPresent(leases::add);
        case LEASE_FROM_BUCKET_ONLY -> leaseOnly(bucket, step.count());
        case PAUSE -> ifOpen(jobId, () -> await(queue.jobs().pause(jobId)));
        case RESUME -> ifOpen(jobId, () -> await(queue.jobs().resume(jobId)));
        case PRIORITY ->
            ifOpen(jobId, () -> await(queue.jobs().prioritize(jobId, step.count() % 10)));
        case PAUSE_JOB_ONLY -> ifOpen(jobId, () -> await(BucketCountsIT.this.jobs.pause(jobId)));
        case RESUME_JOB_ONLY -> ifOpen(jobId, () -> await(BucketCountsIT.this.jobs.resume(jobId)));
        case CANCEL -> {
          if (step.count() % 4 == 0) {
            await(queue.jobs().cancel(jobId));
          }
        }
        case CANCEL_SOME_ONLY -> {
          if (step.count() % 4 == 0) {
            await(BucketCountsIT.this.jobs.cancel(jobId, "0", 1, ResultRecord.Status.CANCELLED));
          }
        }
        case SWEEP -> sweep();
        default -> report(step);
      }
    }

    private void ifOpen(String jobId, Runnable call) {
      JobState state = job(jobId).state();
      if (!job(jobId).terminal() && state != JobState.JOB_STATE_CANCELLING) {
        call.run();
      }
    }

    private void leaseOnly(Bucket bucket, int count) {
      await(buckets.lease(bucket, "worker", Secret.draw(), count, LEASE, List.of(), Map.of()))
          .lease()
          .ifPresent(bare::add);
    }

    /** Of some of the prompts of some lease of all that there ever were. */
    private void report(Step step) {
      if (leases.isEmpty()) {
        return;
      }
      LeasedBatch batch = leases.get(step.which() % leases.size());
      List<LeasedTask> some =
          batch.tasks().subList(0, Math.min(batch.tasks().size(), step.count()));
      List<TaskRef> refs = some.stream().map(LeasedTask::task).toList();
      switch (step.act()) {
        case COMMIT ->
            await(
                queue
                    .leases()
                    .commit(batch.lease(), successes(new LeasedBatch(batch.lease(), some))));
        case COMMIT_TO_JOB_ONLY -> {
          String jobId = refs.get(0).jobId();
          await(
              new JobTurns(redis, keys, begun -> {})
                  .commit(
                      jobId,
                      batch.lease(),
                      refs.stream()
                          .filter(ref -> ref.jobId().equals(jobId))
                          .map(
                              ref ->
                                  new JobTurns.Outcome(
                                      ref.offset(),
                                      ResultRecord.Status.SUCCEEDED,
                                      bytes("image"),
                                      0))
                          .toList(),
                      false));
        }
        case FAIL -> fail(new LeasedBatch(batch.lease(), some));
        case FAIL_IN_BUCKET_ONLY -> await(buckets.retry(batch.lease(), refs));
        case RELEASE -> await(queue.leases().release(batch.lease(), refs));
        case RELEASE_IN_BUCKET_ONLY -> await(buckets.release(batch.lease(), refs));
        default -> await(queue.leases().expire(batch.lease()));
      }
    }

    /** Another coordinator comes up and mends what it finds. */
    void sweep() throws InterruptedException {
      await(redis.call(r -> r.del(keys.sweeper())));
      try (JobQueue other = new RunningQueue(redis, withSweep(settings, Duration.ofMillis(20)))) {
        Thread.sleep(30);
      }
    }
  }

  private void onlyToTheJob(String jobId, long offset, int count) {
    PromptGroups groups =
        PromptGroups.of(
            offset,
            LongStream.range(offset, offset + count)
                .mapToObj(i -> new NewPrompt(BUCKETS.get((int) (i % 2)), 1, payload(i)))
                .toList());
    await(jobs.append(jobId, offset, count, groups, TenantLimits.NONE.bytes(), 1));
  }

  @Property(tries = 1)
  void whatOlderCoordinatorsDidNotCountIsCountedAnew() {
    String low = newJob("a", 2, 3);
    String high = newJob("b", 1, 7);
    append(low, 0, 10, SQUARE);
    BucketRank before = rank(SQUARE);
    String linesOf = keys.bucket(SQUARE)[8];
    Map<String, byte[]> stale = await(redis.call(r -> r.hgetall(linesOf)));
    append(high, 0, 10, SQUARE);
    BucketRank now = new BucketRank(SQUARE, 7, Map.of("a", 2.0, "b", 1.0));
    assertEquals(now, rank(SQUARE));

    // An older coordinator changes flows and knows nothing of this hash.
    await(redis.call(r -> r.del(linesOf)));
    await(redis.call(r -> r.hset(linesOf, stale)));
    assertEquals(before, await(buckets.rank(SQUARE, true)).rank());
    assertEquals(now, await(buckets.rank(SQUARE, false)).rank());

    assertTrue(await(buckets.recount(SQUARE)));
    assertEquals(now, await(buckets.rank(SQUARE, true)).rank());
    assertFalse(await(buckets.recount(SQUARE)));
    assertEquals(Optional.of(20), tryLease(SQUARE, 100).map(batch -> batch.tasks().size()));
    assertEquals(new BucketRank(SQUARE, -1, Map.of()), rank(SQUARE));
    List.of(low, high).forEach(jobId -> await(queue.jobs().cancel(jobId)));
  }
}
