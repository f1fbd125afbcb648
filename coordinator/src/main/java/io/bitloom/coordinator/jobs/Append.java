package io.bitloom.coordinator.jobs;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.FieldViolation;
import io.bitloom.common.prompt.PromptRules;
import io.bitloom.coordinator.auth.Caller;
import io.bitloom.coordinator.dispatch.matching.Arrivals;
import io.bitloom.coordinator.queue.Bucket;
import io.bitloom.coordinator.queue.NewPrompt;
import io.bitloom.coordinator.tracing.Arrival;
import io.bitloom.coordinator.tracing.CallersTrace;
import io.bitloom.v1.AppendPromptsRequest;
import io.bitloom.v1.AppendPromptsResponse;
import io.bitloom.v1.Job;
import io.bitloom.v1.Model;
import io.bitloom.v1.Prompt;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** Prompts on their way into a job. A message is done when it is in the queue. */
final class Append implements Upload<AppendPromptsRequest, AppendPromptsResponse> {

  /** What the first message leads to: the job, and the model that fills its prompts' defaults. */
  record Target(String jobId, Job job, Model model) {}

  private final Submissions submissions;
  private final Caller owner;
  private final CallersTrace caller;
  private final Arrivals.Call arrivals;
  private CompletionStage<Target> target;
  private CompletionStage<Long> nextOffset;

  Append(Submissions submissions, Caller owner, CallersTrace caller, Arrivals.Call arrivals) {
    this.submissions = submissions;
    this.owner = owner;
    this.caller = caller;
    this.arrivals = arrivals;
  }

  @Override
  public CompletionStage<Long> take(AppendPromptsRequest chunk) {
    if (target == null) {
      target =
          CompletableFuture.completedStage(chunk.getName())
              .thenCompose(name -> submissions.target(owner, name));
    }
    Arrival arrival = submissions.quotas().arrival(caller);
    nextOffset =
        target.thenComposeAsync(
            found -> append(found, chunk, arrival), submissions.blockingThreads());
    return nextOffset;
  }

  private CompletionStage<Long> append(Target target, AppendPromptsRequest chunk, Arrival arrival) {
    submissions.rules().check(chunk);
    List<NewPrompt> prompts = resolved(target, chunk);
    prompts.forEach(prompt -> arrivals.into(prompt.bucket()));
    return submissions.append(owner, target.jobId(), chunk.getOffset(), prompts, arrival);
  }

  private List<NewPrompt> resolved(Target target, AppendPromptsRequest chunk) {
    List<NewPrompt> prompts = new ArrayList<>(chunk.getPromptsCount());
    List<FieldViolation> violations = new ArrayList<>();
    List<String> sizes = target.model().getSizesList();
    for (Prompt prompt : chunk.getPromptsList()) {
      int index = prompts.size();
      PromptRules.Resolved resolved =
          PromptRules.resolve(
              prompt,
              target.job().getDefaults(),
              target.model().getDefaults(),
              sizes,
              target.jobId(),
              chunk.getOffset() + index);
      submissions.rules().check(resolved, target.model()).stream()
          .map(violation -> violation.in("prompts[" + index + "]"))
          .forEach(violations::add);
      prompts.add(
          new NewPrompt(
              new Bucket(target.job().getModel(), resolved.schedule().id()),
              resolved.prompt().getNumImages(),
              resolved.prompt().toByteString()));
    }
    JobRules.throwIfAny(violations);
    return prompts;
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
