package io.bitloom.coordinator.jobs;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.coordinator.auth.Caller;
import io.bitloom.coordinator.config.LimitsConfig;
import io.bitloom.coordinator.dispatch.matching.Arrivals;
import io.bitloom.coordinator.dispatch.matching.Speeds;
import io.bitloom.coordinator.models.ModelRegistry;
import io.bitloom.coordinator.queue.Chores;
import io.bitloom.coordinator.queue.JobNames;
import io.bitloom.coordinator.queue.JobQueue;
import io.bitloom.coordinator.queue.JobRecord;
import io.bitloom.coordinator.queue.NewJob;
import io.bitloom.coordinator.tracing.CallersTrace;
import io.bitloom.v1.AppendPromptsRequest;
import io.bitloom.v1.AppendPromptsResponse;
import io.bitloom.v1.CreateJobRequest;
import io.bitloom.v1.EstimatePromptsRequest;
import io.bitloom.v1.EstimatePromptsResponse;
import io.bitloom.v1.GetLimitsResponse;
import io.bitloom.v1.Job;
import io.bitloom.v1.JobInput;
import io.bitloom.v1.JobState;
import io.bitloom.v1.Model;
import java.util.Collection;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;

/**
 * The way of prompts into the queue: a job is created, prompts are appended, then it is sealed. All
 * is checked before it touches anything; what is wrong fails with {@code INVALID_FIELD}, and what a
 * tenant may not have with {@code LIMIT_EXCEEDED}.
 */
public final class Submissions {

  private final JobQueue queue;
  private final JobAccess access;
  private final ModelRegistry models;
  private final Speeds speeds;
  private final JobRules rules;
  private final Quotas quotas;
  private final Replay replay;
  private final Receivers receivers;
  private final Arrivals arrivals;
  private final InputRules inputs;
  private final Executor blockingThreads;
  private volatile Runnable onInput = () -> {};

  /**
   * @param limits of prompts; those of tenants come with their callers
   * @param quotas of tenants, the same for all ways in
   * @param receivers of webhooks
   * @param arrivals told about prompts that are on their way
   * @param inputs for jobs that name their prompts by reference
   * @param blockingThreads where prompts are checked
   */
  public Submissions(
      JobQueue queue,
      ModelRegistry models,
      Speeds speeds,
      LimitsConfig limits,
      Quotas quotas,
      Receivers receivers,
      Arrivals arrivals,
      InputRules inputs,
      Executor blockingThreads) {
    this.queue = queue;
    this.access = new JobAccess(queue.jobs());
    this.models = models;
    this.speeds = speeds;
    this.rules = new JobRules(limits);
    this.quotas = quotas;
    this.replay = new Replay(queue, quotas);
    this.receivers = receivers;
    this.arrivals = arrivals;
    this.inputs = inputs;
    this.blockingThreads = blockingThreads;
  }

  /** A new job, or that of an earlier request with the same id. */
  public CompletionStage<Job> create(Caller owner, CreateJobRequest request) {
    rules.check(request);
    String webhook = receivers.of(owner.tenant(), request.getJob().getWebhookUrl());
    Job job = request.getJob().toBuilder().setWebhookUrl(webhook).build();
    if (job.hasInput()) {
      inputs.check(owner.tenant(), job.getInput());
    }
    return models
        .resolve(job.getModel())
        .thenCompose(model -> create(owner, job, model, request.getRequestId()))
        .thenCompose(
            record ->
                job.hasInput() && takesPrompts(record)
                    ? haveRead(record)
                    : CompletableFuture.completedStage(record))
        .thenApply(JobMessages::of);
  }

  private CompletionStage<JobRecord> create(Caller owner, Job job, Model model, String requestId) {
    int priority = job.hasPriority() ? job.getPriority() : JobMessages.DEFAULT_PRIORITY;
    Job complete =
        job.toBuilder()
            .setModel(model.getName())
            .setPriority(priority)
            .setRequestId(requestId)
            .build();
    return quotas.create(
        owner,
        new NewJob(
            owner.tenant(),
            requestId,
            owner.weight(),
            priority,
            JobMessages.spec(complete),
            JobMessages.completionWindow(job),
            Quotas.of(owner),
            NewJob.First.NONE,
            false,
            !job.getWebhookUrl().isEmpty()));
  }

  private static boolean takesPrompts(JobRecord record) {
    return !record.terminal()
        && record.state() != JobState.JOB_STATE_CANCELLING
        && record.sealTime().isEmpty();
  }

  /** A creation is acknowledged when it is certain that the job's object will be read. */
  private CompletionStage<JobRecord> haveRead(JobRecord record) {
    return queue
        .chores()
        .add(Chores.Kind.INPUT, record.id())
        .thenApply(
            added -> {
              onInput.run();
              return record;
            });
  }

  /** Calls the listener when there is an object to be read. */
  public void onInput(Runnable listener) {
    onInput = listener;
  }

  /**
   * Prompts for the job that the first message names.
   *
   * @param caller what it says of its own traces
   */
  public Upload<AppendPromptsRequest, AppendPromptsResponse> append(
      Caller owner, CallersTrace caller) {
    return new Append(this, owner, caller, arrivals.begin());
  }

  /** Where a caller's prompts go. */
  CompletionStage<PromptIntake> intake(Caller owner, String name, Arrivals.Call call) {
    return access
        .find(owner, name)
        .thenCompose(
            record -> {
              refuseIfRead(record);
              return intake(owner, record, call);
            });
  }

  Quotas quotas() {
    return quotas;
  }

  /** The object that a job names as its prompts. */
  public JobInput inputOf(JobRecord record) {
    return JobMessages.specOf(record).getInput();
  }

  /**
   * Where the prompts of a job's object go. Fails with {@code MODEL_NOT_FOUND} as long as no worker
   * has the job's model.
   */
  public CompletionStage<PromptIntake> intake(Caller owner, JobRecord record) {
    return intake(owner, record, arrivals.begin());
  }

  private CompletionStage<PromptIntake> intake(Caller owner, JobRecord record, Arrivals.Call call) {
    Job job = JobMessages.specOf(record);
    return models
        .find(job.getModel())
        .thenApply(model -> new PromptIntake(rules, quotas, owner, record.id(), job, model, call));
  }

  /** A job that names its prompts by reference takes no others. */
  private static void refuseIfRead(JobRecord record) {
    Job job = JobMessages.specOf(record);
    if (job.hasInput()) {
      String name = JobNames.of(record.id());
      throw new BitloomException(
          ErrorCode.JOB_NOT_ACCEPTING,
          name + " has its prompts from " + job.getInput().getUri() + " and takes no others",
          "name",
          name);
    }
  }

  JobRules rules() {
    return rules;
  }

  Executor blockingThreads() {
    return blockingThreads;
  }

  /**
   * Says that a job has all its prompts.
   *
   * @param expected how many these should be
   */
  public CompletionStage<Job> seal(Caller caller, String name, OptionalLong expected) {
    return access
        .find(caller, name)
        .thenCompose(
            record -> {
              refuseIfRead(record);
              return queue.jobs().seal(record.id(), expected);
            })
        .thenApply(JobMessages::of);
  }

  /** A new job of the prompts of an ended one that failed. */
  public CompletionStage<Job> replay(Caller owner, String name, boolean includeCancelled) {
    return access
        .find(owner, name)
        .thenCompose(job -> replay.of(job, includeCancelled, owner))
        .thenApply(JobMessages::of);
  }

  /** What prompts would cost; changes nothing. */
  public Upload<EstimatePromptsRequest, EstimatePromptsResponse> estimate() {
    return new Estimate(models, speeds, rules, blockingThreads);
  }

  /** What a caller may ask for. */
  public GetLimitsResponse limits(Caller caller) {
    return rules.limitsOf(caller);
  }

  /** What can be drawn with. */
  public CompletionStage<Collection<Model>> models() {
    return models.ofCluster();
  }
}
