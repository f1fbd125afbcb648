package io.bitloom.coordinator.api;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.FieldViolation;
import io.bitloom.common.grpc.GrpcErrors;
import io.bitloom.common.prompt.PromptRules;
import io.bitloom.coordinator.auth.Caller;
import io.bitloom.coordinator.dispatch.ProgressFeed;
import io.bitloom.coordinator.grpc.Calls;
import io.bitloom.coordinator.jobs.Deletion;
import io.bitloom.coordinator.jobs.JobNames;
import io.bitloom.coordinator.queue.Bucket;
import io.bitloom.coordinator.queue.JobQueue;
import io.bitloom.coordinator.queue.JobRecord;
import io.bitloom.coordinator.queue.NewJob;
import io.bitloom.coordinator.queue.NewPrompt;
import io.bitloom.v1.GenerateRequest;
import io.bitloom.v1.GenerateResponse;
import io.bitloom.v1.Job;
import io.bitloom.v1.Model;
import io.bitloom.v1.Prompt;
import io.bitloom.v1.PromptResult;
import io.bitloom.v1.ReadResultsResponse;
import io.grpc.Context;
import io.grpc.stub.ServerCallStreamObserver;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One Generate call: a job of one prompt, which goes away with its caller. All messages are sent
 * from the timer's thread.
 */
final class Generation {

  /** A job of the highest priority is the next of its tenant. */
  static final int PRIORITY = 9;

  private static final Logger log = LoggerFactory.getLogger(Generation.class);

  private final ServerCallStreamObserver<GenerateResponse> caller;
  private final JobQueue queue;
  private final ResultReader results;
  private final SendShare share;
  private final ProgressFeed feed;
  private final Deletion deletion;
  private final Executor blockingThreads;
  private final ScheduledExecutorService timer;
  private final Subscriptions subscriptions = new Subscriptions();
  private final ProgressDisplay<GenerateResponse> display;

  private final Context context = Context.current();

  // Guarded by this.
  private String jobId;
  private boolean looking;
  private boolean lookAgain;

  Generation(
      ServerCallStreamObserver<GenerateResponse> caller,
      JobQueue queue,
      ResultReader results,
      SendBudget budget,
      ProgressFeed feed,
      Deletion deletion,
      Executor blockingThreads,
      ScheduledExecutorService timer,
      GenerateRequest request) {
    this.caller = caller;
    this.queue = queue;
    this.results = results;
    this.share = new SendShare(budget, () -> Calls.cutOff(context));
    this.feed = feed;
    this.deletion = deletion;
    this.blockingThreads = blockingThreads;
    this.timer = timer;
    this.display =
        new ProgressDisplay<>(
            request.getProgress(),
            request.getPreviewPixels(),
            caller,
            subscriptions,
            timer,
            progress -> GenerateResponse.newBuilder().setProgress(progress).build(),
            preview -> GenerateResponse.newBuilder().setPreview(preview).build());
    caller.setOnCancelHandler(this::callerLeft);
    caller.setOnCloseHandler(share::end);
  }

  /** What is to be drawn, and the job for it. */
  record Order(NewJob job, NewPrompt prompt) {}

  /**
   * Checks a prompt and fills in its defaults; each call gives one without a seed another.
   *
   * @throws BitloomException {@code INVALID_FIELD} with what is wrong
   */
  static Order order(Prompt prompt, Model model, JobRules rules, Caller owner) {
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
    return new Order(
        new NewJob(
            owner.tenant(),
            "",
            owner.weight(),
            PRIORITY,
            Jobs.spec(job),
            Optional.empty(),
            owner.limits().openJobs()),
        new NewPrompt(
            new Bucket(model.getName(), resolved.schedule().id()),
            resolved.prompt().getNumImages(),
            resolved.prompt().toByteString()));
  }

  private static void refuse(List<FieldViolation> violations) {
    JobRules.throwIfAny(violations.stream().map(violation -> violation.in("prompt")).toList());
  }

  void start(CompletionStage<Order> order) {
    order
        .thenCompose(
            ordered ->
                queue
                    .createJob(ordered.job())
                    .thenCompose(created -> begin(created, ordered.prompt())))
        .whenComplete((done, error) -> failIf(error));
  }

  private CompletionStage<Void> begin(JobRecord created, NewPrompt prompt) {
    synchronized (this) {
      jobId = created.id();
      if (subscriptions.ended()) {
        cancel();
        return CompletableFuture.completedStage(null);
      }
    }
    timer.execute(
        () -> {
          if (!subscriptions.ended()) {
            caller.onNext(GenerateResponse.newBuilder().setJob(Jobs.of(created)).build());
          }
        });
    display.watch(feed, jobId);
    return queue
        .append(jobId, 0, List.of(prompt))
        .thenCompose(appended -> queue.seal(jobId, OptionalLong.of(1)))
        .thenCompose(complete -> queue.onJobChanged(jobId, this::changed))
        .thenAccept(
            subscription -> {
              subscriptions.keep(subscription);
              changed();
            });
  }

  private synchronized void changed() {
    lookAgain = true;
    if (!looking && !subscriptions.ended()) {
      looking = true;
      lookAgain = false;
      queue.get(jobId).whenComplete(this::looked);
    }
  }

  private void looked(JobRecord job, Throwable error) {
    if (error != null) {
      failIf(error);
      return;
    }
    if (job.terminal()) {
      finish();
      return;
    }
    boolean again;
    synchronized (this) {
      looking = false;
      again = lookAgain;
    }
    if (again) {
      changed();
    }
  }

  private void finish() {
    queue
        .results(jobId, 0, 1)
        .thenCompose(records -> claimed(ResultReader.describe(jobId, records.get(0))))
        .thenApplyAsync(described -> results.withImages(described).getResult(), blockingThreads)
        .whenCompleteAsync(
            (result, error) -> {
              if (error != null) {
                failIf(error);
              } else {
                deliver(result);
              }
            },
            timer);
  }

  /** Waits until there is memory for the images of a result. */
  private CompletionStage<ReadResultsResponse> claimed(ReadResultsResponse described) {
    return share.claim(ResultReader.imageBytes(described)).thenApply(granted -> described);
  }

  private void deliver(PromptResult result) {
    if (subscriptions.end()) {
      caller.onNext(GenerateResponse.newBuilder().setResult(result).build());
      caller.onCompleted();
    }
    deletion.delete(jobId).whenComplete((done, error) -> report("deleted", error));
  }

  private void failIf(Throwable error) {
    if (error != null) {
      timer.execute(
          () -> {
            if (subscriptions.end()) {
              share.end();
              caller.onError(GrpcErrors.unwrap(error));
              cancel();
            }
          });
    }
  }

  private void callerLeft() {
    boolean early = subscriptions.end();
    share.end();
    if (early) {
      cancel();
    }
  }

  private synchronized void cancel() {
    if (jobId != null) {
      queue.cancel(jobId).whenComplete((done, error) -> report("cancelled", error));
    }
  }

  private void report(String what, Throwable error) {
    if (error != null) {
      log.warn("{} is not {}: {}", JobNames.of(jobId), what, error.toString());
    }
  }
}
