package io.bitloom.coordinator.api;

import static io.bitloom.coordinator.TestCoordinator.prompts;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.error.ErrorCode;
import io.bitloom.coordinator.FakeBehaviour;
import io.bitloom.coordinator.FakeBehaviour.Troubles;
import io.bitloom.coordinator.FakeDrawing;
import io.bitloom.coordinator.FakeWorker;
import io.bitloom.v1.GeneratedImage;
import io.bitloom.v1.GetPromptRequest;
import io.bitloom.v1.GetPromptResponse;
import io.bitloom.v1.Job;
import io.bitloom.v1.ListPromptsRequest;
import io.bitloom.v1.ListPromptsResponse;
import io.bitloom.v1.Prompt;
import io.bitloom.v1.PromptState;
import io.bitloom.v1.PromptStatus;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Prompts of a job, listed and found. */
class PromptsApiIT extends ApiFixture {

  private static final FakeBehaviour REFUSING =
      FakeBehaviour.DEFAULT.with(new Troubles(0, 0.4, 0, 1));

  private static ListPromptsRequest.Builder request(Job job) {
    return ListPromptsRequest.newBuilder().setName(job.getName());
  }

  /** All pages of a list. */
  private static List<PromptStatus> list(ListPromptsRequest.Builder request) {
    List<PromptStatus> listed = new ArrayList<>();
    do {
      ListPromptsResponse page = batch().listPrompts(request.build());
      assertTrue(page.getPromptsCount() <= Math.max(100, request.getPageSize()));
      listed.addAll(page.getPromptsList());
      request.setPageToken(page.getNextPageToken());
    } while (!request.getPageToken().isEmpty());
    return listed;
  }

  private static List<Long> offsets(List<PromptStatus> prompts) {
    return prompts.stream().map(PromptStatus::getOffset).sorted().toList();
  }

  private static List<Long> upTo(int count) {
    return IntStream.range(0, count).mapToObj(Long::valueOf).toList();
  }

  private static void draw(Job job, FakeBehaviour behaviour) {
    try (FakeWorker worker = FakeWorker.start(coordinator.target(), "w", behaviour)) {
      coordinator.results(job.getName());
    }
  }

  private static List<Prompt> foxesAndOwls(int count) {
    return IntStream.range(0, count)
        .mapToObj(
            i ->
                prompts(1).get(0).toBuilder()
                    .setCustomId((i % 3 == 0 ? "fox-" : "owl-") + i)
                    .setAspectRatio(i % 2 == 0 ? "1:1" : "3:2")
                    .build())
        .toList();
  }

  @Test
  void whatWaitsIsListedOnceWhateverTheSizeOfAPage() {
    Job job = coordinator.newJob();
    coordinator.append(job.getName(), 0, prompts(700, "1:1", "3:2", "16:9"));
    coordinator.append(job.getName(), 700, prompts(50, "2:3"));
    for (int size : new int[] {0, 7, 1000}) {
      List<PromptStatus> listed = list(request(job).setPageSize(size));
      assertEquals(upTo(750), offsets(listed), "pages of " + size);
      assertTrue(listed.stream().allMatch(p -> p.getState() == PromptState.PROMPT_STATE_QUEUED));
    }
    PromptStatus first = list(request(job).addCustomIds("prompt-0")).get(0);
    assertEquals("prompt 0", first.getPrompt().getPrompt());
    assertEquals(1, first.getPrompt().getNumImages(), "defaults are filled in");
    assertFalse(first.hasEndTime());
    coordinator.cancel(job.getName());
    List<PromptStatus> cancelled = list(request(job).setPageSize(7));
    assertEquals(upTo(750), offsets(cancelled));
    assertTrue(
        cancelled.stream()
            .allMatch(
                p ->
                    p.getState() == PromptState.PROMPT_STATE_CANCELLED
                        && p.getFailure().getReason().equals("CANCELLED")
                        && p.hasEndTime()));
  }

  @Test
  void promptsThatEndWhileTheyAreListedAreNotMissed() {
    Job job = coordinator.submit(prompts(300, "1:1", "3:2"));
    ListPromptsResponse first = batch().listPrompts(request(job).setPageSize(40).build());
    draw(job, FakeBehaviour.DEFAULT);
    List<PromptStatus> rest =
        list(request(job).setPageSize(40).setPageToken(first.getNextPageToken()));
    assertTrue(rest.stream().allMatch(p -> p.getState() == PromptState.PROMPT_STATE_SUCCEEDED));
    assertEquals(upTo(300), offsets(rest));
  }

  @Test
  void statesReasonsAndIdsFilter() {
    Job job = coordinator.newJob();
    coordinator.append(job.getName(), 0, foxesAndOwls(60));
    coordinator.seal(job.getName());
    draw(job, REFUSING);
    long failed = coordinator.job(job.getName()).getCounts().getFailed();
    assertTrue(failed > 5 && failed < 55, "failed: " + failed);

    List<PromptStatus> failures =
        list(request(job).addStates(PromptState.PROMPT_STATE_FAILED).setPageSize(4));
    assertEquals(failed, failures.size());
    assertEquals(
        offsets(failures), offsets(list(request(job).setFilter("reason = PROMPT_REFUSED"))));
    List<PromptStatus> drawn = list(request(job).setFilter("state != failed").setPageSize(7));
    Set<Long> both = new HashSet<>(offsets(failures));
    both.addAll(offsets(drawn));
    assertEquals(60, both.size());
    assertEquals(60, failures.size() + drawn.size());
    assertTrue(drawn.stream().allMatch(p -> p.getImages() == 1 && !p.hasFailure()));

    List<PromptStatus> foxes = list(request(job).setFilter("custom_id = fox-*"));
    assertEquals(20, foxes.size());
    assertEquals(List.of(57L), offsets(list(request(job).setFilter("custom_id = \"fox-57\""))));
    assertEquals(
        List.of(3L, 4L), offsets(list(request(job).addCustomIds("fox-3").addCustomIds("owl-4"))));
    assertEquals(
        List.of(0L, 3L), offsets(list(request(job).setFilter("custom_id:FOX AND offset < 5"))));
    assertEquals(List.of(), list(request(job).setFilter("state = queued AND state = failed")));
  }

  @Test
  void aPromptIsFoundWithItsResultAndItsImage() {
    Job job = coordinator.newJob();
    List<Prompt> prompts = foxesAndOwls(400);
    coordinator.append(job.getName(), 0, prompts);
    coordinator.seal(job.getName());
    GetPromptRequest request =
        GetPromptRequest.newBuilder().setName(job.getName()).setCustomId("fox-399").build();
    GetPromptResponse waiting = batch().getPrompt(request);
    assertEquals(PromptState.PROMPT_STATE_QUEUED, waiting.getPrompt().getState());
    assertEquals(399, waiting.getPrompt().getOffset());
    assertFalse(waiting.hasResult());

    draw(job, FakeBehaviour.DEFAULT.withBatch(64, java.time.Duration.ofMillis(1)));
    GetPromptResponse drawn = batch().getPrompt(request);
    assertEquals(PromptState.PROMPT_STATE_SUCCEEDED, drawn.getPrompt().getState());
    GeneratedImage image = drawn.getResult().getImages().getImages(0);
    assertEquals(FakeDrawing.bytes(drawn.getPrompt().getPrompt(), 0, 200), image.getData());
    assertEquals("fox-399", drawn.getResult().getCustomId());
    GeneratedImage named =
        batch()
            .getPrompt(request.toBuilder().setReferencesOnly(true).build())
            .getResult()
            .getImages()
            .getImages(0);
    assertTrue(named.hasUri() && !named.hasData());

    assertError(
        ErrorCode.PROMPT_NOT_FOUND,
        "custom_id",
        "fox-1",
        error(() -> batch().getPrompt(request.toBuilder().setCustomId("fox-1").build())));
    assertError(
        ErrorCode.INVALID_FIELD,
        "custom_id",
        "",
        error(() -> batch().getPrompt(request.toBuilder().clearCustomId().build())));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "state = DONE | must have a state of a prompt such as FAILED, and has DONE",
        "labels.x = 1 | must not have .x behind labels",
        "colour = red | must name state, reason, custom_id or offset",
        "offset = x | must compare offset with a whole number",
        "reason | must have a condition such as state = FAILED at character 1"
      })
  void aWrongFilterSaysWhatIsWrong(String filter, String message) {
    Job job = coordinator.newJob();
    var e = error(() -> batch().listPrompts(request(job).setFilter(filter).build()));
    assertEquals(ErrorCode.INVALID_FIELD, e.code());
    assertTrue(e.getMessage().contains(message), e.getMessage());
    coordinator.cancel(job.getName());
  }

  @Test
  void aTokenOfAnotherJobIsRefused() {
    Job one = coordinator.submit(prompts(3));
    Job other = coordinator.submit(prompts(3));
    String token = batch().listPrompts(request(one).setPageSize(1).build()).getNextPageToken();
    assertFalse(token.isEmpty());
    for (String wrong : List.of(token, "x", "0-w0", "0-w0.99999999999")) {
      assertError(
          ErrorCode.INVALID_FIELD,
          "page_token",
          wrong,
          error(() -> batch().listPrompts(request(other).setPageToken(wrong).build())));
    }
    coordinator.cancel(one.getName());
    coordinator.cancel(other.getName());
  }
}
