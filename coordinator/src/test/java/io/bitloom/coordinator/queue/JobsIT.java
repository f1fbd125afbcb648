package io.bitloom.coordinator.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.v1.JobState;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class JobsIT extends QueueFixture {

  @Test
  void aPromptGoesThroughTheQueueAndItsResultCarriesPromptAndBody() {
    String jobId = sealedJob(3, SQUARE, TALL);
    assertEquals(JobState.JOB_STATE_QUEUED, job(jobId).state());

    LeasedBatch square = lease(SQUARE, 16);
    assertEquals(List.of(0L, 2L), offsets(square));
    assertEquals(payload(2), square.tasks().get(1).payload());
    assertEquals(1, square.tasks().get(1).attempt());
    assertEquals(JobState.JOB_STATE_RUNNING, job(jobId).state());
    assertEquals(new JobRecord.Counts(3, 1, 2, 0, 0, 0, 0), job(jobId).counts());

    assertEquals(List.of(TaskVerdict.COMMITTED, TaskVerdict.COMMITTED), succeed(square));
    succeed(lease(TALL, 16));

    JobRecord done = job(jobId);
    assertEquals(JobState.JOB_STATE_SUCCEEDED, done.state());
    assertEquals(new JobRecord.Counts(3, 0, 0, 3, 0, 0, 0), done.counts());
    assertEquals(new JobRecord.Images(3, 3), done.images());
    assertTrue(done.endTime().isPresent() && done.startTime().isPresent());
    List<ResultRecord> results = results(jobId);
    assertEquals(List.of(1L, 2L, 3L), places(results));
    assertEquals(List.of(0L, 2L, 1L), results.stream().map(ResultRecord::offset).toList());
    assertEquals(payload(1), results.get(2).payload());
    assertEquals(bytes("image of 1"), results.get(2).body());
    assertEquals(1, results.get(2).attempt());
    assertEquals(ResultRecord.Status.SUCCEEDED, results.get(2).status());
  }

  @Test
  void aRepeatedRequestIdFindsTheFirstJobOfItsTenant() {
    NewJob request = new NewJob("a", "nightly", 1, 5, bytes("spec"));
    String first = await(queue.jobs().create(request)).id();

    assertEquals(first, await(queue.jobs().create(request)).id());
    assertNotEquals(
        first, await(queue.jobs().create(new NewJob("b", "nightly", 1, 5, bytes("spec")))).id());
    assertError(
        ErrorCode.REQUEST_ID_REUSED,
        () -> await(queue.jobs().create(new NewJob("a", "nightly", 1, 5, bytes("other")))));
    assertEquals(1, await(queue.jobs().list(all("a"), 10, "")).jobs().size());
  }

  @Test
  void appendingAgainSkipsWhatIsThereAndAGapIsRefused() {
    String jobId = newJob();
    append(jobId, 0, 5, SQUARE);
    append(jobId, 3, 5, SQUARE);
    append(jobId, 0, 8, SQUARE);

    assertEquals(8, job(jobId).counts().appended());
    assertError(ErrorCode.OFFSET_OUT_OF_RANGE, () -> append(jobId, 9, 1, SQUARE));
    assertEquals(LongStream.range(0, 8).boxed().toList(), offsets(lease(SQUARE, 100)));
  }

  @Test
  void appendsMayOverlapWithoutWaiting() {
    String jobId = newJob();
    List<NewPrompt> prompts = Collections.nCopies(70, new NewPrompt(SQUARE, 1, bytes("p")));
    var first = queue.prompts().append(jobId, 0, prompts);
    var second = queue.prompts().append(jobId, 70, prompts);
    var third = queue.prompts().append(jobId, 140, prompts);

    assertEquals(List.of(70L, 140L, 210L), List.of(await(first), await(second), await(third)));
    assertEquals(210, backlog(SQUARE).prompts());
  }

  @Test
  void aSealedJobTakesNoMorePromptsAndSealingAgainChangesNothing() {
    String jobId = sealedJob(2, SQUARE);
    JobRecord sealed = job(jobId);

    assertEquals(sealed, await(queue.jobs().seal(jobId, OptionalLong.of(2))));
    assertError(
        ErrorCode.PROMPT_COUNT_MISMATCH, () -> await(queue.jobs().seal(jobId, OptionalLong.of(3))));
    assertError(ErrorCode.JOB_NOT_ACCEPTING, () -> append(jobId, 2, 1, SQUARE));
  }

  @Test
  void aWrongCountLeavesTheJobOpen() {
    String jobId = newJob();
    append(jobId, 0, 2, SQUARE);

    assertError(
        ErrorCode.PROMPT_COUNT_MISMATCH, () -> await(queue.jobs().seal(jobId, OptionalLong.of(3))));
    assertEquals(JobState.JOB_STATE_ACCEPTING, job(jobId).state());
  }

  @Test
  void anEmptyJobSucceedsWhenItIsSealed() {
    assertEquals(JobState.JOB_STATE_SUCCEEDED, job(sealedJob(0, SQUARE)).state());
  }

  @Test
  void aJobWhosePromptsAreDoneStaysOpenUntilItIsSealed() {
    String jobId = newJob();
    append(jobId, 0, 2, SQUARE);
    succeed(lease(SQUARE, 2));
    assertEquals(JobState.JOB_STATE_ACCEPTING, job(jobId).state());

    assertEquals(
        JobState.JOB_STATE_SUCCEEDED,
        await(queue.jobs().seal(jobId, OptionalLong.empty())).state());
  }

  @Test
  void failuresMakeAJobPartlySuccessfulOrFailed() {
    String some = sealedJob(2, SQUARE);
    LeasedBatch batch = lease(SQUARE, 2);
    await(
        queue
            .leases()
            .commit(
                batch.lease(),
                List.of(
                    new TaskOutcome(batch.tasks().get(0).task(), false, bytes("REJECTED")),
                    new TaskOutcome(batch.tasks().get(1).task(), true, bytes("image")))));
    assertEquals(JobState.JOB_STATE_PARTIALLY_SUCCEEDED, job(some).state());
    assertEquals(ResultRecord.Status.FAILED, results(some).get(0).status());
    assertEquals(bytes("REJECTED"), results(some).get(0).body());

    String all = sealedJob(1, SQUARE);
    LeasedBatch bad = lease(SQUARE, 1);
    await(
        queue
            .leases()
            .commit(
                bad.lease(),
                List.of(new TaskOutcome(bad.tasks().get(0).task(), false, bytes("x")))));
    assertEquals(JobState.JOB_STATE_FAILED, job(all).state());
  }

  @Test
  void cancellingKeepsResultsCancelsWhatWaitsAndLetsRunningPromptsFinish() {
    String jobId = newJob();
    append(jobId, 0, 400, SQUARE, TALL);
    succeed(lease(SQUARE, 3));
    LeasedBatch running = lease(TALL, 2);

    JobRecord cancelling = await(queue.jobs().cancel(jobId));
    assertEquals(JobState.JOB_STATE_CANCELLING, cancelling.state());
    assertEquals(new JobRecord.Counts(400, 0, 2, 3, 0, 395, 0), cancelling.counts());
    assertEquals(Optional.empty(), tryLease(SQUARE, 8));
    assertEquals(0, backlog(SQUARE).prompts());
    assertError(ErrorCode.JOB_NOT_ACCEPTING, () -> append(jobId, 400, 1, SQUARE));

    succeed(running);
    JobRecord cancelled = job(jobId);
    assertEquals(JobState.JOB_STATE_CANCELLED, cancelled.state());
    assertEquals(new JobRecord.Counts(400, 0, 0, 5, 0, 395, 0), cancelled.counts());
    List<ResultRecord> results = results(jobId);
    assertEquals(
        LongStream.range(0, 400).boxed().toList(),
        results.stream().map(ResultRecord::offset).sorted().toList());
    assertTrue(results.stream().allMatch(r -> r.payload().equals(payload(r.offset()))));
    assertEquals(cancelled, await(queue.jobs().cancel(jobId)));
  }

  @Test
  void aPromptThatComesBackToACancelledJobIsCancelled() {
    String jobId = sealedJob(3, SQUARE);
    LeasedBatch running = lease(SQUARE, 3);
    await(queue.jobs().cancel(jobId));

    await(queue.leases().release(running.lease(), List.of(running.tasks().get(0).task())));
    await(
        queue
            .leases()
            .fail(
                running.lease(),
                List.of(new TaskFailure(running.tasks().get(1).task(), bytes("x")))));
    await(queue.leases().expire(running.lease()));

    assertEquals(JobState.JOB_STATE_CANCELLED, job(jobId).state());
    assertEquals(3, job(jobId).counts().cancelled());
    assertEquals(3, results(jobId).size());
  }

  @Test
  void anUnknownJobIsNotFoundWhateverIsAsked() {
    for (Executable call :
        List.<Executable>of(
            () -> await(queue.jobs().get("nowhere")),
            () -> append("nowhere", 0, 1, SQUARE),
            () -> await(queue.jobs().seal("nowhere", OptionalLong.empty())),
            () -> await(queue.jobs().cancel("nowhere")),
            () -> await(queue.results().read("nowhere", Cursor.START, 10)))) {
      assertError(ErrorCode.JOB_NOT_FOUND, call);
    }
  }

  @Test
  void pagesListJobsNewestFirstByTenantAndState() {
    List<String> mine = new ArrayList<>();
    for (int i = 0; i < 7; i++) {
      mine.add(0, newJob("mine", 1, 5));
      newJob("theirs", 1, 5);
    }
    await(queue.jobs().cancel(mine.get(2)));

    assertEquals(mine, listed(all("mine"), 3));
    assertEquals(14, listed(new JobFilter(Optional.empty(), Set.of()), 4).size());
    assertEquals(
        List.of(mine.get(2)),
        listed(new JobFilter(Optional.of("mine"), Set.of(JobState.JOB_STATE_CANCELLED)), 2));
    assertError(ErrorCode.INVALID_FIELD, () -> await(queue.jobs().list(all("mine"), 3, "x")));
  }

  private List<String> listed(JobFilter filter, int pageSize) {
    List<String> ids = new ArrayList<>();
    String token = "";
    do {
      JobPage page = await(queue.jobs().list(filter, pageSize, token));
      page.jobs().forEach(job -> ids.add(job.id()));
      token = page.nextPageToken();
    } while (!token.isEmpty());
    return ids;
  }

  @Test
  void resultsCanBeReadFromAnyCursorInPagesOfAnySize() {
    String jobId = sealedJob(50, SQUARE);
    for (int size : List.of(7, 1, 20, 22)) {
      succeed(lease(SQUARE, size));
    }
    List<ResultRecord> all = results(jobId);
    assertEquals(LongStream.rangeClosed(1, 50).boxed().toList(), places(all));
    for (int after = 0; after <= 50; after++) {
      for (int count : List.of(1, 3, 10, 100)) {
        assertEquals(
            all.subList(after, Math.min(50, after + count)),
            await(queue.results().read(jobId, Cursor.of(after), count)),
            "after " + after + ", at most " + count);
      }
    }
  }

  @Test
  void whoeverFollowsAJobIsToldOfEveryChange() throws InterruptedException {
    String jobId = newJob();
    AtomicInteger told = new AtomicInteger();
    try (Subscription followed = await(queue.jobs().onChanged(jobId, told::incrementAndGet))) {
      awaitTrue("told that changes before may have been missed", () -> told.get() == 1);
      append(jobId, 0, 1, SQUARE);
      awaitTrue("append told", () -> told.get() == 2);
      succeed(lease(SQUARE, 1));
      awaitTrue("start and commit told", () -> told.get() == 4);
      await(queue.jobs().seal(jobId, OptionalLong.empty()));
      awaitTrue("seal told", () -> told.get() == 5);
    }
  }

  @Test
  void modelsStayKnown() {
    await(queue.models().put("demo", bytes("first")));
    await(queue.models().put("demo", bytes("second")));
    await(queue.models().put("big model {v2}", ByteString.EMPTY));

    assertEquals(
        java.util.Map.of("demo", bytes("second"), "big model {v2}", ByteString.EMPTY),
        await(queue.models().all()));
  }

  private static JobFilter all(String tenant) {
    return new JobFilter(Optional.of(tenant), Set.of());
  }

  private static void assertError(ErrorCode code, Executable call) {
    assertEquals(code, assertThrows(BitloomException.class, call).code());
  }
}
