package io.bitloom.coordinator.api;

import static io.bitloom.coordinator.TestCoordinator.awaitTrue;
import static io.bitloom.coordinator.TestCoordinator.prompts;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.error.ErrorCode;
import io.bitloom.coordinator.FakeBehaviour;
import io.bitloom.coordinator.FakeDrawing;
import io.bitloom.coordinator.FakeWorker;
import io.bitloom.v1.GenerateRequest;
import io.bitloom.v1.GenerateResponse;
import io.bitloom.v1.GetLimitsRequest;
import io.bitloom.v1.GetLimitsResponse;
import io.bitloom.v1.Job;
import io.bitloom.v1.JobState;
import io.bitloom.v1.OutcomeKind;
import io.bitloom.v1.Prompt;
import io.bitloom.v1.PromptEvent;
import io.bitloom.v1.PromptResult;
import io.bitloom.v1.WatchJobRequest;
import io.bitloom.v1.WatchJobResponse;
import io.grpc.Context;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** Single prompts, events of prompts, limits. */
class InteractiveIT extends ApiFixture {

  private static final GenerateRequest FOX =
      GenerateRequest.newBuilder()
          .setPrompt(Prompt.newBuilder().setPrompt("a fox").setSize("0.06M").setNumImages(2))
          .build();

  private static FakeWorker worker() {
    return FakeWorker.start(coordinator.target(), "w", FakeBehaviour.DEFAULT);
  }

  @Test
  void aSinglePromptIsDrawnBeforeWhatWaitsAndLeavesNoJobAndNoMemory() throws Exception {
    Job bulk = coordinator.submit(prompts(200, "1:1"));
    List<GenerateResponse> answers = new ArrayList<>();
    try (FakeWorker worker = worker()) {
      batch().generate(FOX).forEachRemaining(answers::add);
      assertTrue(coordinator.job(bulk.getName()).getCounts().getQueued() > 0);
    }
    Job job = answers.get(0).getJob();
    assertEquals(9, job.getPriority());
    PromptResult result = answers.get(answers.size() - 1).getResult();
    assertEquals(2, result.getImages().getImagesCount());
    assertEquals(
        FakeDrawing.bytes(result.getProvenance().getPrompt(), 1, 200),
        result.getImages().getImages(1).getData());
    assertGone(job);
    assertTrue(metrics().contains("bitloom_results_unread_bytes 0.0"));
    coordinator.cancel(bulk.getName());
  }

  private static String metrics() throws Exception {
    return HttpClient.newHttpClient()
        .send(
            HttpRequest.newBuilder(URI.create(coordinator.http("/metrics"))).build(),
            HttpResponse.BodyHandlers.ofString())
        .body();
  }

  private static void assertGone(Job job) {
    try {
      awaitTrue(
          "deleted",
          () -> {
            try {
              coordinator.job(job.getName());
              return false;
            } catch (RuntimeException e) {
              return true;
            }
          });
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
    assertEquals(ErrorCode.JOB_NOT_FOUND, error(() -> coordinator.job(job.getName())).code());
  }

  @Test
  void aPromptWhoseCallerLeftIsCancelledAndItsJobGoesWhenItHasEnded() throws Exception {
    Context.CancellableContext call = Context.current().withCancellation();
    Job[] job = new Job[1];
    call.run(
        () -> {
          Iterator<GenerateResponse> answers = batch().generate(FOX);
          job[0] = answers.next().getJob();
        });
    call.cancel(null);
    assertGone(job[0]);
  }

  @Test
  void aBadSinglePromptIsRefusedByFieldAndMakesNoJob() {
    for (Prompt bad :
        List.of(
            Prompt.getDefaultInstance(),
            FOX.getPrompt().toBuilder().setSize("1M").build(),
            FOX.getPrompt().toBuilder().setNumImages(17).build())) {
      GenerateRequest request = FOX.toBuilder().setPrompt(bad).build();
      var e = error(() -> batch().generate(request).next());
      assertEquals(ErrorCode.INVALID_FIELD, e.code());
      assertTrue(e.violations().get(0).field().startsWith("prompt."), e.getMessage());
    }
    assertError(
        ErrorCode.INVALID_FIELD,
        "preview_pixels",
        "513",
        error(() -> batch().generate(FOX.toBuilder().setPreviewPixels(513).build()).next()));
  }

  @Test
  void everyPromptHasOneEventAndAWatcherGoesOnAfterItsLast() {
    Job job = coordinator.submit(prompts(150, "1:1", "3:2"));
    List<PromptEvent> events = new ArrayList<>();
    String cursor = "";
    try (FakeWorker worker = worker()) {
      Context.CancellableContext first = Context.current().withCancellation();
      Context before = first.attach();
      try {
        Iterator<WatchJobResponse> stream = watch(job, "");
        while (events.size() < 70) {
          WatchJobResponse told = stream.next();
          if (told.hasPrompt()) {
            events.add(told.getPrompt());
            cursor = told.getCursor();
          }
        }
      } finally {
        first.detach(before);
        first.cancel(null);
      }
      Iterator<WatchJobResponse> stream = watch(job, cursor);
      JobState last = JobState.JOB_STATE_UNSPECIFIED;
      while (stream.hasNext()) {
        WatchJobResponse told = stream.next();
        if (told.hasPrompt()) {
          events.add(told.getPrompt());
        } else {
          last = told.getJob().getState();
        }
      }
      assertEquals(JobState.JOB_STATE_SUCCEEDED, last);
    }
    assertEquals(
        LongStream.range(0, 150).boxed().toList(),
        events.stream().map(PromptEvent::getOffset).sorted().toList());
    assertTrue(
        events.stream()
            .allMatch(event -> event.getOutcome() == OutcomeKind.OUTCOME_KIND_SUCCEEDED));
    assertError(ErrorCode.INVALID_FIELD, "after_cursor", "x", error(() -> watch(job, "x").next()));
  }

  private static Iterator<WatchJobResponse> watch(Job job, String cursor) {
    return batch()
        .watchJob(
            WatchJobRequest.newBuilder()
                .setName(job.getName())
                .setPrompts(true)
                .setAfterCursor(cursor)
                .build());
  }

  @Test
  void aCallerCanAskForItsLimits() {
    GetLimitsResponse limits = batch().getLimits(GetLimitsRequest.getDefaultInstance());
    assertEquals("default", limits.getTenant());
    assertEquals(4000, limits.getPromptCharacters());
    assertEquals(16, limits.getImagesPerPrompt());
    assertEquals(1000, limits.getOpenJobs());
  }
}
