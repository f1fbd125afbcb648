package io.bitloom.coordinator.jobs;

import io.bitloom.common.log.LogFields;
import io.bitloom.coordinator.auth.Caller;
import io.bitloom.coordinator.dispatch.worker.ProgressFeed;
import io.bitloom.coordinator.queue.Cursor;
import io.bitloom.coordinator.queue.JobNames;
import io.bitloom.coordinator.queue.JobQueue;
import io.bitloom.coordinator.queue.JobRecord;
import io.bitloom.coordinator.queue.NewJob;
import io.bitloom.coordinator.queue.NewPrompt;
import io.bitloom.coordinator.queue.Subscription;
import io.bitloom.coordinator.telemetry.JobMetrics;
import io.bitloom.coordinator.tracing.Arrival;
import io.bitloom.v1.GenerateRequest;
import io.bitloom.v1.GenerateResponse;
import io.bitloom.v1.PromptResult;
import java.time.Duration;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A prompt that is drawn for a caller who waits: a job of one prompt, which goes away with its
 * caller. All messages are sent from the timer's thread.
 */
final class GenerateCall {

  private static final Logger log = LoggerFactory.getLogger(GenerateCall.class);

  private final Caller owner;
  private final ResponseSink<GenerateResponse> caller;
  private final JobQueue queue;
  private final Quotas quotas;
  private final ImageDelivery delivery;
  private final CallBudget budget;
  private final ProgressFeed feed;
  private final Deletion deletion;
  private final ScheduledExecutorService timer;
  private final Subscriptions subscriptions = new Subscriptions();
  private final ProgressDisplay<GenerateResponse> display;
  private final CompletableFuture<Subscription> afterEnd = new CompletableFuture<>();
  private final AtomicBoolean deleting = new AtomicBoolean();
  private final JobMetrics metrics;
  private final long beginNanos = System.nanoTime();

  // Guarded by this.
  private String jobId;
  private boolean looking;
  private boolean lookAgain;

  GenerateCall(
      Caller owner,
      ResponseSink<GenerateResponse> caller,
      GenerateRequest request,
      JobQueue queue,
      Quotas quotas,
      ImageDelivery delivery,
      ProgressFeed feed,
      Deletion deletion,
      ScheduledExecutorService timer,
      JobMetrics metrics) {
    this.owner = owner;
    this.metrics = metrics;
    this.caller = caller;
    this.queue = queue;
    this.quotas = quotas;
    this.delivery = delivery;
    this.budget = delivery.budget(caller::cutOff);
    this.feed = feed;
    this.deletion = deletion;
    this.timer = timer;
    this.display =
        new ProgressDisplay<>(
            owner,
            request.getProgress(),
            request.getPreviewPixels(),
            caller,
            subscriptions,
            timer,
            progress -> GenerateResponse.newBuilder().setProgress(progress).build(),
            preview -> GenerateResponse.newBuilder().setPreview(preview).build());
    caller.onEnd(this::ended);
  }

  /** What is to be drawn, the job for it, whose it is, and how it came in. */
  record Order(Caller owner, NewJob job, NewPrompt prompt, Arrival arrival) {}

  void start(CompletionStage<Order> order) {
    order
        .thenCompose(
            ordered ->
                quotas
                    .create(ordered.owner(), ordered.job())
                    .thenCompose(created -> begin(created, ordered)))
        .whenComplete((done, error) -> failIf(error));
  }

  private CompletionStage<Void> begin(JobRecord created, Order order) {
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
            caller.send(GenerateResponse.newBuilder().setJob(JobMessages.of(created)).build());
          }
        });
    display.watch(feed, jobId);
    return quotas
        .appendFirst(order.owner(), jobId, 0, List.of(order.prompt()), order.arrival())
        .thenCompose(appended -> queue.jobs().seal(jobId, OptionalLong.of(1)))
        .thenCompose(complete -> queue.jobs().onChanged(jobId, this::changed))
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
      queue.jobs().get(jobId).whenComplete(this::looked);
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
    long since = delivery.now();
    queue
        .results()
        .read(jobId, Cursor.START, 1)
        .thenCompose(
            records ->
                delivery.of(
                    ResultReader.describe(owner, jobId, records.get(0)), ImageForm.BYTES, budget))
        .whenCompleteAsync(
            (result, error) -> {
              if (error != null) {
                failIf(error);
              } else {
                deliver(result.getResult(), since);
              }
            },
            timer);
  }

  private void deliver(PromptResult result, long since) {
    if (subscriptions.end()) {
      answered(result.hasImages());
      caller.send(GenerateResponse.newBuilder().setResult(result).build());
      delivery.delivered(jobId, result, since);
      caller.complete();
    }
    delete();
  }

  private void failIf(Throwable error) {
    if (error != null) {
      timer.execute(
          () -> {
            if (subscriptions.end()) {
              answered(false);
              budget.end();
              caller.fail(error);
              cancel();
            }
          });
    }
  }

  private void answered(boolean succeeded) {
    metrics.generated(succeeded, Duration.ofNanos(System.nanoTime() - beginNanos));
  }

  private void ended() {
    boolean early = subscriptions.end();
    budget.end();
    if (early) {
      cancel();
    }
  }

  /** Nobody waits any more: the job ends, and goes when it has. */
  private synchronized void cancel() {
    if (jobId != null) {
      queue
          .jobs()
          .cancel(jobId)
          .thenCompose(job -> queue.jobs().onChanged(jobId, this::deleteIfEnded))
          .whenComplete(
              (subscription, error) -> {
                report("cancelled", error);
                if (error == null) {
                  afterEnd.complete(subscription);
                }
              });
    }
  }

  private void deleteIfEnded() {
    queue
        .jobs()
        .get(jobId)
        .thenAccept(
            job -> {
              if (job.terminal() && deleting.compareAndSet(false, true)) {
                afterEnd.thenAccept(Subscription::close);
                delete();
              }
            });
  }

  private void delete() {
    deletion.delete(jobId).whenComplete((done, error) -> report("deleted", error));
  }

  private void report(String what, Throwable error) {
    if (error != null) {
      log.atWarn()
          .addKeyValue(LogFields.JOB, jobId)
          .addKeyValue(LogFields.TENANT, owner.tenant())
          .log("{} is not {}: {}", JobNames.of(jobId), what, error.toString());
    }
  }
}
