package io.bitloom.coordinator.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.coordinator.queue.redis.JobPart;
import io.bitloom.coordinator.queue.upkeep.RunningQueue;
import io.bitloom.v1.JobState;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** Jobs that are spread over several slots. */
class SpreadJobsIT extends QueueFixture {

  private static final int PARTS = 4;
  private static final int RUN = 8;

  @Override
  QueueSettings settings() {
    return super.settings().spread(PARTS, RUN);
  }

  private String spreadJob(int prompts) {
    String jobId = newJob();
    append(jobId, 0, prompts, SQUARE);
    return jobId;
  }

  private static List<Long> numbers(long end) {
    return LongStream.range(0, end).boxed().toList();
  }

  private Set<String> keysOf(String jobId) {
    Set<String> tags = new HashSet<>();
    await(redis.call(r -> r.keys(settings.namespace() + ":{j:*" + jobId + "*")))
        .forEach(key -> tags.add(key.substring(key.indexOf('{'), key.indexOf('}'))));
    return tags;
  }

  @Test
  void everyPromptIsDrawnOnceAndHasItsResult() throws InterruptedException {
    String jobId = spreadJob(3 * PARTS * RUN + 5);
    await(queue.jobs().seal(jobId, OptionalLong.of(3 * PARTS * RUN + 5)));
    assertEquals(PARTS, keysOf(jobId).size());
    assertEquals(101, job(jobId).counts().queued());
    Set<Long> drawn = new HashSet<>();
    Set<Bucket> used = new HashSet<>();
    for (Optional<LeasedBatch> batch = tryLease(SQUARE, 10);
        batch.isPresent();
        batch = tryLease(SQUARE, 10)) {
      used.add(batch.get().lease().bucket());
      batch
          .get()
          .tasks()
          .forEach(
              task -> {
                assertEquals(jobId, task.task().jobId());
                assertEquals(payload(task.task().offset()), task.payload());
                assertTrue(drawn.add(task.task().offset()));
              });
      succeed(batch.get());
    }
    assertEquals(Set.copyOf(numbers(101)), drawn);
    assertEquals(Set.copyOf(shards(SQUARE)), used);
    awaitTrue("ended", () -> job(jobId).terminal());
    JobRecord ended = job(jobId);
    assertEquals(JobState.JOB_STATE_SUCCEEDED, ended.state());
    assertEquals(new JobRecord.Counts(101, 0, 0, 101, 0, 0, 0), ended.counts());
    List<ResultRecord> results = results(jobId);
    assertEquals(numbers(101), results.stream().map(ResultRecord::offset).sorted().toList());
    results.forEach(result -> assertEquals(payload(result.offset()), result.payload()));
    for (int from = 0; from < results.size(); from += 7) {
      List<Long> behind =
          readAll(jobId, results.get(from).cursor()).stream().map(ResultRecord::offset).toList();
      assertEquals(results.size() - from - 1, behind.size());
      assertEquals(
          results.subList(from + 1, results.size()).stream()
              .map(ResultRecord::offset)
              .collect(Collectors.toSet()),
          Set.copyOf(behind),
          "behind each result are those that were behind it before");
    }
  }

  private List<ResultRecord> readAll(String jobId, Cursor from) {
    List<ResultRecord> all = new ArrayList<>();
    List<ResultRecord> page;
    do {
      page = await(queue.results().read(jobId, all.isEmpty() ? from : last(all).cursor(), 100));
      all.addAll(page);
    } while (!page.isEmpty());
    return all;
  }

  @Test
  void appendsThatAreUnderWayTogetherComeInTheirOrder() {
    String jobId = newJob();
    List<CompletionStage<Long>> appends = new ArrayList<>();
    for (int offset = 0; offset < 200; offset += 5) {
      appends.add(queue.prompts().append(jobId, offset, prompts(offset, 5)));
    }
    for (int i = 0; i < appends.size(); i++) {
      assertEquals(5 * i + 5, await(appends.get(i)));
    }
    assertEquals(200, job(jobId).counts().appended());
    assertEquals(numbers(200), waiting(jobId, 30));
  }

  private static List<NewPrompt> prompts(long offset, int count) {
    return LongStream.range(offset, offset + count)
        .mapToObj(i -> new NewPrompt(SQUARE, 1, payload(i)))
        .toList();
  }

  private List<Long> waiting(String jobId, int count) {
    List<Long> offsets = new ArrayList<>();
    Optional<WaitingPage.Place> next = Optional.of(WaitingPage.Place.START);
    while (next.isPresent()) {
      WaitingPage page = await(queue.prompts().waiting(jobId, next.get(), count));
      page.prompts()
          .forEach(
              prompt -> {
                assertEquals(payload(prompt.offset()), prompt.payload());
                offsets.add(prompt.offset());
              });
      next = page.next();
    }
    return offsets;
  }

  @Test
  void whatIsThereIsSkippedAndAGapIsRefused() {
    String jobId = spreadJob(45);
    assertEquals(45, await(queue.prompts().append(jobId, 3, prompts(3, 42))));
    assertEquals(60, await(queue.prompts().append(jobId, 20, prompts(20, 40))));
    for (long offset : new long[] {61, 64, 70, 500}) {
      BitloomException refused =
          error(() -> await(queue.prompts().append(jobId, offset, prompts(offset, 3))));
      assertEquals(ErrorCode.OFFSET_OUT_OF_RANGE, refused.code());
      assertTrue(refused.getMessage().contains("at most 60"), refused.getMessage());
    }
    assertEquals(60, job(jobId).counts().appended());
  }

  private static BitloomException error(Runnable call) {
    return assertThrows(BitloomException.class, call::run);
  }

  @Test
  void coordinatorsThatSpreadOtherwiseAppendToTheSameJob() {
    String jobId = spreadJob(100);
    String single;
    try (JobQueue other = new RunningQueue(redis, settings.spread(1, RUN))) {
      assertEquals(150, await(other.prompts().append(jobId, 100, prompts(100, 50))));
      single = await(other.jobs().create(new NewJob("tenant", "", 1, 5, bytes("spec")))).id();
      assertEquals(20, await(other.prompts().append(single, 0, prompts(0, 20))));
    }
    assertEquals(150, job(jobId).counts().appended());
    assertEquals(numbers(150), waiting(jobId, 64));
    assertEquals(40, await(queue.prompts().append(single, 20, prompts(20, 20))));
    assertEquals(numbers(40), waiting(single, 64));
    assertEquals(1, keysOf(single).size());
  }

  @Test
  void aSealSaysHowManyThereAre() {
    String jobId = spreadJob(50);
    assertEquals(
        ErrorCode.PROMPT_COUNT_MISMATCH,
        error(() -> await(queue.jobs().seal(jobId, OptionalLong.of(49)))).code());
    assertEquals(
        JobState.JOB_STATE_QUEUED, await(queue.jobs().seal(jobId, OptionalLong.of(50))).state());
    assertEquals(
        ErrorCode.JOB_NOT_ACCEPTING,
        error(() -> await(queue.prompts().append(jobId, 50, prompts(50, 1)))).code());
  }

  @Test
  void aPausedJobGivesNothingAndAResumedOneAll() throws InterruptedException {
    String jobId = spreadJob(40);
    await(queue.jobs().pause(jobId));
    assertEquals(Optional.empty(), tryLease(SQUARE, 10));
    append(jobId, 40, 40, SQUARE);
    assertEquals(Optional.empty(), tryLease(SQUARE, 10));
    assertEquals(JobState.JOB_STATE_PAUSED, job(jobId).state());
    await(queue.jobs().seal(jobId, OptionalLong.of(80)));
    await(queue.jobs().resume(jobId));
    drain(jobId, SQUARE);
    assertEquals(80, job(jobId).counts().succeeded());
  }

  @Test
  void aJobEndsWhenTheLastOfItsPartsHas() throws InterruptedException {
    String jobId = spreadJob(4 * RUN);
    await(queue.jobs().seal(jobId, OptionalLong.of(4 * RUN)));
    LeasedBatch kept = lease(SQUARE, RUN);
    for (int i = 0; i < 3; i++) {
      succeed(lease(SQUARE, RUN));
    }
    assertEquals(JobState.JOB_STATE_RUNNING, job(jobId).state());
    fail(kept);
    for (int i = 1; i < settings.maxAttempts(); i++) {
      while (job(jobId).counts().failed() < RUN) {
        tryLease(SQUARE, RUN).ifPresent(this::fail);
      }
    }
    awaitTrue("ended", () -> job(jobId).state() == JobState.JOB_STATE_PARTIALLY_SUCCEEDED);
    assertEquals(RUN, await(queue.results().failures(jobId, Cursor.START, 100)).size());
    assertTrue(
        await(redis.call(r -> r.zscore(keys.activeJobs(), jobId.getBytes(StandardCharsets.UTF_8))))
            == null,
        "nobody watches over it");
  }

  @Test
  void aCancelledJobIsCancelledInAllItsParts() throws InterruptedException {
    String jobId = spreadJob(60);
    LeasedBatch held = lease(SQUARE, 5);
    assertEquals(JobState.JOB_STATE_CANCELLING, await(queue.jobs().cancel(jobId)).state());
    assertEquals(55, job(jobId).counts().cancelled());
    succeed(held);
    awaitTrue("ended", () -> job(jobId).terminal());
    assertEquals(JobState.JOB_STATE_CANCELLED, job(jobId).state());
    assertEquals(Optional.empty(), tryLease(SQUARE, 10));
    assertEquals(60, results(jobId).size());
    await(queue.jobs().delete(jobId, id -> CompletableFuture.completedStage(null)));
    assertEquals(Set.of(), keysOf(jobId));
  }

  @Test
  void theSweepFinishesWhatACrashLeftInOtherParts() throws InterruptedException {
    String jobId = spreadJob(60);
    await(jobs.pause(jobId)); // the other parts and the buckets are not told
    assertTrue(tryLease(SQUARE, 10).isPresent());
    afterASweep(
        "all parts are paused",
        () ->
            IntStream.range(1, PARTS)
                .allMatch(
                    n ->
                        await(jobs.looseEnds(new JobPart(jobId, n, PARTS).id()))
                            .standing()
                            .paused()));
    await(queue.jobs().resume(jobId));
    await(jobs.cancel(jobId, "0", 100, ResultRecord.Status.CANCELLED)); // of the first part only
    afterASweep("all parts are cancelled", () -> job(jobId).counts().queued() == 0);
  }

  /** A queue that starts sweeps once. */
  private void afterASweep(String what, BooleanSupplier condition) throws InterruptedException {
    try (JobQueue sweeping = new RunningQueue(redis, withSweep(settings, Duration.ofMillis(50)))) {
      awaitTrue(what, condition);
    }
  }

  @Test
  void aSmallJobIsInOnePart() throws InterruptedException {
    String jobId = spreadJob(RUN);
    assertEquals(1, keysOf(jobId).size());
    await(queue.jobs().seal(jobId, OptionalLong.of(RUN)));
    succeed(lease(SQUARE, RUN));
    awaitTrue("ended", () -> job(jobId).state() == JobState.JOB_STATE_SUCCEEDED);
  }
}
