package io.bitloom.coordinator.api;

import static io.bitloom.coordinator.TestCoordinator.awaitTrue;
import static io.bitloom.coordinator.TestCoordinator.prompts;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Duration;
import com.google.protobuf.FieldMask;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.coordinator.FakeBehaviour;
import io.bitloom.coordinator.FakeWorker;
import io.bitloom.coordinator.TestCoordinator;
import io.bitloom.coordinator.config.AccessConfig;
import io.bitloom.coordinator.config.LimitsConfig;
import io.bitloom.v1.CancelJobRequest;
import io.bitloom.v1.CreateJobRequest;
import io.bitloom.v1.DeleteJobRequest;
import io.bitloom.v1.FailedPrompt;
import io.bitloom.v1.Job;
import io.bitloom.v1.JobState;
import io.bitloom.v1.ListFailuresRequest;
import io.bitloom.v1.ListFailuresResponse;
import io.bitloom.v1.ListJobsRequest;
import io.bitloom.v1.OutcomeKind;
import io.bitloom.v1.PauseJobRequest;
import io.bitloom.v1.PromptResult;
import io.bitloom.v1.ReadResultsRequest;
import io.bitloom.v1.ReplayJobRequest;
import io.bitloom.v1.ResumeJobRequest;
import io.bitloom.v1.UpdateJobRequest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Jobs that are paused, hurried, too late, repeated, deleted, listed. */
class JobControlApiIT extends ApiFixture {

  private static Job create(Job.Builder job) {
    return batch().createJob(CreateJobRequest.newBuilder().setJob(job).build()).getJob();
  }

  private static Job pause(String name) {
    return batch().pauseJob(PauseJobRequest.newBuilder().setName(name).build()).getJob();
  }

  private static Job resume(String name) {
    return batch().resumeJob(ResumeJobRequest.newBuilder().setName(name).build()).getJob();
  }

  private static Job replay(String name, boolean includeCancelled) {
    return batch()
        .replayJob(
            ReplayJobRequest.newBuilder()
                .setName(name)
                .setIncludeCancelled(includeCancelled)
                .build())
        .getJob();
  }

  private static FakeWorker worker() {
    return FakeWorker.start(coordinator.target(), "w", FakeBehaviour.DEFAULT);
  }

  @Test
  void aPausedJobWaitsAndOthersAreDrawn() throws Exception {
    Job paused = coordinator.submit(prompts(20, "1:1", "3:2"));
    assertEquals(JobState.JOB_STATE_PAUSED, pause(paused.getName()).getState());
    assertEquals(JobState.JOB_STATE_PAUSED, pause(paused.getName()).getState());
    try (FakeWorker worker = worker()) {
      Job other = coordinator.submit(prompts(20, "1:1", "3:2"));
      assertEquals(20, coordinator.results(other.getName()).size());
      assertEquals(0, coordinator.job(paused.getName()).getCounts().getSucceeded());
      resume(paused.getName());
      assertEquals(20, coordinator.results(paused.getName()).size());
      assertEquals(40, worker.committed());
    }
    BitloomException ended = error(() -> pause(paused.getName()));
    assertEquals(ErrorCode.JOB_NOT_OPEN, ended.code());
    assertEquals(
        paused.getName() + " can no longer be changed: it has succeeded", ended.getMessage());
  }

  private static Job update(Job job, String... paths) {
    return batch()
        .updateJob(
            UpdateJobRequest.newBuilder()
                .setJob(job)
                .setUpdateMask(FieldMask.newBuilder().addAllPaths(List.of(paths)))
                .build())
        .getJob();
  }

  @Test
  void priorityNameAndLabelsCanBeChangedAndNothingElse() {
    String name = coordinator.newJob().getName();
    Job eight = Job.newBuilder().setName(name).setPriority(8).build();
    assertEquals(8, update(eight).getPriority());
    assertError(
        ErrorCode.INVALID_FIELD, "update_mask", "model", error(() -> update(eight, "model")));
    assertError(
        ErrorCode.INVALID_FIELD,
        "job.priority",
        "10",
        error(() -> update(eight.toBuilder().setPriority(10).build())));
    Job bare = Job.newBuilder().setName(name).build();
    assertError(ErrorCode.INVALID_FIELD, "update_mask", "", error(() -> update(bare)));
    assertError(ErrorCode.INVALID_FIELD, "job.priority", "", error(() -> update(bare, "priority")));
    assertError(
        ErrorCode.INVALID_FIELD,
        "job.display_name",
        "a\\u000ab",
        error(() -> update(bare.toBuilder().setDisplayName("a\nb").build())));
    assertEquals(8, coordinator.job(name).getPriority());
    assertEquals("", coordinator.job(name).getDisplayName());
  }

  @Test
  void aJobIsFoundByItsNewNameAndLabelsAndStillByItsRequestId() {
    String mark = "m" + System.nanoTime();
    CreateJobRequest request =
        CreateJobRequest.newBuilder()
            .setRequestId(mark)
            .setJob(Job.newBuilder().setDisplayName("old").putLabels("a", "1").putLabels("b", "2"))
            .build();
    String name = batch().createJob(request).getJob().getName();
    coordinator.append(name, 0, prompts(2));
    Job changed = Job.newBuilder().setName(name).setDisplayName(mark).build();
    Job renamed = update(changed);
    assertEquals(mark, renamed.getDisplayName());
    assertEquals(Map.of("a", "1", "b", "2"), renamed.getLabelsMap());
    assertEquals(5, renamed.getPriority());
    coordinator.cancel(coordinator.seal(name).getName());

    Job labelled = changed.toBuilder().clearDisplayName().putLabels("c", mark).build();
    assertEquals(Map.of("c", mark), update(labelled, "labels").getLabelsMap());
    Job closed = changed.toBuilder().setDisplayName("x").setPriority(1).build();
    assertEquals(ErrorCode.JOB_NOT_OPEN, error(() -> update(closed)).code());
    for (String filter : List.of("labels.c = " + mark, "display_name = " + mark)) {
      ListJobsRequest list = ListJobsRequest.newBuilder().setFilter(filter).build();
      assertEquals(1, batch().listJobs(list).getJobsCount(), filter);
    }
    assertEquals(name, batch().createJob(request).getJob().getName());
    Job again = replay(name, true);
    update(changed.toBuilder().setDisplayName("after the replay").build());
    assertEquals(again.getName(), replay(name, true).getName());
    coordinator.cancel(again.getName());
  }

  @Test
  void aJobWhoseWindowPassesExpiresWithAReasonForEveryPrompt() {
    Job job = create(Job.newBuilder().setCompletionWindow(Duration.newBuilder().setSeconds(1)));
    assertTrue(job.hasExpireTime());
    coordinator.append(job.getName(), 0, prompts(3));
    coordinator.seal(job.getName());
    List<PromptResult> results = coordinator.results(job.getName());
    assertEquals(3, results.size());
    assertTrue(
        results.stream().allMatch(result -> result.getFailure().getReason().equals("EXPIRED")));
    assertEquals(JobState.JOB_STATE_EXPIRED, coordinator.job(job.getName()).getState());
    assertError(
        ErrorCode.INVALID_FIELD,
        "job.completion_window",
        "0 s 5 ns",
        error(
            () -> create(Job.newBuilder().setCompletionWindow(Duration.newBuilder().setNanos(5)))));
  }

  @Test
  void failuresAreListedReplayedOnceAndReadByKind() throws Exception {
    Job job = coordinator.submit(prompts(30, "1:1", "3:2"));
    try (FakeWorker failing =
        FakeWorker.start(
            coordinator.target(), "failing", FakeBehaviour.DEFAULT.withTroubles(0.8, 0, 5))) {
      coordinator.results(job.getName());
    }
    Job ended = coordinator.job(job.getName());
    long failed = ended.getCounts().getFailed();
    assertTrue(failed > 5, "failed: " + failed);
    List<FailedPrompt> failures = new ArrayList<>();
    String token = "";
    do {
      ListFailuresResponse page =
          batch()
              .listFailures(
                  ListFailuresRequest.newBuilder()
                      .setName(job.getName())
                      .setPageSize(4)
                      .setPageToken(token)
                      .build());
      failures.addAll(page.getFailuresList());
      token = page.getNextPageToken();
    } while (!token.isEmpty());
    assertEquals(failed, failures.size());
    assertTrue(failures.stream().allMatch(f -> f.getFailure().getAttempts() == 3));
    assertTrue(failures.stream().allMatch(f -> !f.getFailure().getReason().isEmpty()));
    assertEquals(
        failures.stream().map(FailedPrompt::getOffset).toList(),
        read(job.getName(), OutcomeKind.OUTCOME_KIND_FAILED).stream()
            .map(PromptResult::getOffset)
            .toList());
    assertEquals(
        ended.getCounts().getSucceeded(),
        read(job.getName(), OutcomeKind.OUTCOME_KIND_SUCCEEDED).size());

    Job again = replay(job.getName(), false);
    assertEquals(again.getName(), replay(job.getName(), false).getName());
    assertEquals(job.getName(), again.getReplayOf());
    assertEquals(failed, again.getCounts().getAppended());
    try (FakeWorker worker = worker()) {
      List<PromptResult> results = coordinator.results(again.getName());
      assertTrue(results.stream().allMatch(PromptResult::hasImages));
      assertEquals(
          failures.stream().map(FailedPrompt::getCustomId).sorted().toList(),
          results.stream().map(PromptResult::getCustomId).sorted().toList());
    }
    assertEquals(ended, coordinator.job(job.getName()));
    BitloomException nothing = error(() -> replay(again.getName(), false));
    assertEquals(ErrorCode.NOTHING_TO_REPLAY, nothing.code());
    assertEquals("no prompt of " + again.getName() + " failed", nothing.getMessage());
    assertError(
        ErrorCode.INVALID_FIELD,
        "page_token",
        "x",
        error(
            () ->
                batch()
                    .listFailures(
                        ListFailuresRequest.newBuilder()
                            .setName(job.getName())
                            .setPageToken("x")
                            .build())));
  }

  private static List<PromptResult> read(String name, OutcomeKind kind) {
    List<PromptResult> results = new ArrayList<>();
    batch()
        .readResults(ReadResultsRequest.newBuilder().setName(name).addOutcomes(kind).build())
        .forEachRemaining(response -> results.add(response.getResult()));
    return results;
  }

  @Test
  void whatWasCancelledCanBeReplayedToo() {
    Job job = coordinator.submit(prompts(300, "1:1", "3:2", "16:9"));
    assertEquals(ErrorCode.JOB_NOT_TERMINAL, error(() -> replay(job.getName(), true)).code());
    batch().cancelJob(CancelJobRequest.newBuilder().setName(job.getName()).build());
    BitloomException nothing = error(() -> replay(job.getName(), false));
    assertEquals(ErrorCode.NOTHING_TO_REPLAY, nothing.code());
    assertTrue(
        nothing.getMessage().contains("300 were cancelled or expired"), nothing.getMessage());
    assertTrue(nothing.getMessage().contains("--cancelled"), nothing.getMessage());
    Job again = replay(job.getName(), true);
    assertEquals(300, again.getCounts().getQueued());
    assertEquals(JobState.JOB_STATE_QUEUED, again.getState());
    batch().cancelJob(CancelJobRequest.newBuilder().setName(again.getName()).build());
  }

  @Test
  void aDeletedJobIsGoneWithItsImages() throws Exception {
    Job job = coordinator.submit(prompts(3));
    DeleteJobRequest request = DeleteJobRequest.newBuilder().setName(job.getName()).build();
    BitloomException open = error(() -> batch().deleteJob(request));
    assertEquals(ErrorCode.JOB_NOT_TERMINAL, open.code());
    assertEquals(
        job.getName() + " must be cancelled first: it waits in the queue", open.getMessage());
    try (FakeWorker worker = worker()) {
      coordinator.results(job.getName());
    }
    assertEquals(3, files(job));
    batch().deleteJob(request);
    assertEquals(0, files(job));
    assertEquals(ErrorCode.JOB_NOT_FOUND, error(() -> coordinator.job(job.getName())).code());
    assertEquals(ErrorCode.JOB_NOT_FOUND, error(() -> batch().deleteJob(request)).code());
    assertFalse(
        batch().listJobs(ListJobsRequest.getDefaultInstance()).getJobsList().stream()
            .anyMatch(listed -> listed.getName().equals(job.getName())));
  }

  @Test
  void whatIsOldIsDeletedByItself() throws Exception {
    try (TestCoordinator tidy =
        TestCoordinator.start(
            directory.resolve("tidy"),
            AccessConfig.LOOPBACK,
            LimitsConfig.DEFAULTS,
            Optional.of(java.time.Duration.ofSeconds(1)))) {
      tidy.announce("fake", "0.06M");
      Job open = tidy.newJob();
      Job old = tidy.cancel(tidy.submit(prompts(2)).getName());
      awaitTrue("deleted", () -> isGone(tidy, old));
      assertEquals(open.getName(), tidy.job(open.getName()).getName());
    }
  }

  private static boolean isGone(TestCoordinator where, Job job) {
    return where.batch().listJobs(ListJobsRequest.getDefaultInstance()).getJobsList().stream()
        .noneMatch(listed -> listed.getName().equals(job.getName()));
  }

  private static long files(Job job) throws Exception {
    String id = job.getName().substring("jobs/".length());
    try (Stream<Path> files = Files.walk(directory.resolve("results"))) {
      return files.filter(Files::isRegularFile).filter(f -> f.toString().contains(id)).count();
    }
  }

  @Test
  void jobsAreFilteredAndPagesOfAFilterGoOn() {
    String run = "run-" + System.nanoTime();
    List<String> mine = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      mine.add(0, create(Job.newBuilder().putLabels("run", run)).getName());
      coordinator.newJob();
    }
    List<String> listed = new ArrayList<>();
    String token = "";
    do {
      var page =
          batch()
              .listJobs(
                  ListJobsRequest.newBuilder()
                      .setFilter("labels.run = " + run + " AND state = ACCEPTING")
                      .setPageSize(2)
                      .setPageToken(token)
                      .build());
      page.getJobsList().forEach(job -> listed.add(job.getName()));
      token = page.getNextPageToken();
    } while (!token.isEmpty());
    assertEquals(mine, listed);
    assertError(
        ErrorCode.INVALID_FIELD,
        "filter",
        "stat = RUNNING",
        error(
            () ->
                batch()
                    .listJobs(ListJobsRequest.newBuilder().setFilter("stat = RUNNING").build())));
  }
}
