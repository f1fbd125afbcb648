package io.bitloom.coordinator.api;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.grpc.GrpcErrors;
import io.bitloom.coordinator.auth.Caller;
import io.bitloom.coordinator.grpc.Calls;
import io.bitloom.coordinator.jobs.JobNames;
import io.bitloom.coordinator.queue.JobQueue;
import io.bitloom.coordinator.queue.JobRecord;
import io.bitloom.coordinator.queue.ResultRecord;
import io.bitloom.coordinator.queue.Subscription;
import io.bitloom.v1.OutcomeKind;
import io.bitloom.v1.ReadResultsRequest;
import io.bitloom.v1.ReadResultsResponse;
import io.grpc.Context;
import io.grpc.stub.ServerCallStreamObserver;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;

/**
 * One ReadResults call. It goes on only while the transport takes more, so a reader that stalls
 * costs one page of records without images, and one message for which it holds a part of the {@link
 * SendBudget}. At the end of what there is it waits for the queue's word that the job changed.
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
  private final SendShare share;
  private final Executor blockingThreads;
  private final String jobId;
  private final ReadResultsRequest request;
  private final CompletionStage<JobRecord> found;
  private final Set<OutcomeKind> kinds;

  private final Context context = Context.current();
  private final Deque<ResultRecord> page = new ArrayDeque<>();
  private Subscription subscription;
  private long fetchedUpTo;
  private boolean jobTerminal;
  private boolean allSent;

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
      JobAccess access,
      ResultReader reader,
      SendBudget budget,
      Executor blockingThreads,
      ReadResultsRequest request) {
    this.caller = caller;
    this.queue = queue;
    this.reader = reader;
    this.share = new SendShare(budget, this::cutOff);
    this.blockingThreads = blockingThreads;
    this.jobId = JobNames.id("name", request.getName());
    this.fetchedUpTo = ResultCursor.place("after_cursor", jobId, request.getAfterCursor());
    this.request = request;
    this.kinds = JobRules.outcomes(request);
    this.found = access.find(Caller.current(), request.getName());
  }

  /** Must be called within the RPC's method, because handlers cannot be set later. */
  void start() {
    caller.setOnCancelHandler(this::end);
    caller.setOnReadyHandler(this::wake);
    stepping = true;
    CompletionStage<Void> subscribed =
        request.getFollow()
            ? found.thenCompose(job -> queue.onJobChanged(jobId, this::wake)).thenAccept(this::keep)
            : found.thenAccept(job -> {});
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
      if (page.isEmpty() && !allSent) {
        queue.results(jobId, fetchedUpTo, PAGE).whenComplete(this::fetched);
      } else if (!caller.isReady()) {
        rest();
      } else if (allSent) {
        end();
        caller.onCompleted();
      } else {
        send(ResultReader.describe(jobId, page.poll()));
      }
    } catch (RuntimeException e) {
      goOn(e);
    }
  }

  private void send(ReadResultsResponse described) {
    share.letGo();
    ReadResultsResponse result = request.getDownloadUrls() ? reader.withUrls(described) : described;
    boolean withoutBytes =
        request.getReferencesOnly() || request.getDownloadUrls() && reader.givesUrls();
    long bytes = withoutBytes ? 0 : ResultReader.imageBytes(result);
    if (bytes == 0) {
      caller.onNext(result);
      goOn(null);
    } else {
      share
          .claim(bytes)
          .thenRunAsync(() -> caller.onNext(reader.withImages(result)), blockingThreads)
          .whenComplete((sent, error) -> goOn(error));
    }
  }

  private void cutOff() {
    end();
    Calls.cutOff(context);
  }

  private void fetched(List<ResultRecord> records, Throwable error) {
    if (error != null) {
      goOn(error);
    } else if (!records.isEmpty()) {
      records.stream()
          .filter(record -> kinds.isEmpty() || kinds.contains(ResultReader.kind(record)))
          .forEach(page::add);
      fetchedUpTo = records.get(records.size() - 1).cursor();
      goOn(null);
    } else if (jobTerminal || !request.getFollow()) {
      allSent = true;
      goOn(null);
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
      fail(error);
      return;
    }
    try {
      blockingThreads.execute(this::step);
    } catch (RejectedExecutionException e) {
      fail(new BitloomException(ErrorCode.SHUTTING_DOWN, "this coordinator stops"));
    }
  }

  private void fail(Throwable error) {
    end();
    caller.onError(GrpcErrors.unwrap(error));
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
    share.end();
    if (subscription != null) {
      subscription.close();
    }
  }
}
