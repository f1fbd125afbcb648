package io.bitloom.coordinator.jobs;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.FieldViolation;
import io.bitloom.common.prompt.PromptRules;
import io.bitloom.coordinator.auth.Caller;
import io.bitloom.coordinator.config.LimitsConfig;
import io.bitloom.coordinator.dispatch.worker.ProgressFeed;
import io.bitloom.coordinator.models.ModelRegistry;
import io.bitloom.coordinator.queue.Bucket;
import io.bitloom.coordinator.queue.JobQueue;
import io.bitloom.coordinator.queue.NewJob;
import io.bitloom.coordinator.queue.NewPrompt;
import io.bitloom.coordinator.queue.StoredBytes;
import io.bitloom.coordinator.telemetry.JobMetrics;
import io.bitloom.coordinator.tracing.Arrival;
import io.bitloom.coordinator.tracing.CallersTrace;
import io.bitloom.v1.GenerateRequest;
import io.bitloom.v1.GenerateResponse;
import io.bitloom.v1.Job;
import io.bitloom.v1.Model;
import io.bitloom.v1.Prompt;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ScheduledExecutorService;

/** Draws single prompts for callers who wait for them. */
public final class GenerateCalls {

  /** A job of the highest priority is the next of its tenant. */
  private static final int PRIORITY = 9;

  private final JobQueue queue;
  private final ModelRegistry models;
  private final JobRules rules;
  private final Quotas quotas;
  private final ProgressFeed feed;
  private final ImageDelivery delivery;
  private final Deletion deletion;
  private final ScheduledExecutorService timer;
  private final JobMetrics metrics;

  /**
   * @param limits of prompts
   * @param quotas of tenants, the same for all ways in
   * @param timer where callers are told
   */
  public GenerateCalls(
      JobQueue queue,
      ModelRegistry models,
      LimitsConfig limits,
      Quotas quotas,
      ProgressFeed feed,
      ImageDelivery delivery,
      Deletion deletion,
      ScheduledExecutorService timer,
      JobMetrics metrics) {
    this.queue = queue;
    this.models = models;
    this.rules = new JobRules(limits);
    this.quotas = quotas;
    this.feed = feed;
    this.delivery = delivery;
    this.deletion = deletion;
    this.timer = timer;
    this.metrics = metrics;
  }

  /**
   * Sends the job of a prompt, how it is drawn if asked, and its result.
   *
   * @param trace what the caller says of its own traces
   */
  public void generate(
      Caller owner,
      GenerateRequest request,
      ResponseSink<GenerateResponse> sink,
      CallersTrace trace) {
    Arrival arrival = quotas.arrival(trace);
    new GenerateCall(owner, sink, request, queue, quotas, delivery, feed, deletion, timer, metrics)
        .start(
            models
                .resolve(request.getModel())
                .thenApply(model -> order(request.getPrompt(), model, owner, arrival)));
  }

  /**
   * Checks a prompt and fills in its defaults; each call gives one without a seed another.
   *
   * @throws BitloomException {@code INVALID_FIELD} with what is wrong
   */
  private GenerateCall.Order order(Prompt prompt, Model model, Caller owner, Arrival arrival) {
    refuse(rules.check(prompt));
    PromptRules.Resolved resolved =
        PromptRules.resolve(
            prompt,
            Prompt.getDefaultInstance(),
            model.getDefaults(),
            model.getSizesList(),
            UUID.randomUUID().toString(),
            0);
    refuse(rules.check(resolved, model));
    Job job =
        Job.newBuilder()
            .setDisplayName("generate")
            .setModel(model.getName())
            .setPriority(PRIORITY)
            .build();
    NewPrompt queued =
        new NewPrompt(
            new Bucket(model.getName(), resolved.schedule().id()),
            resolved.prompt().getNumImages(),
            resolved.prompt().toByteString());
    return new GenerateCall.Order(
        owner,
        new NewJob(
            owner.tenant(),
            "",
            owner.weight(),
            PRIORITY,
            JobMessages.spec(job),
            Optional.empty(),
            Quotas.of(owner),
            new NewJob.First(1, StoredBytes.of(List.of(queued))),
            true,
            false),
        queued,
        arrival);
  }

  private static void refuse(List<FieldViolation> violations) {
    JobRules.throwIfAny(violations.stream().map(violation -> violation.in("prompt")).toList());
  }
}
