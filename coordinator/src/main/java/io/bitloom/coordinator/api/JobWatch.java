package io.bitloom.coordinator.api;

import io.bitloom.common.error.GrpcErrors;
import io.bitloom.coordinator.auth.Caller;
import io.bitloom.coordinator.jobs.JobNames;
import io.bitloom.coordinator.queue.JobQueue;
import io.bitloom.coordinator.queue.JobRecord;
import io.bitloom.coordinator.queue.Subscription;
import io.bitloom.v1.WatchJobRequest;
import io.bitloom.v1.WatchJobResponse;
import io.grpc.stub.ServerCallStreamObserver;
import java.time.Duration;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * One WatchJob call. Changes that come faster than {@link #INTERVAL}, or faster than the watcher
 * reads, are told as one.
 */
final class JobWatch {

  private static final Duration INTERVAL = Duration.ofMillis(250);

  private final ServerCallStreamObserver<WatchJobResponse> caller;
  private final JobQueue queue;
  private final ScheduledExecutorService timer;
  private final String jobId;
  private final CompletionStage<JobRecord> found;

  // Guarded by this.
  private Subscription subscription;
  private JobRecord told;
  private boolean looking;
  private boolean lookAgain;
  private boolean ended;

  /**
   * @param timer where the watcher is told; must not be blocked
   */
  JobWatch(
      ServerCallStreamObserver<WatchJobResponse> caller,
      JobQueue queue,
      JobAccess access,
      ScheduledExecutorService timer,
      WatchJobRequest request) {
    this.caller = caller;
    this.queue = queue;
    this.timer = timer;
    this.jobId = JobNames.id("name", request.getName());
    this.found = access.find(Caller.current(), request.getName());
  }

  /** Must be called within the RPC's method, because handlers cannot be set later. */
  void start() {
    caller.setOnCancelHandler(this::end);
    caller.setOnReadyHandler(this::changed);
    looking = true;
    found
        .thenCompose(job -> queue.onJobChanged(jobId, this::changed))
        .thenAccept(this::keep)
        .thenCompose(done -> queue.get(jobId))
        .whenCompleteAsync(this::tell, timer);
  }

  private synchronized void keep(Subscription subscription) {
    if (ended) {
      subscription.close();
    } else {
      this.subscription = subscription;
    }
  }

  private synchronized void changed() {
    lookAgain = true;
    if (!looking && !ended && caller.isReady()) {
      look();
    }
  }

  private synchronized void look() {
    looking = true;
    lookAgain = false;
    queue.get(jobId).whenCompleteAsync(this::tell, timer);
  }

  private void tell(JobRecord job, Throwable error) {
    if (error != null) {
      end();
      caller.onError(GrpcErrors.unwrap(error));
      return;
    }
    if (!job.equals(told)) {
      told = job;
      caller.onNext(WatchJobResponse.newBuilder().setJob(Jobs.of(job)).build());
    }
    if (job.terminal()) {
      end();
      caller.onCompleted();
    } else {
      timer.schedule(this::rested, INTERVAL.toMillis(), TimeUnit.MILLISECONDS);
    }
  }

  private synchronized void rested() {
    looking = false;
    if (lookAgain) {
      changed();
    }
  }

  private synchronized void end() {
    ended = true;
    if (subscription != null) {
      subscription.close();
    }
  }
}
