package io.bitloom.coordinator.queue.redis;

import io.bitloom.coordinator.queue.LeaseRef;
import io.bitloom.coordinator.queue.TaskRef;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.IntConsumer;
import java.util.stream.Collectors;

/**
 * What is left to be done when a bucket took prompts back from a lease: their jobs are told, and
 * what has no attempt left is given up. The sweeper does what breaks off here.
 */
public final class LeaseEnd {

  private final JobScripts jobs;
  private final BucketScripts buckets;
  private final JobEnd jobEnd;
  private final List<IntConsumer> givenUp = new CopyOnWriteArrayList<>();

  public LeaseEnd(JobScripts jobs, BucketScripts buckets, JobEnd jobEnd) {
    this.jobs = jobs;
    this.buckets = buckets;
    this.jobEnd = jobEnd;
  }

  /** Calls the listener with the number of prompts that have no attempt left. */
  void onGivenUp(IntConsumer listener) {
    givenUp.add(listener);
  }

  /**
   * Tells a job that prompts of it are no longer with a lease.
   *
   * @param why they are not
   */
  public CompletionStage<Void> requeue(
      String jobId, LeaseRef lease, JobScripts.Requeued why, List<Long> offsets) {
    return jobs.requeue(jobId, lease, why, offsets)
        .thenCompose(back -> jobEnd.endedIf(back.terminal(), jobId));
  }

  /** Tells all jobs of these prompts that nothing of them was begun. */
  CompletionStage<Void> released(LeaseRef lease, Collection<TaskRef> tasks) {
    Map<String, List<Long>> offsets =
        tasks.stream()
            .collect(
                Collectors.groupingBy(
                    TaskRef::jobId, Collectors.mapping(TaskRef::offset, Collectors.toList())));
    List<CompletionStage<Void>> stages = new ArrayList<>();
    offsets.forEach(
        (jobId, ofJob) -> stages.add(requeue(jobId, lease, JobScripts.Requeued.BACK, ofJob)));
    return Stages.all(stages).thenApply(done -> null);
  }

  /**
   * Tells a job of attempts that are over. What has its outcome all the same, because a lease is
   * told so only when all of it is done, does not wait for another attempt.
   *
   * @return the prompts that do
   */
  CompletionStage<Set<TaskRef>> attempted(LeaseRef lease, String jobId, List<Tasks.Task> tasks) {
    if (tasks.isEmpty()) {
      return CompletableFuture.completedStage(Set.of());
    }
    return jobs.requeue(jobId, lease, JobScripts.Requeued.ATTEMPT, Tasks.offsets(tasks))
        .thenCompose(
            back -> {
              Set<Long> decided = Set.copyOf(back.decided());
              Map<Boolean, List<Tasks.Task>> parts =
                  tasks.stream()
                      .collect(Collectors.partitioningBy(task -> decided.contains(task.offset())));
              return (decided.isEmpty()
                      ? Stages.nothing()
                      : buckets.dropRetries(lease.bucket(), jobId, parts.get(true)))
                  .thenCompose(dropped -> jobEnd.endedIf(back.terminal(), jobId))
                  .thenApply(
                      done ->
                          parts.get(false).stream()
                              .map(task -> new TaskRef(jobId, task.offset()))
                              .collect(Collectors.toSet()));
            });
  }

  /** Tells jobs what expired, and gives up what has no attempt left. */
  public CompletionStage<Void> expired(BucketScripts.Expired expired) {
    List<CompletionStage<Void>> stages = new ArrayList<>();
    for (BucketScripts.ExpiredLease ended : expired.leases()) {
      stages.add(
          attempted(ended.lease(), ended.jobId(), ended.waiting()).thenApply(waiting -> null));
      if (!ended.exhausted().isEmpty()) {
        stages.add(giveUp(ended));
      }
    }
    return Stages.all(stages).thenApply(done -> null);
  }

  private CompletionStage<Void> giveUp(BucketScripts.ExpiredLease ended) {
    List<TaskRef> tasks =
        ended.exhausted().stream().map(task -> new TaskRef(ended.jobId(), task.offset())).toList();
    return jobs.lose(ended.jobId(), ended.lease(), ended.exhausted())
        .whenComplete(
            (terminal, e) -> {
              if (e == null) {
                givenUp.forEach(listener -> listener.accept(tasks.size()));
              }
            })
        .thenCompose(
            terminal ->
                buckets
                    .settle(ended.lease(), tasks)
                    .thenCompose(settled -> jobEnd.endedIf(terminal, ended.jobId())));
  }
}
