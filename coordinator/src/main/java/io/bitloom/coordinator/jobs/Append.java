package io.bitloom.coordinator.jobs;

import io.bitloom.common.error.BitloomException;
import io.bitloom.coordinator.auth.Caller;
import io.bitloom.coordinator.dispatch.matching.Arrivals;
import io.bitloom.coordinator.tracing.Arrival;
import io.bitloom.coordinator.tracing.CallersTrace;
import io.bitloom.v1.AppendPromptsRequest;
import io.bitloom.v1.AppendPromptsResponse;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** Prompts on their way into a job. A message is done when it is in the queue. */
final class Append implements Upload<AppendPromptsRequest, AppendPromptsResponse> {

  private final Submissions submissions;
  private final Caller owner;
  private final CallersTrace caller;
  private final Arrivals.Call arrivals;
  private CompletionStage<PromptIntake> intake;
  private CompletionStage<Long> nextOffset;

  Append(Submissions submissions, Caller owner, CallersTrace caller, Arrivals.Call arrivals) {
    this.submissions = submissions;
    this.owner = owner;
    this.caller = caller;
    this.arrivals = arrivals;
  }

  @Override
  public CompletionStage<Long> take(AppendPromptsRequest chunk) {
    if (intake == null) {
      intake =
          CompletableFuture.completedStage(chunk.getName())
              .thenCompose(name -> submissions.intake(owner, name, arrivals));
    }
    Arrival arrival = submissions.quotas().arrival(caller);
    nextOffset =
        intake.thenComposeAsync(
            found -> append(found, chunk, arrival), submissions.blockingThreads());
    return nextOffset;
  }

  private CompletionStage<Long> append(
      PromptIntake into, AppendPromptsRequest chunk, Arrival arrival) {
    submissions.rules().check(chunk);
    return into.append(chunk.getOffset(), chunk.getPromptsList(), arrival);
  }

  @Override
  public CompletionStage<AppendPromptsResponse> complete() {
    arrivals.end();
    if (nextOffset == null) {
      throw BitloomException.invalid("name", "", "must name the job in the first message");
    }
    return nextOffset.thenApply(
        offset ->
            AppendPromptsResponse.newBuilder()
                .setNextOffset(offset)
                .setTraceRatio(submissions.quotas().traceRatio())
                .build());
  }

  @Override
  public void end() {
    arrivals.end();
  }
}
