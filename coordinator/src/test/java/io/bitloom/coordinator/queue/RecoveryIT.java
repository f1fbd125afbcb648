package io.bitloom.coordinator.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.bitloom.common.secret.Secret;
import io.bitloom.coordinator.queue.redis.JobScripts;
import io.bitloom.coordinator.queue.redis.JobTurns;
import io.bitloom.coordinator.queue.redis.Keys;
import io.bitloom.coordinator.queue.redis.PromptGroups;
import io.bitloom.coordinator.queue.upkeep.RunningQueue;
import io.bitloom.v1.JobState;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.LongFunction;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/**
 * A coordinator dies between the two halves of a step: the test makes only the first call of each
 * pair itself, then lets another coordinator go on.
 */
class RecoveryIT extends QueueFixture {

  private static final String WORKER = "worker";

  /** A coordinator that sweeps often, as if it had just come up. */
  private JobQueue another() {
    return new RunningQueue(redis, withSweep(settings, Duration.ofMillis(100)));
  }

  @Test
  void promptsThatTheirBucketWasNeverToldOfAreDelivered() throws InterruptedException {
    String jobId = newJob();
    append(jobId, 0, 10, SQUARE, TALL);
    onlyToTheJob(jobId, 10, 300, SQUARE, TALL);
    assertEquals(5, backlog(SQUARE).prompts());

    try (JobQueue other = another()) {
      awaitTrue("delivered", () -> backlog(SQUARE).prompts() == 155);
    }
    assertEquals(offsetsOf(0, 310, 2), offsets(lease(SQUARE, 1000)));
    assertEquals(offsetsOf(1, 310, 2), offsets(lease(TALL, 1000)));
  }

  @Test
  void aGapIsFilledByTheNextAppend() throws InterruptedException {
    String jobId = newJob();
    onlyToTheJob(jobId, 0, 40, SQUARE);
    append(jobId, 40, 10, SQUARE);

    awaitTrue("delivered", () -> backlog(SQUARE).prompts() == 50);
    assertEquals(offsetsOf(0, 50, 1), offsets(lease(SQUARE, 1000)));
  }

  @Test
  void aClientThatAppendsAgainWhatWasTakenGetsItDelivered() throws InterruptedException {
    String jobId = newJob();
    onlyToTheJob(jobId, 0, 40, SQUARE);
    append(jobId, 0, 40, SQUARE);

    awaitTrue("delivered", () -> backlog(SQUARE).prompts() == 40);
    assertEquals(40, job(jobId).counts().appended());
  }

  @Test
  void anEnqueueThatComesTwiceOrLateChangesNothing() {
    String jobId = newJob();
    PromptGroups.Part part = onlyToTheJob(jobId, 0, 40, SQUARE).parts().get(0);
    JobScripts.Terms terms =
        new JobScripts.Terms("tenant", "1.0", new JobScripts.Standing(0, 5, false));
    for (int i = 0; i < 3; i++) {
      await(buckets.enqueue(SQUARE, jobId, terms, -1, part.entries()));
    }
    append(jobId, 40, 10, SQUARE);
    await(buckets.enqueue(SQUARE, jobId, terms, -1, part.entries()));

    assertEquals(offsetsOf(0, 50, 1), offsets(lease(SQUARE, 1000)));
    assertEquals(0, backlog(SQUARE).prompts());
  }

  @Test
  void aLeaseThatNeverReachedTheJobsExpiresAndItsPromptsAreDrawnLater()
      throws InterruptedException {
    String jobId = sealedJob(5, SQUARE);
    await(
        buckets.lease(
            SQUARE, WORKER, Secret.draw(), 5, Duration.ofMillis(50), List.of(), Map.of()));
    assertEquals(5, job(jobId).counts().queued());

    try (JobQueue other = another()) {
      drain(jobId, SQUARE);
    }
    assertEquals(5, job(jobId).counts().succeeded());
  }

  @Test
  void aLastAttemptThatNeverReachedTheJobsEndsAsLost() throws InterruptedException {
    String jobId = sealedJob(1, SQUARE);
    for (int attempt = 1; attempt < settings.maxAttempts(); attempt++) {
      await(queue.leases().expire(lease(SQUARE, 1).lease()));
      Thread.sleep(20);
    }
    var lost =
        await(
            buckets.lease(
                SQUARE, WORKER, Secret.draw(), 1, Duration.ofMillis(50), List.of(), Map.of()));
    await(queue.leases().expire(lost.lease().orElseThrow()));

    assertEquals(ResultRecord.Status.LOST, results(jobId).get(0).status());
    awaitTrue("no lease left", () -> backlog(SQUARE).leases() == 0);
  }

  @Test
  void anOutcomeThatItsLeaseDoesNotKnowOfIsNeitherLostNorDoubled() throws InterruptedException {
    String jobId = sealedJob(2, SQUARE);
    LeasedBatch batch =
        await(queue.leases().lease(SQUARE, WORKER, 2, Duration.ofMillis(100))).orElseThrow();
    await(turns().commit(jobId, batch.lease(), List.of(success(0)), false));
    assertEquals(1, job(jobId).counts().succeeded());

    assertEquals(
        List.of(TaskVerdict.SUPERSEDED),
        await(queue.leases().commit(batch.lease(), successes(batch).subList(0, 1))));
    drain(jobId, SQUARE);
    assertEquals(List.of(0L, 1L), results(jobId).stream().map(ResultRecord::offset).toList());
    assertEquals(2, job(jobId).counts().succeeded());
    awaitTrue("no lease left", () -> backlog(SQUARE).leases() == 0);
  }

  @Test
  void promptsThatTheJobStillBelievesToBeLeasedAreQueuedAgain() throws InterruptedException {
    String jobId = sealedJob(4, SQUARE);
    LeasedBatch failed = lease(SQUARE, 2);
    LeasedBatch released = lease(SQUARE, 2);
    await(buckets.retry(failed.lease(), refs(failed)));
    await(buckets.release(released.lease(), refs(released)));
    assertEquals(4, job(jobId).counts().running());

    try (JobQueue other = another()) {
      awaitTrue("queued again", () -> job(jobId).counts().queued() == 4);
      drain(jobId, SQUARE);
    }
    assertEquals(new JobRecord.Counts(4, 0, 0, 4, 0, 0, 0), job(jobId).counts());
  }

  @Test
  void anOutcomeOfALeaseThatOnlyTheBucketTookBackStaysTheOnlyOne() throws InterruptedException {
    String jobId = sealedJob(1, SQUARE);
    LeasedBatch batch = lease(SQUARE, 1);
    await(buckets.retry(batch.lease(), refs(batch)));
    assertEquals(List.of(TaskVerdict.COMMITTED), succeed(batch));
    Thread.sleep(20);

    assertEquals(Optional.empty(), tryLease(SQUARE, 1));
    assertEquals(1, results(jobId).size());
    assertEquals(0, backlog(SQUARE).retries());
    assertEquals(JobState.JOB_STATE_SUCCEEDED, job(jobId).state());
  }

  @Test
  void promptsThatTwoLeasesHeldDoNotRunAfterBothLetGo() throws InterruptedException {
    String jobId = sealedJob(5, SQUARE);
    List<LeasedBatch> old = new ArrayList<>();
    List<LeasedBatch> later = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      old.add(lease(SQUARE, 2));
      await(buckets.retry(old.get(i).lease(), refs(old.get(i))));
      Thread.sleep(20);
      later.add(lease(SQUARE, 2));
      succeed(old.get(i));
    }
    await(queue.leases().expire(later.get(0).lease()));
    assertEquals(List.of(TaskVerdict.SUPERSEDED, TaskVerdict.SUPERSEDED), succeed(later.get(1)));

    assertEquals(new JobRecord.Counts(5, 1, 0, 4, 0, 0, 0), job(jobId).counts());
  }

  @Test
  void aCancellationThatStoppedHalfWayIsFinished() throws InterruptedException {
    String jobId = newJob();
    for (int i = 0; i < 20; i++) {
      append(jobId, i * 32L, 32, SQUARE);
    }
    await(queue.jobs().seal(jobId, OptionalLong.of(640)));
    await(jobs.cancel(jobId, "0", 3, ResultRecord.Status.CANCELLED));
    assertEquals(96, job(jobId).counts().cancelled());

    try (JobQueue other = another()) {
      awaitTrue("cancelled", () -> job(jobId).state() == JobState.JOB_STATE_CANCELLED);
      awaitTrue("bucket forgot it", () -> backlog(SQUARE).prompts() == 0);
    }
    assertEquals(640, results(jobId).size());
  }

  @Test
  void aJobWhoseEndItsBucketsWereNotToldOfIsForgottenByThem() throws InterruptedException {
    String jobId = sealedJob(2, SQUARE);
    LeasedBatch batch = lease(SQUARE, 2);
    await(turns().commit(jobId, batch.lease(), List.of(success(0), success(1)), false));
    await(buckets.settle(batch.lease(), refs(batch)));
    assertEquals(1L, await(redis.call(r -> r.hlen(keys.bucket(SQUARE)[0]))).longValue());

    try (JobQueue other = another()) {
      awaitTrue("forgotten", () -> await(redis.call(r -> r.hlen(keys.bucket(SQUARE)[0]))) == 0);
      awaitTrue("inactive", () -> await(redis.call(r -> r.zcard(keys.activeJobs()))) == 0);
    }
  }

  @Test
  void nothingIsLeftOfFinishedWorkButTheJobAndItsResults() throws InterruptedException {
    String jobId = sealedJob(300, SQUARE, TALL);
    await(queue.leases().expire(lease(SQUARE, 20).lease()));
    drain(jobId, SQUARE, TALL);

    awaitTrue("no lease left", () -> backlog(SQUARE).leases() == 0);
    List<String> expected = new ArrayList<>();
    for (Bucket bucket : List.of(SQUARE, TALL)) {
      expected.add(keys.bucket(bucket)[7]);
      expected.add(keys.bucket(bucket)[3]);
    }
    for (int k : new int[] {0, 2, 3, 5}) {
      expected.add(keys.job(jobId)[k]);
    }
    expected.add(keys.results(jobId, 0));
    expected.addAll(List.of(keys.jobs(), keys.jobsOf("tenant"), keys.endedJobs(), keys.buckets()));
    expected.addAll(List.of(keys.ledger(), keys.useOf("tenant"), keys.epoch(), keys.sweeper()));
    expected.addAll(List.of(keys.dataVersion(), keys.states()));
    Keys ofVersion1 = new Keys(settings.namespace());
    ofVersion1.use(1);
    expected.addAll(List.of(ofVersion1.models(), ofVersion1.ledger(), ofVersion1.buckets()));
    expected.addAll(List.of(ofVersion1.activeJobs(), ofVersion1.deadlines()));
    expected.addAll(List.of(ofVersion1.endedJobs(), ofVersion1.fleetingJobs()));
    awaitTrue(
        "nothing else is left",
        () -> expected.containsAll(await(redis.call(r -> r.keys(settings.namespace() + ":*")))));
  }

  @Test
  void aNewCoordinatorFindsTheWorkThatWaits() throws InterruptedException {
    sealedJob(3, SQUARE);
    try (JobQueue other = another()) {
      awaitTrue("ready", () -> other.ready().buckets().contains(SQUARE));
      assertEquals(
          3, await(other.leases().lease(SQUARE, WORKER, 9, LEASE)).orElseThrow().tasks().size());
      assertTrue(other.ready().buckets().isEmpty());
    }
  }

  @Test
  void anotherCoordinatorReapsTheLeasesOfOneThatDied() throws InterruptedException {
    String jobId = sealedJob(3, SQUARE);
    try (JobQueue other = another()) {
      awaitTrue("ready", () -> other.ready().buckets().contains(SQUARE));
      await(
          buckets.lease(
              SQUARE, WORKER, Secret.draw(), 9, Duration.ofMillis(50), List.of(), Map.of()));
    }
    QueueSettings shortLeases =
        new QueueSettings(
            settings.namespace(),
            4,
            2,
            settings.backoff(),
            settings.maxBackoff(),
            settings.ageing(),
            Duration.ofMillis(50),
            Duration.ZERO,
            settings.sweepInterval());
    try (JobQueue other = new RunningQueue(redis, shortLeases)) {
      awaitTrue("reaped", () -> backlog(SQUARE).retries() == 3);
    }
    assertEquals(3, job(jobId).counts().queued());
  }

  /** The first half of an append. */
  private PromptGroups onlyToTheJob(String jobId, long offset, int count, Bucket... among) {
    LongFunction<NewPrompt> prompt =
        i -> new NewPrompt(among[(int) (i % among.length)], 1, payload(i));
    PromptGroups groups =
        PromptGroups.of(offset, LongStream.range(offset, offset + count).mapToObj(prompt).toList());
    await(jobs.append(jobId, offset, count, groups, TenantLimits.NONE.bytes(), 1));
    return groups;
  }

  private JobTurns turns() {
    return new JobTurns(redis, keys, begun -> {});
  }

  private static JobTurns.Outcome success(long offset) {
    return new JobTurns.Outcome(offset, ResultRecord.Status.SUCCEEDED, ByteString.EMPTY, 0);
  }

  private static List<TaskRef> refs(LeasedBatch batch) {
    return batch.tasks().stream().map(LeasedTask::task).toList();
  }

  private static List<Long> offsetsOf(long first, long end, long step) {
    return LongStream.iterate(first, i -> i < end, i -> i + step).boxed().toList();
  }
}
