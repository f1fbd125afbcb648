package io.bitloom.coordinator.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.v1.JobState;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

/** For how long prompts and jobs have been there, by the clock of Redis. */
class WaitsIT extends QueueFixture {

  private static final Duration WHILE = Duration.ofMillis(60);

  private final List<String> heard = new ArrayList<>();

  @Test
  void aLeaseSaysForHowLongEachJobsFirstPromptWasInTheQueue() throws Exception {
    String first = newJob("ann", 1, 5);
    append(first, 0, 2, SQUARE);
    letPass();
    Duration beforeSecond = now();
    append(newJob("bob", 1, 5), 0, 2, SQUARE);

    List<LeasedBatch.Wait> waits = lease(SQUARE, 4).waits();

    assertEquals(List.of("ann", "bob"), waits.stream().map(LeasedBatch.Wait::tenant).toList());
    assertTrue(waits.get(0).time().compareTo(WHILE) >= 0, waits::toString);
    assertTrue(waits.get(1).time().compareTo(since(beforeSecond)) <= 0, waits::toString);
  }

  @Test
  void whatCameLaterHasNotWaitedForAsLong() throws Exception {
    String jobId = newJob();
    append(jobId, 0, 1, SQUARE);
    letPass();
    Duration beforeSecond = now();
    append(jobId, 1, 1, SQUARE);

    assertTrue(onlyWait(lease(SQUARE, 1)).compareTo(WHILE) >= 0);
    assertTrue(onlyWait(lease(SQUARE, 1)).compareTo(since(beforeSecond)) <= 0);
  }

  @Test
  void aJobWhoseQueueWasEmptyBeginsAnew() throws Exception {
    String jobId = newJob();
    append(jobId, 0, 1, SQUARE);
    lease(SQUARE, 1);
    letPass();
    Duration beforeSecond = now();
    append(jobId, 1, 1, SQUARE);

    assertTrue(onlyWait(lease(SQUARE, 1)).compareTo(since(beforeSecond)) <= 0);
  }

  @Test
  void anotherAttemptIsNoWait() throws Exception {
    sealedJob(1, SQUARE);
    fail(lease(SQUARE, 1));

    awaitTrue(
        "a retry",
        () ->
            tryLease(SQUARE, 1)
                .map(
                    retry -> {
                      assertEquals(List.of(), retry.waits());
                      return retry;
                    })
                .isPresent());
  }

  @Test
  void aJobsFirstImageAndItsEndAreToldOnce() throws Exception {
    listen();
    String jobId = sealedJob(2, SQUARE);
    LeasedBatch batch = lease(SQUARE, 2);
    letPass();
    List<TaskOutcome> outcomes = successes(batch);
    await(queue.leases().commit(batch.lease(), outcomes.subList(0, 1)));
    await(queue.leases().commit(batch.lease(), outcomes.subList(1, 2)));

    awaitTrue("the end is told", () -> heard().contains(JobState.JOB_STATE_SUCCEEDED.name()));
    assertEquals(List.of("first image", JobState.JOB_STATE_SUCCEEDED.name()), heard());
    assertTrue(job(jobId).terminal());
  }

  @Test
  void aJobWithoutImageHasNoFirstOne() throws Exception {
    listen();
    String jobId = newJob();
    append(jobId, 0, 1, SQUARE);
    await(queue.jobs().seal(jobId, OptionalLong.of(1)));
    await(queue.jobs().cancel(jobId));

    awaitTrue("the end is told", () -> !heard().isEmpty());
    assertEquals(List.of(JobState.JOB_STATE_CANCELLED.name()), heard());
  }

  private void listen() {
    queue.tellTimes(
        new JobTimes() {
          @Override
          public void firstImage(Duration time) {
            hear("first image", time);
          }

          @Override
          public void ended(JobState state, Duration time) {
            hear(state.name(), time);
          }
        });
  }

  private synchronized void hear(String what, Duration time) {
    assertFalse(time.isNegative());
    heard.add(what);
  }

  private synchronized List<String> heard() {
    return List.copyOf(heard);
  }

  private static Duration onlyWait(LeasedBatch batch) {
    assertEquals(1, batch.waits().size());
    return batch.waits().get(0).time();
  }

  private void letPass() throws InterruptedException {
    Duration begin = now();
    awaitTrue("time has passed", () -> since(begin).compareTo(WHILE) > 0);
  }

  private Duration since(Duration begin) {
    return now().minus(begin).plusMillis(1); // what a script says is cut to milliseconds
  }

  private Duration now() {
    List<byte[]> time = await(redis.call(r -> r.time()));
    return Duration.ofSeconds(Long.parseLong(text(time.get(0))))
        .plusNanos(1000 * Long.parseLong(text(time.get(1))));
  }

  private static String text(byte[] number) {
    return new String(number, StandardCharsets.US_ASCII);
  }
}
