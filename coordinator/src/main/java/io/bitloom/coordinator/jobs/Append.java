package io.bitloom.coordinator.jobs;

import io.bitloom.common.error.BitloomException;
import io.bitloom.coordinator.auth.Caller;
import io.bitloom.coordinator.dispatch.matching.Arrivals;
import io.bitloom.v1.AppendPromptsRequest;
import io.bitloom.v1.AppendPromptsResponse;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** Prompts on their way into a job. A message is done when it is in the queue. */
final class Append implements Upload<AppendPromptsRequest, AppendPromptsResponse> {

  private final Submissions submissions;
  private final Caller owner;
  private final Arrivals.Call arrivals;
  private CompletionStage<PromptIntake> intake;
  private CompletionStage<Long> nextOffset;

  Append(Submissions submissions, Caller owner, Arrivals.Call arrivals) {
    this.submissions = submissions;
    this.owner = owner;
    this.arrivals = arrivals;
  }

  @Override
  public CompletionStage<Long> take(AppendPromptsRequest chunk) {
    if (intake == null) {
      intake =
          CompletableFuture.completedStage(chunk.getName())
              .thenCompose(name -> submissions.intake(owner, name, arrivals));
    }
    nextOffset =
        intake.thenComposeAsync(found -> append(found, chunk), submissions.blockingThreads());
    return nextOffset;
  }

  private CompletionStage<Long> append(PromptIntake into, AppendPromptsRequest chunk) {
    submissions.rules().check(chunk);
    return into.append(chunk.getOffset(), chunk.getPromptsList());
  }

  @Override
  public CompletionStage<AppendPromptsResponse> complete() {
    arrivals.end();
    if (nextOffset == null) {
      throw BitloomException.invalid("name", "", "must name the job in the first message");
    }
    return nextOffset.thenApply(
        offset -> AppendPromptsResponse.newBuilder().setNextOffset(offset).build());
  }

  @Override
  public void end() {
    arrivals.end();
  }
}
