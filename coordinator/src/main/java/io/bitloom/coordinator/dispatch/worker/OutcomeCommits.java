package io.bitloom.coordinator.dispatch.worker;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.grpc.GrpcErrors;
import io.bitloom.common.resilience.RetryPolicy;
import io.bitloom.coordinator.dispatch.DispatchLoop;
import io.bitloom.coordinator.models.WorkerProfile;
import io.bitloom.coordinator.queue.JobStore;
import io.bitloom.coordinator.queue.LeaseRef;
import io.bitloom.coordinator.queue.Leases;
import io.bitloom.coordinator.queue.TaskFailure;
import io.bitloom.coordinator.queue.TaskOutcome;
import io.bitloom.coordinator.queue.TaskRef;
import io.bitloom.coordinator.queue.TaskVerdict;
import io.bitloom.v1.GeneratedImage;
import io.bitloom.v1.GeneratedImages;
import io.bitloom.v1.Outcome;
import io.bitloom.v1.PromptFailure;
import io.bitloom.v1.PromptResult;
import io.bitloom.v1.Provenance;
import io.bitloom.v1.UploadGrant;
import io.bitloom.v1.UploadRequest;
import io.github.resilience4j.retry.Retry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes the outcomes of one worker session: images into the result store, then the outcome into the
 * queue, then word to the worker. What comes while a commit of the same lease is under way is
 * committed together afterwards.
 *
 * <p>While the store or the queue is away an outcome waits here, and the session reads no further.
 * Confined to the dispatch loop, but for the storing of images.
 */
final class OutcomeCommits {

  /** An outcome whose images are stored. */
  private record Ready(TaskRef task, Outcome outcome, boolean retryable, PromptResult body) {}

  private static final class Group {
    private final OpenLease lease;
    private final List<Ready> waiting = new ArrayList<>();
    private boolean busy;

    private Group(OpenLease lease) {
      this.lease = lease;
    }
  }

  private static final Logger log = LoggerFactory.getLogger(OutcomeCommits.class);
  private static final int MAX_MESSAGE = 1000;
  private static final Pattern REASON = Pattern.compile("[A-Z][A-Z0-9_]{0,63}");

  private final WorkerProfile worker;
  private final OutcomeAnswers answers;
  private final Consumer<Throwable> fault;
  private final DispatchLoop loop;
  private final JobStore jobs;
  private final Leases leases;
  private final ImageStorage images;
  private final Executor storeThreads;
  private final Retry patience;
  private final Map<LeaseRef, Group> groups = new HashMap<>();

  /**
   * @param fault ends the session, so that its worker comes back and reports again
   */
  OutcomeCommits(
      WorkerProfile worker, OutcomeAnswers answers, Consumer<Throwable> fault, SessionParts parts) {
    this.worker = worker;
    this.answers = answers;
    this.fault = fault;
    this.loop = parts.loop();
    this.jobs = parts.queue().jobs();
    this.leases = parts.queue().leases();
    this.images = parts.images();
    this.storeThreads = parts.storeThreads();
    this.patience =
        RetryPolicy.whileUnavailable(
            "outcomes", Duration.ofMillis(100), Duration.ofSeconds(2), answers::awaited);
  }

  /** Images that this session brought. */
  long imagesDone() {
    return answers.imagesDone();
  }

  /** Says that a prompt is not the worker's, or no longer. */
  void refuse(TaskRef task, Outcome outcome) {
    dropImages(outcome, task);
    answers.notHeld(outcome);
  }

  /** Takes the outcome of a prompt that the worker held until now. */
  void take(OpenLease lease, OpenLease.Task task, Outcome outcome) {
    if (!outcome.hasImages()) {
      ready(lease, failure(lease, task, outcome));
      return;
    }
    loop.after(
        () -> loop.retrying(patience, () -> storing(lease, task, outcome)),
        (stored, error) -> {
          if (error == null) {
            ready(lease, stored);
          } else {
            answers.failed(lease, task.ref(), outcome, error);
            answers.flush();
          }
        },
        fault);
  }

  /**
   * Where the worker may put images of a prompt that it holds. Without any place if none can be
   * given, so that the bytes come with the outcome, which can wait for the store.
   */
  void grant(OpenLease lease, OpenLease.Task task, UploadRequest request) {
    UploadGrant.Builder grant =
        UploadGrant.newBuilder().setLeaseId(request.getLeaseId()).setTask(request.getTask());
    String schedule = lease.ref().bucket().schedule();
    loop.after(
        () ->
            CompletableFuture.supplyAsync(
                () -> images.uploads(schedule, task, request.getImagesList()), storeThreads),
        (uploads, error) -> {
          if (error == null) {
            grant.addAllUploads(uploads);
          } else {
            log.warn(
                "Worker {} may not upload images of {}: {}",
                worker.workerId(),
                task.ref(),
                GrpcErrors.unwrap(error).getMessage());
          }
          answers.granted(grant.build());
        },
        fault);
  }

  /**
   * An outcome was not taken. If that is because its job was deleted, nobody else would delete the
   * images that have come since.
   */
  private void dropImages(Outcome outcome, TaskRef task) {
    if (!outcome.hasImages()) {
      return;
    }
    jobs.get(task.jobId())
        .whenCompleteAsync(
            (job, error) -> {
              if (error != null
                  && GrpcErrors.unwrap(error) instanceof BitloomException known
                  && known.code() == ErrorCode.JOB_NOT_FOUND) {
                images.forget(task.jobId());
              }
            },
            storeThreads)
        .whenComplete(
            (done, error) -> {
              if (error != null) {
                log.debug("Images of {} may be left over: {}", task, error.toString());
              }
            });
  }

  /** An outcome can be committed, together with those that came with it. */
  private void ready(OpenLease lease, Ready outcome) {
    Group group = groups.computeIfAbsent(lease.ref(), ref -> new Group(lease));
    group.waiting.add(outcome);
    if (!group.busy) {
      group.busy = true;
      loop.execute(() -> commit(group), fault);
    }
  }

  private CompletionStage<Ready> storing(OpenLease lease, OpenLease.Task task, Outcome outcome) {
    return CompletableFuture.supplyAsync(() -> stored(lease, task, outcome), storeThreads);
  }

  private Ready stored(OpenLease lease, OpenLease.Task task, Outcome outcome) {
    try {
      GeneratedImages stored =
          images.store(lease.ref().bucket().schedule(), task, outcome.getImages());
      PromptResult body =
          PromptResult.newBuilder()
              .setImages(stored)
              .setProvenance(provenance(lease, outcome))
              .build();
      return new Ready(task.ref(), outcome, false, body);
    } catch (BitloomException e) {
      if (e.code().fault() == ErrorCode.Fault.RESOURCE) {
        throw e;
      }
      log.warn(
          "Worker {} sent a bad image of {}: {}", worker.workerId(), task.ref(), e.getMessage());
      return new Ready(
          task.ref(), outcome, true, failed(lease, outcome, e.code().name(), e.getMessage()));
    }
  }

  private Ready failure(OpenLease lease, OpenLease.Task task, Outcome outcome) {
    String reason = outcome.getFailure().getReason();
    String message = outcome.getFailure().getMessage();
    PromptResult body =
        failed(
            lease,
            outcome,
            REASON.matcher(reason).matches() ? reason : ErrorCode.INTERNAL.name(),
            message.substring(0, Math.min(message.length(), MAX_MESSAGE)));
    return new Ready(task.ref(), outcome, outcome.getFailure().getRetryable(), body);
  }

  private PromptResult failed(OpenLease lease, Outcome outcome, String reason, String message) {
    return PromptResult.newBuilder()
        .setFailure(PromptFailure.newBuilder().setReason(reason).setMessage(message))
        .setProvenance(provenance(lease, outcome))
        .build();
  }

  /** Everything but the prompt, which the queue has already, and what it knows better. */
  private Provenance provenance(OpenLease lease, Outcome outcome) {
    String model = lease.ref().bucket().model();
    Provenance.Builder provenance = Provenance.newBuilder();
    if (outcome.hasDrawnText()) {
      provenance.setDrawnText(outcome.getDrawnText());
    }
    return provenance
        .setModel(model)
        .setModelDigest(worker.digest(model))
        .setSchedule(lease.ref().bucket().schedule())
        .setWorker(worker.workerId())
        .setBatchImages(outcome.getBatchImages())
        .setTimes(outcome.getTimes())
        .build();
  }

  private void commit(Group group) {
    if (group.waiting.isEmpty()) {
      groups.remove(group.lease.ref());
      return;
    }
    List<Ready> outcomes = group.waiting.stream().filter(ready -> !ready.retryable()).toList();
    List<Ready> failures = group.waiting.stream().filter(Ready::retryable).toList();
    group.waiting.clear();
    LeaseRef lease = group.lease.ref();
    loop.after(
        () ->
            settle(group.lease, outcomes, () -> leases.commit(lease, taskOutcomes(outcomes)))
                .thenCompose(
                    done ->
                        settle(
                            group.lease,
                            failures,
                            () -> leases.fail(lease, taskFailures(failures)))),
        (done, error) -> {
          answers.flush();
          commit(group);
        },
        fault);
  }

  private static List<TaskOutcome> taskOutcomes(List<Ready> outcomes) {
    return outcomes.stream()
        .map(
            ready ->
                new TaskOutcome(
                    ready.task(),
                    ready.body().hasImages(),
                    ready.body().toByteString(),
                    imageBytes(ready.body())))
        .toList();
  }

  private static long imageBytes(PromptResult body) {
    return body.getImages().getImagesList().stream().mapToLong(GeneratedImage::getSizeBytes).sum();
  }

  private static List<TaskFailure> taskFailures(List<Ready> failures) {
    return failures.stream()
        .map(ready -> new TaskFailure(ready.task(), ready.body().toByteString()))
        .toList();
  }

  /** Tells the verdict of every report, then completes. */
  private CompletionStage<Void> settle(
      OpenLease lease, List<Ready> reports, Supplier<CompletionStage<List<TaskVerdict>>> call) {
    CompletableFuture<Void> told = new CompletableFuture<>();
    if (reports.isEmpty()) {
      told.complete(null);
      return told;
    }
    loop.after(
        () -> loop.retrying(patience, call),
        (verdicts, error) -> {
          for (int i = 0; i < reports.size(); i++) {
            Ready report = reports.get(i);
            if (error != null) {
              answers.failed(lease, report.task(), report.outcome(), error);
              continue;
            }
            answers.settled(lease, report.task(), verdicts.get(i), report.outcome());
            if (verdicts.get(i) == TaskVerdict.SUPERSEDED) {
              dropImages(report.outcome(), report.task());
            }
          }
          told.complete(null);
        },
        told::completeExceptionally);
    return told;
  }
}
