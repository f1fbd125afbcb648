package io.bitloom.coordinator.jobs;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.coordinator.auth.Caller;
import io.bitloom.coordinator.queue.Cursor;
import io.bitloom.coordinator.queue.JobNames;
import io.bitloom.coordinator.queue.JobRecord;
import io.bitloom.coordinator.queue.JobStore;
import io.bitloom.coordinator.queue.ResultLog;
import io.bitloom.coordinator.queue.ResultRecord;
import io.bitloom.coordinator.queue.Subscription;
import io.bitloom.v1.OutcomeKind;
import io.bitloom.v1.ReadResultsRequest;
import io.bitloom.v1.ReadResultsResponse;
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

  private final Caller reader;
  private final ResponseSink<ReadResultsResponse> caller;
  private final JobStore jobs;
  private final ResultLog results;
  private final ImageDelivery delivery;
  private final ImageForm form;
  private final CallBudget budget;
  private final Executor threads;
  private final String jobId;
  private final ReadResultsRequest request;
  private final Set<OutcomeKind> kinds;

  private final Deque<ResultRecord> page = new ArrayDeque<>();
  private Subscription subscription;
  private Cursor fetchedUpTo;
  private boolean jobTerminal;
  private boolean allSent;

  // Guarded by this.
  private boolean stepping;
  private boolean lookAgain;
  private boolean ended;

  /**
   * @param threads where steps are taken, which may block
   */
  ResultStream(
      Caller reader,
      ResponseSink<ReadResultsResponse> caller,
      ReadResultsRequest request,
      JobStore jobs,
      ResultLog results,
      ImageDelivery delivery,
      Executor threads) {
    this.reader = reader;
    this.caller = caller;
    this.jobs = jobs;
    this.results = results;
    this.delivery = delivery;
    this.form = new ImageForm(request.getReferencesOnly(), request.getDownloadUrls());
    this.budget = delivery.budget(this::cutOff);
    this.threads = threads;
    this.jobId = JobNames.id("name", request.getName());
    this.fetchedUpTo = ResultCursor.place("after_cursor", jobId, request.getAfterCursor());
    this.request = request;
    this.kinds = JobRules.outcomes(request);
  }

  void start(CompletionStage<JobRecord> found) {
    caller.onEnd(this::end);
    caller.onReady(this::wake);
    stepping = true;
    CompletionStage<Void> subscribed =
        request.getFollow()
            ? found.thenCompose(job -> jobs.onChanged(jobId, this::wake)).thenAccept(this::keep)
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
        results.read(jobId, fetchedUpTo, PAGE).whenComplete(this::fetched);
      } else if (!caller.isReady()) {
        rest();
      } else if (allSent) {
        end();
        caller.complete();
      } else {
        send(ResultReader.describe(reader, jobId, page.poll()));
      }
    } catch (RuntimeException e) {
      goOn(e);
    }
  }

  private void send(ReadResultsResponse described) {
    budget.letGo();
    long since = delivery.now();
    delivery
        .of(described, form, budget)
        .thenAccept(
            result -> {
              caller.send(result);
              delivery.delivered(jobId, result.getResult(), since);
            })
        .whenComplete((sent, error) -> goOn(error));
  }

  private void cutOff() {
    end();
    caller.cutOff();
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
      jobs.get(jobId).whenComplete(this::foundNothingNew);
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
      threads.execute(this::step);
    } catch (RejectedExecutionException e) {
      fail(new BitloomException(ErrorCode.SHUTTING_DOWN, "this coordinator stops"));
    }
  }

  private void fail(Throwable error) {
    end();
    caller.fail(error);
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
    budget.end();
    if (subscription != null) {
      subscription.close();
    }
  }
}
