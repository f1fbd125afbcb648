package io.bitloom.coordinator.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.coordinator.queue.redis.Stages;
import io.bitloom.coordinator.queue.upkeep.RunningQueue;
import io.bitloom.v1.JobState;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** Jobs that are paused, hurried, too late or deleted. */
class JobControlIT extends QueueFixture {

  // Pause and resume

  @Test
  void ofAPausedJobNothingIsGivenOutUntilItGoesOn() {
    String jobId = sealedJob(300, SQUARE, TALL);
    LeasedBatch running = lease(SQUARE, 3);

    assertEquals(JobState.JOB_STATE_PAUSED, await(queue.jobs().pause(jobId)).state());
    assertEquals(Optional.empty(), tryLease(SQUARE, 8));
    assertEquals(Optional.empty(), tryLease(TALL, 8));
    assertEquals(0, backlog(SQUARE).prompts());
    assertEquals(-1, rank(TALL).topPriority());
    succeed(running);
    assertEquals(JobState.JOB_STATE_PAUSED, await(queue.jobs().pause(jobId)).state());
    assertEquals(297, job(jobId).counts().queued());

    assertEquals(JobState.JOB_STATE_RUNNING, await(queue.jobs().resume(jobId)).state());
    assertEquals(147, backlog(SQUARE).prompts());
    assertEquals(List.of(6L, 8L), offsets(lease(SQUARE, 2)));
    assertEquals(List.of(1L, 3L), offsets(lease(TALL, 2)));
    assertEquals(JobState.JOB_STATE_RUNNING, await(queue.jobs().resume(jobId)).state());
  }

  @Test
  void othersGoOnWhileAJobIsPaused() {
    String paused = sealedJob(5, SQUARE);
    await(queue.jobs().pause(paused));
    String other = sealedJob(5, SQUARE);
    LeasedBatch batch = lease(SQUARE, 8);
    assertEquals(5, batch.tasks().size());
    assertTrue(batch.tasks().stream().allMatch(task -> task.task().jobId().equals(other)));
    succeed(batch);
    await(queue.jobs().resume(paused));
    assertEquals(5, lease(SQUARE, 8).tasks().size());
  }

  @Test
  void aPausedJobTakesPromptsIsSealedAndEndsWithWhatWasRunning() {
    String jobId = newJob();
    append(jobId, 0, 2, SQUARE);
    LeasedBatch running = lease(SQUARE, 2);
    await(queue.jobs().pause(jobId));
    append(jobId, 2, 3, SQUARE, TALL);
    assertEquals(Optional.empty(), tryLease(TALL, 1));
    assertEquals(JobState.JOB_STATE_ACCEPTING, await(queue.jobs().resume(jobId)).state());

    await(queue.jobs().pause(jobId));
    assertEquals(
        JobState.JOB_STATE_PAUSED, await(queue.jobs().seal(jobId, OptionalLong.of(5))).state());
    succeed(running);
    await(queue.jobs().resume(jobId));
    succeed(lease(SQUARE, 8));
    LeasedBatch last = lease(TALL, 8);
    await(queue.jobs().pause(jobId));
    succeed(last);
    assertEquals(JobState.JOB_STATE_SUCCEEDED, job(jobId).state());
  }

  @Test
  void whatComesBackToAPausedJobWaitsAndKeepsItsAttempts() throws InterruptedException {
    String jobId = sealedJob(3, SQUARE);
    LeasedBatch running = lease(SQUARE, 3);
    await(queue.jobs().pause(jobId));
    await(queue.leases().release(running.lease(), List.of(running.tasks().get(0).task())));
    await(
        queue
            .leases()
            .fail(
                running.lease(),
                List.of(new TaskFailure(running.tasks().get(1).task(), bytes("x")))));
    await(queue.leases().expire(running.lease()));
    // Retries are due after at most 4 ms; taking one up would make it 0.
    awaitTrue(
        "retries are parked",
        () -> tryLease(SQUARE, 8).isEmpty() && backlog(SQUARE).retries() == 0);

    await(queue.jobs().resume(jobId));
    List<Integer> attempts = new ArrayList<>();
    awaitTrue(
        "all are drawn",
        () -> {
          tryLease(SQUARE, 8)
              .ifPresent(
                  batch -> {
                    batch.tasks().forEach(task -> attempts.add(task.attempt()));
                    succeed(batch);
                  });
          return attempts.size() == 3;
        });
    assertEquals(List.of(1, 2, 2), attempts.stream().sorted().toList());
    assertEquals(JobState.JOB_STATE_SUCCEEDED, job(jobId).state());
  }

  @Test
  void aBucketThatWasNotToldOfAPauseLearnsItFromTheNextLease() {
    String jobId = sealedJob(5, SQUARE);
    await(jobs.pause(jobId));
    assertEquals(Optional.empty(), tryLease(SQUARE, 8));
    assertEquals(0, backlog(SQUARE).prompts());
    assertEquals(0, backlog(SQUARE).leased());
    await(queue.jobs().resume(jobId));
    assertEquals(List.of(0L, 1L, 2L, 3L, 4L), offsets(lease(SQUARE, 8)));
  }

  @Test
  void aBucketThatWasNotToldThatAJobGoesOnIsToldByTheSweep() throws InterruptedException {
    String jobId = sealedJob(5, SQUARE);
    await(queue.jobs().pause(jobId));
    await(jobs.resume(jobId));
    try (JobQueue other = new RunningQueue(redis, withSweep(settings, Duration.ofMillis(20)))) {
      awaitTrue("ready again", () -> backlog(SQUARE).prompts() == 5);
    }
  }

  @Test
  void aPausedJobCanBeCancelled() {
    String jobId = sealedJob(200, SQUARE);
    await(queue.jobs().pause(jobId));
    assertEquals(JobState.JOB_STATE_CANCELLED, await(queue.jobs().cancel(jobId)).state());
    assertEquals(0, backlog(SQUARE).prompts());
    String next = sealedJob(1, SQUARE);
    assertEquals(next, lease(SQUARE, 8).tasks().get(0).task().jobId());
  }

  @Test
  void whatHasEndedCannotBePausedResumedOrHurried() {
    String jobId = sealedJob(0, SQUARE);
    for (Executable call :
        List.<Executable>of(
            () -> await(queue.jobs().pause(jobId)),
            () -> await(queue.jobs().resume(jobId)),
            () -> await(queue.jobs().prioritize(jobId, 9)))) {
      assertError(ErrorCode.JOB_NOT_OPEN, call);
    }
    assertError(ErrorCode.JOB_NOT_FOUND, () -> await(queue.jobs().pause("nowhere")));
  }

  // Priority

  @Test
  void anotherPriorityHoldsAtOnceAndForWhatComesLater() {
    String first = sealedJob(3, SQUARE);
    String second = newJob("tenant", 1, 5);
    append(second, 0, 3, SQUARE);
    assertEquals(9, await(queue.jobs().prioritize(second, 9)).priority());
    append(second, 3, 3, SQUARE, TALL);
    assertEquals(9, rank(TALL).topPriority());
    LeasedBatch batch = lease(SQUARE, 4);
    assertTrue(batch.tasks().stream().allMatch(task -> task.task().jobId().equals(second)));
    assertEquals(first, lease(SQUARE, 3).tasks().get(0).task().jobId());
  }

  // Deadlines

  private String windowJob(Duration window, String requestId) {
    return await(
            queue
                .jobs()
                .create(
                    new NewJob(
                        "tenant",
                        requestId,
                        1,
                        5,
                        bytes("spec"),
                        Optional.of(window),
                        TenantLimits.NONE,
                        NewJob.First.NONE,
                        false,
                        false)))
        .id();
  }

  @Test
  void aJobWhoseWindowPassesKeepsItsResultsAndExpires() throws InterruptedException {
    String jobId = windowJob(Duration.ofMillis(400), "");
    append(jobId, 0, 300, SQUARE, TALL);
    succeed(lease(SQUARE, 3));
    LeasedBatch running = lease(TALL, 2);
    awaitTrue("expiring", () -> job(jobId).state() == JobState.JOB_STATE_CANCELLING);
    awaitTrue("no prompt waits", () -> job(jobId).counts().queued() == 0);
    succeed(running);
    JobRecord expired = job(jobId);
    assertEquals(JobState.JOB_STATE_EXPIRED, expired.state());
    assertEquals(new JobRecord.Counts(300, 0, 0, 5, 0, 295, 0), expired.counts());
    assertEquals(
        295,
        results(jobId).stream()
            .filter(result -> result.status() == ResultRecord.Status.EXPIRED)
            .count());
    assertEquals(Optional.empty(), tryLease(SQUARE, 1));
    assertTrue(!expired.endTime().orElseThrow().isBefore(expired.expireTime().orElseThrow()));
  }

  @Test
  void aDeadlineIsKeptWhenItsCoordinatorIsGone() throws InterruptedException {
    String jobId = windowJob(Duration.ofMillis(300), "again");
    queue.close();
    queue = new RunningQueue(redis, settings);
    assertEquals(jobId, windowJob(Duration.ofMillis(300), "again"));
    awaitTrue("expired", () -> job(jobId).state() == JobState.JOB_STATE_EXPIRED);
  }

  @Test
  void aJobThatEndsInTimeIsNotTouchedByItsDeadline() throws InterruptedException {
    String jobId = windowJob(Duration.ofMillis(200), "");
    await(queue.jobs().seal(jobId, OptionalLong.of(0)));
    String late = windowJob(Duration.ofMillis(300), "");
    awaitTrue("the later one expired", () -> job(late).state() == JobState.JOB_STATE_EXPIRED);
    assertEquals(JobState.JOB_STATE_SUCCEEDED, job(jobId).state());
  }

  // Failures

  @Test
  void failuresAreListedByThemselvesInPages() {
    String jobId = sealedJob(40, SQUARE);
    LeasedBatch batch = lease(SQUARE, 40);
    List<TaskOutcome> outcomes =
        batch.tasks().stream()
            .map(task -> new TaskOutcome(task.task(), task.task().offset() % 4 != 0, bytes("b")))
            .toList();
    await(queue.leases().commit(batch.lease(), outcomes));
    List<Long> failed = new ArrayList<>();
    for (long from = 0; from < 12; from += 3) {
      await(queue.results().failures(jobId, Cursor.of(from), 3))
          .forEach(failure -> failed.add(failure.result().offset()));
    }
    assertEquals(LongStream.iterate(0, i -> i + 4).limit(10).boxed().toList(), failed);
    assertEquals(
        payload(8),
        await(queue.results().failures(jobId, Cursor.of(2), 1)).get(0).result().payload());
    assertError(
        ErrorCode.JOB_NOT_FOUND, () -> await(queue.results().failures("nowhere", Cursor.START, 1)));
  }

  // Deletion

  @Test
  void aDeletedJobLeavesNoKeyBehind() throws InterruptedException {
    String kept = sealedJob(1, SQUARE);
    String jobId = windowJob(Duration.ofHours(1), "");
    append(jobId, 0, 100, SQUARE, TALL);
    assertError(ErrorCode.JOB_NOT_TERMINAL, () -> await(queue.jobs().delete(jobId, this::nothing)));
    await(queue.jobs().cancel(jobId));
    awaitTrue(
        "it counts as ended",
        () -> await(queue.jobs().toDelete(Duration.ZERO, 9)).equals(List.of(jobId)));
    assertEquals(List.of(), await(queue.jobs().toDelete(Duration.ofHours(1), 9)));

    await(queue.jobs().delete(jobId, this::nothing));
    assertError(ErrorCode.JOB_NOT_FOUND, () -> await(queue.jobs().get(jobId)));
    assertEquals(
        List.of(),
        await(redis.call(r -> r.keys(settings.namespace() + "*" + jobId + "*"))).stream().toList());
    assertEquals(
        List.of(kept),
        await(queue.jobs().list(new JobFilter(Optional.of("tenant"), Set.of()), 9, ""))
            .jobs()
            .stream()
            .map(JobRecord::id)
            .toList());
    assertEquals(List.of(), await(queue.jobs().toDelete(Duration.ZERO, 9)));
  }

  @Test
  void aDeletionThatBrokeOffIsOwedUntilItIsDone() {
    String jobId = sealedJob(0, SQUARE);
    assertThrows(
        AssertionError.class,
        () ->
            await(
                queue
                    .jobs()
                    .delete(
                        jobId,
                        id -> CompletableFuture.failedStage(new IllegalStateException("disk")))));
    assertEquals(List.of(jobId), await(queue.jobs().toDelete(Duration.ofDays(1), 9)));
    await(queue.jobs().delete(jobId, this::nothing));
    assertEquals(List.of(), await(queue.jobs().toDelete(Duration.ZERO, 9)));
  }

  private CompletionStage<Void> nothing(String jobId) {
    return Stages.nothing();
  }

  private static void assertError(ErrorCode code, Executable call) {
    assertEquals(code, assertThrows(BitloomException.class, call).code());
  }
}
