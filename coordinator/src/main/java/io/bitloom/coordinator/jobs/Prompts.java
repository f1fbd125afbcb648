package io.bitloom.coordinator.jobs;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.coordinator.jobs.PromptWalk.Met;
import io.bitloom.coordinator.queue.PromptStore;
import io.bitloom.coordinator.queue.ResultLog;
import io.bitloom.coordinator.queue.ResultRecord;
import io.bitloom.v1.ListPromptsResponse;
import io.bitloom.v1.PromptStatus;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** Lists and finds the prompts of a job. */
final class Prompts {

  /** More prompts than this are not looked at for one page. */
  private static final int LOOKS = 2048;

  private final PromptStore prompts;
  private final ResultLog results;

  Prompts(PromptStore prompts, ResultLog results) {
    this.prompts = prompts;
    this.results = results;
  }

  /** A page of those that match. Fails with {@code INVALID_FIELD} for a token that is none. */
  CompletionStage<ListPromptsResponse> list(
      String jobId, PromptConditions conditions, int size, String token) {
    PromptWalk walk = new PromptWalk(prompts, results, jobId, conditions.states());
    Optional<PromptPlace> from =
        token.isEmpty() ? walk.start() : Optional.of(PromptPlace.parse(jobId, token));
    Page page = new Page(jobId, conditions, size, new ArrayList<>());
    return from.isEmpty()
        ? CompletableFuture.completedStage(page.upTo(from))
        : fill(page, walk, from.get(), LOOKS / PromptWalk.STEP);
  }

  private CompletionStage<ListPromptsResponse> fill(
      Page page, PromptWalk walk, PromptPlace from, int steps) {
    return walk.step(from)
        .thenCompose(
            step -> {
              Optional<PromptPlace> next = page.add(step);
              return page.full() || next.isEmpty() || steps == 1
                  ? CompletableFuture.completedStage(page.upTo(next))
                  : fill(page, walk, next.get(), steps - 1);
            });
  }

  /** A page that is being filled. */
  private record Page(
      String jobId, PromptConditions conditions, int size, List<PromptStatus> prompts) {

    boolean full() {
      return prompts.size() == size;
    }

    /** Adds what matches and fits, and returns where to go on. */
    Optional<PromptPlace> add(PromptWalk.Step step) {
      for (Met met : step.prompts()) {
        if (conditions.match(met.status())) {
          prompts.add(met.status());
          if (full()) {
            return Optional.of(met.behind());
          }
        }
      }
      return step.next();
    }

    ListPromptsResponse upTo(Optional<PromptPlace> next) {
      return ListPromptsResponse.newBuilder()
          .addAllPrompts(prompts)
          .setNextPageToken(next.map(place -> place.token(jobId)).orElse(""))
          .build();
    }
  }

  /** A prompt, and its outcome if it has one. */
  record Found(PromptStatus status, Optional<ResultRecord> outcome) {}

  /** The first prompt with an id. Fails with {@code PROMPT_NOT_FOUND}. */
  CompletionStage<Found> find(String jobId, String customId) {
    PromptWalk walk = new PromptWalk(prompts, results, jobId, PromptConditions.ALL);
    return find(walk, walk.start().orElseThrow(), customId);
  }

  private static CompletionStage<Found> find(PromptWalk walk, PromptPlace from, String customId) {
    return walk.step(from)
        .thenCompose(
            step -> {
              Optional<Met> met =
                  step.prompts().stream()
                      .filter(one -> one.status().getCustomId().equals(customId))
                      .findFirst();
              if (met.isPresent()) {
                return CompletableFuture.completedStage(
                    new Found(met.get().status(), met.get().outcome()));
              }
              return step.next().isPresent()
                  ? find(walk, step.next().get(), customId)
                  : CompletableFuture.failedStage(
                      new BitloomException(
                          ErrorCode.PROMPT_NOT_FOUND,
                          "is not the id of a prompt of this job",
                          "custom_id",
                          customId));
            });
  }
}
