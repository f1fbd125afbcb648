package io.bitloom.coordinator.api;

import static io.bitloom.coordinator.TestCoordinator.prompts;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.grpc.GrpcErrors;
import io.bitloom.coordinator.FakeBehaviour;
import io.bitloom.coordinator.FakeDrawing;
import io.bitloom.coordinator.FakeWorker;
import io.bitloom.v1.AppendPromptsRequest;
import io.bitloom.v1.CancelJobRequest;
import io.bitloom.v1.CreateJobRequest;
import io.bitloom.v1.Job;
import io.bitloom.v1.JobState;
import io.bitloom.v1.ListJobsRequest;
import io.bitloom.v1.ListJobsResponse;
import io.bitloom.v1.ListModelsRequest;
import io.bitloom.v1.Model;
import io.bitloom.v1.Prompt;
import io.bitloom.v1.PromptResult;
import io.bitloom.v1.ReadResultsRequest;
import io.bitloom.v1.ReadResultsResponse;
import io.bitloom.v1.SealJobRequest;
import io.bitloom.v1.WatchJobRequest;
import io.bitloom.v1.WatchJobResponse;
import io.grpc.Status;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class BatchServiceIT extends ApiFixture {

  // The whole way

  @Test
  void aJobGoesFromItsPromptsToItsImages() throws Exception {
    Prompt.Builder wide = Prompt.newBuilder().setPrompt("a wide fox").setAspectRatio("3:2");
    wide.setCustomId("fox").setNumImages(2).setSeed(7).setEnablePositivePrompt(true);
    List<Prompt> prompts = new ArrayList<>(prompts(10, "1:1", "16:9"));
    prompts.add(wide.build());
    Job job =
        batch()
            .createJob(
                CreateJobRequest.newBuilder()
                    .setJob(
                        Job.newBuilder()
                            .setDisplayName("Foxes")
                            .putLabels("team", "art")
                            .setDefaults(Prompt.newBuilder().setSize("0.25M")))
                    .build())
            .getJob();
    assertEquals(JobState.JOB_STATE_ACCEPTING, job.getState());
    assertEquals("fake", job.getModel());
    assertEquals(5, job.getPriority());
    assertEquals(11, coordinator.append(job.getName(), 0, prompts));
    Job sealed =
        batch()
            .sealJob(
                SealJobRequest.newBuilder().setName(job.getName()).setExpectedPrompts(11).build())
            .getJob();
    assertEquals(JobState.JOB_STATE_QUEUED, sealed.getState());

    try (FakeWorker worker = FakeWorker.start(coordinator.target(), "w-1", FakeBehaviour.DEFAULT)) {
      Map<String, PromptResult> results =
          coordinator.results(job.getName()).stream()
              .collect(Collectors.toMap(PromptResult::getCustomId, result -> result));
      assertEquals(11, results.size());
      assertTrue(worker.prompts() >= 11);
      PromptResult fox = results.get("fox");
      assertEquals(10, fox.getOffset());
      assertEquals(2, fox.getImages().getImagesCount());
      assertEquals("0.666_0.25M", fox.getProvenance().getSchedule());
      assertEquals("w-1", fox.getProvenance().getWorker());
      assertEquals("sha256:fake", fox.getProvenance().getModelDigest());
      assertEquals(1, fox.getProvenance().getAttempt());
      assertEquals("a fine text", fox.getProvenance().getDrawnText().getText());
      Prompt complete = fox.getProvenance().getPrompt();
      assertEquals(7, complete.getSeed());
      assertEquals(List.of(4.0), complete.getSampling().getGuidanceList());
      for (int i = 0; i < 2; i++) {
        assertEquals(FakeDrawing.bytes(complete, i, 200), fox.getImages().getImages(i).getData());
      }
      PromptResult first = results.get("prompt-0");
      assertEquals("1.0_0.06M", first.getProvenance().getSchedule());
    }
    Job done = coordinator.job(job.getName());
    assertEquals(JobState.JOB_STATE_SUCCEEDED, done.getState());
    assertEquals(11, done.getCounts().getSucceeded());
    assertEquals("Foxes", done.getDisplayName());
    assertEquals(Map.of("team", "art"), done.getLabelsMap());
    assertTrue(done.hasEndTime());
  }

  @Test
  void resultsCanBeReadAgainFromAnyCursorAndWithoutBytes() throws Exception {
    Job job = coordinator.submit(prompts(20));
    try (FakeWorker worker = FakeWorker.start(coordinator.target(), "w-2", FakeBehaviour.DEFAULT)) {
      assertEquals(20, coordinator.results(job.getName()).size());
      assertTrue(worker.prompts() >= 20);
    }
    ReadResultsRequest all = ReadResultsRequest.newBuilder().setName(job.getName()).build();
    List<ReadResultsResponse> first = new ArrayList<>();
    batch().readResults(all).forEachRemaining(first::add);
    for (int from : new int[] {0, 7, 19}) {
      List<ReadResultsResponse> rest = new ArrayList<>();
      batch()
          .readResults(all.toBuilder().setAfterCursor(first.get(from).getCursor()).build())
          .forEachRemaining(rest::add);
      assertEquals(first.subList(from + 1, 20), rest);
    }
    Iterator<ReadResultsResponse> references =
        batch().readResults(all.toBuilder().setReferencesOnly(true).build());
    references.forEachRemaining(
        response -> assertTrue(response.getResult().getImages().getImages(0).hasUri()));
  }

  // Appending

  @Test
  void anAppendGoesOnWhereTheLastOneEnded() {
    String job = coordinator.newJob().getName();
    List<Prompt> prompts = prompts(300);
    coordinator.append(job, 0, prompts.subList(0, 100));
    assertEquals(250, coordinator.append(job, 50, prompts.subList(50, 250)));
    assertEquals(250, coordinator.append(job, 0, prompts.subList(0, 100)));
    BitloomException gap = error(() -> coordinator.append(job, 260, prompts.subList(260, 300)));
    assertEquals(ErrorCode.OFFSET_OUT_OF_RANGE, gap.code());
    assertEquals(300, coordinator.append(job, 250, prompts.subList(250, 300)));
    assertEquals(300, appended(job));
  }

  @Test
  void aMessageIsTakenWholeOrNotAtAllAndWhatWasTakenStays() {
    String job = coordinator.newJob().getName();
    List<Prompt> bad = new ArrayList<>(prompts(10));
    bad.set(7, Prompt.newBuilder().setPrompt("x").setSize("9M").build());
    AppendPromptsRequest first =
        AppendPromptsRequest.newBuilder().setName(job).addAllPrompts(prompts(10)).build();
    AppendPromptsRequest second =
        AppendPromptsRequest.newBuilder().setOffset(10).addAllPrompts(bad).build();
    AppendPromptsRequest third =
        AppendPromptsRequest.newBuilder().setOffset(20).addAllPrompts(prompts(10)).build();

    BitloomException e = error(() -> coordinator.append(List.of(first, second, third)));

    assertError(ErrorCode.INVALID_FIELD, "prompts[7].size", "9M", e);
    assertEquals(10, appended(job));
  }

  @Test
  void manyMessagesInOneCallKeepTheirOrder() {
    String job = coordinator.newJob().getName();
    List<AppendPromptsRequest> messages =
        LongStream.range(0, 50)
            .mapToObj(
                i ->
                    AppendPromptsRequest.newBuilder()
                        .setName(job)
                        .setOffset(i * 40)
                        .addAllPrompts(prompts(40, "1:1", "3:2", "2:3"))
                        .build())
            .toList();
    assertEquals(2000, coordinator.append(messages));
    assertEquals(2000, appended(job));
  }

  @Test
  void anAppendWithoutAMessageNamesWhatIsMissing() {
    assertError(ErrorCode.INVALID_FIELD, "name", "", error(() -> coordinator.append(List.of())));
  }

  @Test
  void aSealedJobTakesNoMorePrompts() {
    Job job = coordinator.submit(prompts(3));
    BitloomException e = error(() -> coordinator.append(job.getName(), 3, prompts(1)));
    assertEquals(ErrorCode.JOB_NOT_ACCEPTING, e.code());
    assertEquals(3, appended(job.getName()));
  }

  @Test
  void aJobIsSealedOnlyWithTheRightCount() {
    String job = coordinator.newJob().getName();
    coordinator.append(job, 0, prompts(3));
    SealJobRequest wrong = SealJobRequest.newBuilder().setName(job).setExpectedPrompts(4).build();
    assertError(
        ErrorCode.PROMPT_COUNT_MISMATCH,
        "expected_prompts",
        "4",
        error(() -> batch().sealJob(wrong)));
    assertEquals(JobState.JOB_STATE_ACCEPTING, coordinator.job(job).getState());
  }

  // Creating

  @Test
  void aRepeatedRequestReturnsTheFirstJobAndAnotherOneIsRefused() {
    CreateJobRequest request =
        CreateJobRequest.newBuilder()
            .setRequestId("submission-1")
            .setJob(Job.newBuilder().setDisplayName("one").putLabels("a", "1").putLabels("b", "2"))
            .build();
    String name = batch().createJob(request).getJob().getName();
    coordinator.append(name, 0, prompts(2));
    CreateJobRequest.Builder again = request.toBuilder();
    again.getJobBuilder().clearLabels().putLabels("b", "2").putLabels("a", "1");
    Job same = batch().createJob(again.build()).getJob();
    assertEquals(name, same.getName());
    assertEquals(2, same.getCounts().getAppended());

    CreateJobRequest.Builder other = request.toBuilder();
    other.getJobBuilder().setDisplayName("two");
    BitloomException e = error(() -> batch().createJob(other.build()));
    assertError(ErrorCode.REQUEST_ID_REUSED, "request_id", "submission-1", e);
    assertEquals(Status.Code.ALREADY_EXISTS, GrpcErrors.status(e.code()));
    assertNotEquals(name, coordinator.newJob().getName());
  }

  @Test
  void anUnknownModelIsNotFound() {
    CreateJobRequest request =
        CreateJobRequest.newBuilder().setJob(Job.newBuilder().setModel("infinity-99b")).build();
    BitloomException e = error(() -> batch().createJob(request));
    assertError(ErrorCode.MODEL_NOT_FOUND, "job.model", "infinity-99b", e);
    assertEquals(Status.Code.NOT_FOUND, GrpcErrors.status(e.code()));
  }

  @Test
  void knownModelsAreListedWithTheirWorkers() {
    List<Model> models = batch().listModels(ListModelsRequest.getDefaultInstance()).getModelsList();
    assertEquals(List.of("fake"), models.stream().map(Model::getName).toList());
    assertEquals(List.of("0.06M", "0.25M"), models.get(0).getSizesList());
  }

  // Listing, watching, cancelling

  @Test
  void jobsAreListedNewestFirstPageByPage() {
    List<String> made = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      made.add(0, coordinator.newJob().getName());
    }
    List<String> listed = new ArrayList<>();
    String token = "";
    do {
      ListJobsResponse page =
          batch().listJobs(ListJobsRequest.newBuilder().setPageSize(2).setPageToken(token).build());
      assertTrue(page.getJobsCount() <= 2);
      page.getJobsList().forEach(job -> listed.add(job.getName()));
      token = page.getNextPageToken();
    } while (!token.isEmpty());
    assertEquals(made, listed.subList(0, 5));
    assertEquals(listed.size(), listed.stream().distinct().count());
  }

  @Test
  void aCancelledJobKeepsItsResultsAndIsTerminal() throws Exception {
    Job job = coordinator.submit(prompts(50));
    Job cancelled =
        batch().cancelJob(CancelJobRequest.newBuilder().setName(job.getName()).build()).getJob();
    assertEquals(JobState.JOB_STATE_CANCELLED, cancelled.getState());
    assertEquals(50, cancelled.getCounts().getCancelled());
    List<PromptResult> results = coordinator.results(job.getName());
    assertEquals(50, results.size());
    assertTrue(results.stream().allMatch(r -> r.getFailure().getReason().equals("CANCELLED")));
    Job again =
        batch().cancelJob(CancelJobRequest.newBuilder().setName(job.getName()).build()).getJob();
    assertEquals(cancelled, again);
  }

  @Test
  void aWatcherSeesEveryStateUntilTheEnd() throws Exception {
    Job job = coordinator.newJob();
    coordinator.append(job.getName(), 0, prompts(30));
    Iterator<WatchJobResponse> watch =
        batch().watchJob(WatchJobRequest.newBuilder().setName(job.getName()).build());
    assertEquals(JobState.JOB_STATE_ACCEPTING, watch.next().getJob().getState());
    coordinator.seal(job.getName());
    assertEquals(JobState.JOB_STATE_QUEUED, watch.next().getJob().getState());
    try (FakeWorker worker = FakeWorker.start(coordinator.target(), "w-3", FakeBehaviour.DEFAULT)) {
      Job last = job;
      while (watch.hasNext()) {
        last = watch.next().getJob();
      }
      assertEquals(JobState.JOB_STATE_SUCCEEDED, last.getState());
      assertEquals(30, last.getCounts().getSucceeded());
      assertTrue(worker.prompts() >= 30);
    }
  }
}
