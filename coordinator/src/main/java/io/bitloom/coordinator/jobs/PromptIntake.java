package io.bitloom.coordinator.jobs;

import io.bitloom.common.error.FieldViolation;
import io.bitloom.common.prompt.PromptRules;
import io.bitloom.coordinator.auth.Caller;
import io.bitloom.coordinator.dispatch.matching.Arrivals;
import io.bitloom.coordinator.queue.Bucket;
import io.bitloom.coordinator.queue.NewPrompt;
import io.bitloom.coordinator.tracing.Arrival;
import io.bitloom.coordinator.tracing.CallersTrace;
import io.bitloom.v1.Job;
import io.bitloom.v1.Model;
import io.bitloom.v1.Prompt;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;

/** Takes prompts into one job, for the tenant that it belongs to. */
public final class PromptIntake implements AutoCloseable {

  private final JobRules rules;
  private final Quotas quotas;
  private final Caller owner;
  private final String jobId;
  private final Job job;
  private final Model model;
  private final Arrivals.Call arrivals;

  /**
   * @param model fills the prompts' defaults
   * @param arrivals told about prompts that are on their way
   */
  PromptIntake(
      JobRules rules,
      Quotas quotas,
      Caller owner,
      String jobId,
      Job job,
      Model model,
      Arrivals.Call arrivals) {
    this.rules = rules;
    this.quotas = quotas;
    this.owner = owner;
    this.jobId = jobId;
    this.job = job;
    this.model = model;
    this.arrivals = arrivals;
  }

  /** All that is wrong with a prompt for this job. */
  public List<FieldViolation> check(Prompt prompt) {
    List<FieldViolation> violations = new ArrayList<>(rules.check(prompt));
    if (violations.isEmpty()) {
      resolved(prompt, 0, violations::add);
    }
    return violations;
  }

  /**
   * Appends prompts, all or none; those that are there already are skipped.
   *
   * @param offset of the first one
   * @param prompts each of which passes {@link JobRules#check(Prompt)}
   * @return the job's next offset. Fails as {@link Quotas#append} does, and with {@code
   *     INVALID_FIELD} if the job cannot take one of them
   */
  public CompletionStage<Long> append(long offset, List<Prompt> prompts) {
    return append(offset, prompts, quotas.arrival(CallersTrace.NONE));
  }

  /**
   * As {@link #append(long, List)}, for a caller.
   *
   * @param arrival when they came, and what the caller says of its own traces
   */
  CompletionStage<Long> append(long offset, List<Prompt> prompts, Arrival arrival) {
    try {
      List<NewPrompt> resolved = new ArrayList<>(prompts.size());
      List<FieldViolation> violations = new ArrayList<>();
      for (Prompt prompt : prompts) {
        int index = resolved.size();
        resolved.add(
            resolved(
                prompt,
                offset + index,
                violation -> violations.add(violation.in("prompts[" + index + "]"))));
      }
      JobRules.throwIfAny(violations);
      resolved.forEach(prompt -> arrivals.into(prompt.bucket()));
      return quotas.append(owner, jobId, offset, resolved, arrival);
    } catch (RuntimeException e) {
      return CompletableFuture.failedStage(e);
    }
  }

  private NewPrompt resolved(Prompt prompt, long offset, Consumer<FieldViolation> violations) {
    PromptRules.Resolved resolved =
        PromptRules.resolve(
            prompt, job.getDefaults(), model.getDefaults(), model.getSizesList(), jobId, offset);
    rules.check(resolved, model).forEach(violations);
    return new NewPrompt(
        new Bucket(job.getModel(), resolved.schedule().id()),
        resolved.prompt().getNumImages(),
        resolved.prompt().toByteString());
  }

  /** No more prompts come. Idempotent. */
  @Override
  public void close() {
    arrivals.end();
  }
}
