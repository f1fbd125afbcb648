package io.bitloom.coordinator.jobs;

import io.bitloom.common.schedule.ScaleSchedules;
import io.bitloom.coordinator.auth.Caller;
import io.bitloom.coordinator.dispatch.matching.Speeds;
import io.bitloom.coordinator.dispatch.worker.ConnectedWorkers;
import io.bitloom.coordinator.dispatch.worker.WorkerView;
import io.bitloom.coordinator.queue.Backlog;
import io.bitloom.coordinator.queue.BucketBacklog;
import io.bitloom.v1.BucketStatus;
import io.bitloom.v1.GetClusterResponse;
import io.bitloom.v1.WorkerLease;
import io.bitloom.v1.WorkerStatus;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;

/** What waits in the queue, and who works. */
public final class ClusterState {

  private final Backlog backlog;
  private final ConnectedWorkers workers;
  private final Speeds speeds;
  private final Supplier<Optional<String>> trouble;

  /**
   * @param trouble why nothing goes on now
   */
  public ClusterState(
      Backlog backlog,
      ConnectedWorkers workers,
      Speeds speeds,
      Supplier<Optional<String>> trouble) {
    this.backlog = backlog;
    this.workers = workers;
    this.speeds = speeds;
    this.trouble = trouble;
  }

  /** As it is at this moment; who the workers are is for operators only. */
  public CompletionStage<GetClusterResponse> now(Caller caller) {
    CompletionStage<List<BucketStatus>> buckets =
        backlog
            .buckets()
            .thenCombine(
                speeds.table(),
                (all, table) -> all.stream().map(bucket -> status(bucket, table)).toList());
    return buckets.thenCombine(
        workers.workers(),
        (waiting, drawing) ->
            GetClusterResponse.newBuilder()
                .addAllBuckets(waiting)
                .addAllWorkers(drawing.stream().map(worker -> status(caller, worker)).toList())
                .setTrouble(trouble.get().orElse(""))
                .build());
  }

  private static BucketStatus status(BucketBacklog bucket, Speeds.Table speeds) {
    BucketStatus.Builder status = BucketStatus.newBuilder();
    ScaleSchedules.find(bucket.bucket().schedule())
        .ifPresent(schedule -> status.setShape(schedule.shape()).setSize(schedule.size().label()));
    return status
        .setModel(bucket.bucket().model())
        .setSchedule(bucket.bucket().schedule())
        .setPrompts(bucket.prompts())
        .setImages(bucket.images())
        .setRetries(bucket.retries())
        .setLeased(bucket.leased())
        .setOldest(
            com.google.protobuf.Duration.newBuilder().setSeconds(bucket.waiting().toSeconds()))
        .setSecondsPerImage(
            speeds.measured(bucket.bucket()) ? speeds.of(bucket.bucket()).orElse(0) : 0)
        .build();
  }

  private static WorkerStatus status(Caller caller, WorkerView worker) {
    WorkerStatus.Builder status =
        WorkerStatus.newBuilder()
            .setPool(worker.pool())
            .addAllModels(worker.models())
            .setConnected(worker.connected())
            .setImagesDone(worker.imagesDone());
    if (caller.seesWorkers()) {
      status
          .setId(worker.id())
          .setVersion(worker.version())
          .setDevice(worker.device())
          .setConnectTime(JobMessages.timestamp(worker.since()));
    }
    for (WorkerView.LeaseView lease : worker.leases()) {
      status.addLeases(status(lease));
    }
    return status.build();
  }

  private static WorkerLease status(WorkerView.LeaseView lease) {
    WorkerLease.Builder status = WorkerLease.newBuilder();
    ScaleSchedules.find(lease.schedule())
        .ifPresent(schedule -> status.setShape(schedule.shape()).setSize(schedule.size().label()));
    return status
        .setModel(lease.model())
        .setSchedule(lease.schedule())
        .setPrompts(lease.prompts())
        .setScale(lease.scalesDone())
        .setScales(lease.scales())
        .build();
  }
}
