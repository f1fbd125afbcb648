package io.bitloom.coordinator.dispatch.worker;

import com.google.protobuf.ByteString;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.grpc.GrpcErrors;
import io.bitloom.common.resilience.RetryPolicy;
import io.bitloom.coordinator.dispatch.DispatchLoop;
import io.bitloom.coordinator.models.WorkerProfile;
import io.bitloom.coordinator.queue.JobStore;
import io.bitloom.coordinator.queue.LeaseRef;
import io.bitloom.coordinator.queue.Leases;
import io.bitloom.coordinator.queue.TaskOutcome;
import io.bitloom.coordinator.queue.TaskRef;
import io.bitloom.coordinator.queue.TaskVerdict;
import io.bitloom.v1.GeneratedImage;
import io.bitloom.v1.GeneratedImages;
import io.bitloom.v1.PromptFailure;
import io.bitloom.v1.PromptOutcome;
import io.bitloom.v1.PromptResult;
import io.bitloom.v1.TaskFailure;
import io.bitloom.v1.UploadGrant;
import io.bitloom.v1.UploadRequest;
import io.github.resilience4j.retry.Retry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.spi.LoggingEventBuilder;

/**
 * Takes the outcomes of one worker session: images into the result store, then the outcome into the
 * queue, then word to the worker. What comes while a commit of the same lease is under way is
 * committed together afterwards.
 *
 * <p>While the store or the queue is away an outcome waits here, and the session reads no further.
 * Confined to the dispatch loop, but for the storing of images.
 */
final class OutcomeCommits {

  /**
   * An outcome whose images are stored.
   *
   * @param retryable another attempt may mend it
   * @param imageBytes of all its images; 0 if it has none
   */
  private record Ready(
      Report report, boolean retryable, boolean succeeded, ByteString body, long imageBytes) {

    TaskRef task() {
      return report.task().ref();
    }
  }

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
  private static final int MAX_REASON = 64;

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

  /**
   * Drops the outcome of a prompt that is not the worker's, or no longer.
   *
   * @param task empty if it is not known which prompt is meant
   */
  void refuse(Optional<TaskRef> task, PromptOutcome outcome) {
    task.ifPresent(known -> dropImages(outcome, known));
    answers.refused();
  }

  /** Takes the outcome of a prompt that the worker held until now. */
  void take(Report report) {
    if (!report.outcome().hasImages()) {
      ready(failure(report));
      return;
    }
    loop.after(
        () -> loop.retrying(patience, () -> storing(report)),
        (stored, error) -> {
          if (error == null) {
            ready(stored);
          } else {
            answers.failed(report, error);
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
            about(log.atWarn(), lease, task.ref())
                .log(
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
  private void dropImages(PromptOutcome outcome, TaskRef task) {
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
  private void ready(Ready outcome) {
    OpenLease lease = outcome.report().lease();
    Group group = groups.computeIfAbsent(lease.ref(), ref -> new Group(lease));
    group.waiting.add(outcome);
    if (!group.busy) {
      group.busy = true;
      loop.execute(() -> commit(group), fault);
    }
  }

  private CompletionStage<Ready> storing(Report report) {
    return CompletableFuture.supplyAsync(() -> stored(report), storeThreads);
  }

  private Ready stored(Report report) {
    try {
      GeneratedImages stored =
          images.store(
              report.lease().ref().bucket().schedule(),
              report.task(),
              report.outcome().getImages());
      PromptResult result = PromptResult.newBuilder().setImages(stored).build();
      return new Ready(
          report,
          false,
          true,
          report.drawing().body(report.outcome(), result),
          stored.getImagesList().stream().mapToLong(GeneratedImage::getSizeBytes).sum());
    } catch (BitloomException e) {
      if (e.code().fault() == ErrorCode.Fault.RESOURCE) {
        throw e;
      }
      about(log.atWarn(), report.lease(), report.task().ref())
          .log(
              "Worker {} sent a bad image of {}: {}",
              worker.workerId(),
              report.task().ref(),
              e.getMessage());
      return failed(report, true, e.code().name(), e.getMessage());
    }
  }

  private LoggingEventBuilder about(LoggingEventBuilder line, OpenLease lease, TaskRef task) {
    return OutcomeAnswers.about(line, worker, lease, task);
  }

  private static Ready failure(Report report) {
    TaskFailure failure = report.outcome().getFailure();
    String message = failure.getMessage();
    return failed(
        report,
        failure.getRetryable(),
        isReason(failure.getReason()) ? failure.getReason() : ErrorCode.INTERNAL.name(),
        message.substring(0, Math.min(message.length(), MAX_MESSAGE)));
  }

  /** Whether this is a reason in upper snake case. */
  private static boolean isReason(String text) {
    boolean is = !text.isEmpty() && text.length() <= MAX_REASON && isUpper(text.charAt(0));
    for (int i = 1; is && i < text.length(); i++) {
      char c = text.charAt(i);
      is = isUpper(c) || c == '_' || c >= '0' && c <= '9';
    }
    return is;
  }

  private static boolean isUpper(char c) {
    return c >= 'A' && c <= 'Z';
  }

  private static Ready failed(Report report, boolean retryable, String reason, String message) {
    PromptResult result =
        PromptResult.newBuilder()
            .setFailure(PromptFailure.newBuilder().setReason(reason).setMessage(message))
            .build();
    return new Ready(report, retryable, false, report.drawing().body(report.outcome(), result), 0);
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
            settle(outcomes, () -> leases.commit(lease, taskOutcomes(group.lease, outcomes)))
                .thenCompose(
                    done ->
                        settle(
                            failures,
                            () -> leases.fail(lease, taskFailures(group.lease, failures)))),
        (done, error) -> {
          if (group.lease.finished()) {
            leases.finished(lease);
          }
          answers.flush();
          commit(group);
        },
        fault);
  }

  private static List<TaskOutcome> taskOutcomes(OpenLease lease, List<Ready> outcomes) {
    Predicate<TaskRef> last = last(lease, outcomes);
    return outcomes.stream()
        .map(
            ready ->
                new TaskOutcome(
                    ready.task(),
                    ready.succeeded(),
                    ready.body(),
                    ready.imageBytes(),
                    last.test(ready.task())))
        .toList();
  }

  private static List<io.bitloom.coordinator.queue.TaskFailure> taskFailures(
      OpenLease lease, List<Ready> failures) {
    Predicate<TaskRef> last = last(lease, failures);
    return failures.stream()
        .map(
            ready ->
                new io.bitloom.coordinator.queue.TaskFailure(
                    ready.task(), ready.body(), last.test(ready.task())))
        .toList();
  }

  /** Whether these reports have all that is undecided of a prompt's job in the lease. */
  private static Predicate<TaskRef> last(OpenLease lease, List<Ready> reports) {
    Map<String, Integer> here = new HashMap<>();
    reports.forEach(ready -> here.merge(ready.task().jobId(), 1, Integer::sum));
    return task -> here.get(task.jobId()) == lease.undecided(task.jobId());
  }

  /** Tells the verdict of every report, then completes. */
  private CompletionStage<Void> settle(
      List<Ready> reports, Supplier<CompletionStage<List<TaskVerdict>>> call) {
    CompletableFuture<Void> told = new CompletableFuture<>();
    if (reports.isEmpty()) {
      told.complete(null);
      return told;
    }
    loop.after(
        () -> loop.retrying(patience, call),
        (verdicts, error) -> {
          for (int i = 0; i < reports.size(); i++) {
            Report report = reports.get(i).report();
            if (error != null) {
              answers.failed(report, error);
              continue;
            }
            answers.settled(report, verdicts.get(i));
            if (verdicts.get(i) == TaskVerdict.SUPERSEDED) {
              dropImages(report.outcome(), report.task().ref());
            }
          }
          told.complete(null);
        },
        told::completeExceptionally);
    return told;
  }
}
