package io.bitloom.coordinator.api;

import io.bitloom.common.error.GrpcErrors;
import io.bitloom.coordinator.jobs.JobNames;
import io.bitloom.coordinator.queue.JobQueue;
import io.bitloom.coordinator.queue.JobRecord;
import io.bitloom.coordinator.queue.ResultRecord;
import io.bitloom.coordinator.queue.Subscription;
import io.bitloom.v1.ReadResultsRequest;
import io.bitloom.v1.ReadResultsResponse;
import io.grpc.stub.ServerCallStreamObserver;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;

/**
 * One ReadResults call. It goes on only while the transport takes more, so a reader that stalls
 * costs one page of records without images. At the end of what there is it waits for the queue's
 * word that the job changed.
 *
 * <p>One step is under way at a time; whatever happens meanwhile (the transport is ready, the job
 * changed) only has the next step look again.
 */
final class ResultStream {

  /** Records that are fetched ahead of the reader; images are not. */
  static final int PAGE = 32;

  private final ServerCallStreamObserver<ReadResultsResponse> caller;
  private final JobQueue queue;
  private final ResultReader reader;
  private final Executor blockingThreads;
  private final String jobId;
  private final ReadResultsRequest request;

  private final Deque<ResultRecord> page = new ArrayDeque<>();
  private Subscription subscription;
  private long fetchedUpTo;
  private boolean jobTerminal;

  // Guarded by this.
  private boolean stepping;
  private boolean lookAgain;
  private boolean ended;

  /**
   * @param blockingThreads where images are read
   */
  ResultStream(
      ServerCallStreamObserver<ReadResultsResponse> caller,
      JobQueue queue,
      ResultReader reader,
      Executor blockingThreads,
      ReadResultsRequest request) {
    this.caller = caller;
    this.queue = queue;
    this.reader = reader;
    this.blockingThreads = blockingThreads;
    this.jobId = JobNames.id("name", request.getName());
    this.fetchedUpTo = ResultCursor.place(jobId, request.getAfterCursor());
    this.request = request;
  }

  /** Must be called within the RPC's method, because handlers cannot be set later. */
  void start() {
    caller.setOnCancelHandler(this::end);
    caller.setOnReadyHandler(this::wake);
    stepping = true;
    CompletionStage<Void> subscribed =
        request.getFollow()
            ? queue.onJobChanged(jobId, this::wake).thenAccept(this::keep)
            : CompletableFuture.completedStage(null);
    subscribed.whenComplete((done, error) -> goOn(error));
  }

  private synchronized void keep(Subscription subscription) {
    if (ended) {
      subscription.close();
    } else {
      this.subscription = subscription;
    }
  }

  private void step() {
    synchronized (this) {
      if (ended) {
        return;
      }
      lookAgain = false;
    }
    try {
      if (page.isEmpty()) {
        queue.results(jobId, fetchedUpTo, PAGE).whenComplete(this::fetched);
      } else if (caller.isReady()) {
        caller.onNext(reader.read(jobId, page.poll(), request.getReferencesOnly()));
        goOn(null);
      } else {
        rest();
      }
    } catch (RuntimeException e) {
      goOn(e);
    }
  }

  private void fetched(List<ResultRecord> records, Throwable error) {
    if (error != null) {
      goOn(error);
    } else if (!records.isEmpty()) {
      page.addAll(records);
      fetchedUpTo = records.get(records.size() - 1).cursor();
      goOn(null);
    } else if (jobTerminal || !request.getFollow()) {
      end();
      caller.onCompleted();
    } else {
      queue.get(jobId).whenComplete(this::foundNothingNew);
    }
  }

  private void foundNothingNew(JobRecord job, Throwable error) {
    if (error != null) {
      goOn(error);
    } else if (job.terminal()) {
      // A result may have come between the empty page and the terminal state: one more look.
      jobTerminal = true;
      goOn(null);
    } else {
      rest();
    }
  }

  private void goOn(Throwable error) {
    if (error != null) {
      end();
      caller.onError(GrpcErrors.unwrap(error));
    } else {
      blockingThreads.execute(this::step);
    }
  }

  /** Until {@link #wake}, which may have been called since the step began. */
  private void rest() {
    synchronized (this) {
      if (!lookAgain) {
        stepping = false;
        return;
      }
    }
    goOn(null);
  }

  private void wake() {
    synchronized (this) {
      lookAgain = true;
      if (stepping || ended) {
        return;
      }
      stepping = true;
    }
    goOn(null);
  }

  private synchronized void end() {
    ended = true;
    if (subscription != null) {
      subscription.close();
    }
  }
}
