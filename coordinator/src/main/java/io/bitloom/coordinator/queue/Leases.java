package io.bitloom.coordinator.queue;

import com.google.protobuf.ByteString;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What happens to leases. Each step has two halves, one in the bucket and one in the jobs of its
 * prompts, in an order in which a crash between them loses and doubles nothing.
 */
final class Leases {

  private static final Logger LOG = LoggerFactory.getLogger(Leases.class);

  /** More outcomes of a job than this go to Redis in several calls. */
  private static final int OUTCOMES_PER_CALL = 256;

  private final JobScripts jobs;
  private final BucketScripts buckets;
  private final JobEnd jobEnd;
  private final ReadyBuckets ready;
  private final Reaper reaper;

  Leases(JobScripts jobs, BucketScripts buckets, JobEnd jobEnd, ReadyBuckets ready, Reaper reaper) {
    this.jobs = jobs;
    this.buckets = buckets;
    this.jobEnd = jobEnd;
    this.ready = ready;
    this.reaper = reaper;
  }

  /** The bucket gives prompts to a lease, then their jobs say which of these are still wanted. */
  CompletionStage<Optional<LeasedBatch>> lease(
      Bucket bucket, String worker, int maxImages, Duration duration) {
    return buckets
        .lease(bucket, worker, maxImages, duration)
        .thenCompose(
            leased -> {
              ready.leased(bucket, leased);
              if (leased.token() == 0) {
                return CompletableFuture.completedStage(Optional.empty());
              }
              reaper.watch(bucket, duration);
              return start(new LeaseRef(bucket, leased.token()), leased.tasks())
                  .thenCompose(
                      tasks ->
                          tasks.isEmpty()
                              ? lease(bucket, worker, maxImages, duration)
                              : CompletableFuture.completedStage(
                                  Optional.of(
                                      new LeasedBatch(
                                          new LeaseRef(bucket, leased.token()), tasks))));
            });
  }

  private CompletionStage<List<LeasedTask>> start(
      LeaseRef lease, Map<String, List<JobScripts.HeldTask>> tasks) {
    List<CompletionStage<List<LeasedTask>>> stages = new ArrayList<>();
    tasks.forEach((jobId, held) -> stages.add(start(lease, jobId, held)));
    return Stages.all(stages).thenApply(given -> given.stream().flatMap(List::stream).toList());
  }

  private CompletionStage<List<LeasedTask>> start(
      LeaseRef lease, String jobId, List<JobScripts.HeldTask> held) {
    return jobs.start(jobId, lease, held)
        .thenCompose(
            started -> {
              List<LeasedTask> given = new ArrayList<>();
              List<TaskRef> unwanted = new ArrayList<>();
              for (JobScripts.HeldTask task : held) {
                TaskRef ref = new TaskRef(jobId, task.offset());
                ByteString payload = started.payloads().get(task.offset());
                if (payload == null) {
                  unwanted.add(ref);
                } else {
                  given.add(new LeasedTask(ref, task.attempt(), task.images(), payload));
                }
              }
              return settle(lease, unwanted)
                  .thenCompose(settled -> jobEnd.endedIf(started.terminal(), jobId))
                  .thenApply(done -> given);
            });
  }

  CompletionStage<Set<LeaseRef>> renew(
      String worker, Collection<LeaseRef> leases, Duration duration) {
    Map<Bucket, List<Long>> tokens =
        leases.stream()
            .collect(
                Collectors.groupingBy(
                    LeaseRef::bucket, Collectors.mapping(LeaseRef::token, Collectors.toList())));
    List<CompletionStage<Set<LeaseRef>>> stages = new ArrayList<>();
    tokens.forEach(
        (bucket, ofBucket) ->
            stages.add(
                buckets
                    .renew(bucket, worker, ofBucket, duration)
                    .thenApply(
                        renewed -> {
                          reaper.watch(bucket, duration);
                          return lost(bucket, ofBucket, renewed);
                        })));
    return Stages.all(stages)
        .thenApply(lost -> lost.stream().flatMap(Set::stream).collect(Collectors.toSet()));
  }

  private static Set<LeaseRef> lost(Bucket bucket, List<Long> tokens, List<Boolean> renewed) {
    return tokens.stream()
        .filter(token -> !renewed.get(tokens.indexOf(token)))
        .map(token -> new LeaseRef(bucket, token))
        .collect(Collectors.toSet());
  }

  /** The jobs take the outcomes, then the lease lets go of the prompts. */
  CompletionStage<List<TaskVerdict>> commit(LeaseRef lease, List<TaskOutcome> outcomes) {
    List<JobScripts.Verdict> verdicts = Arrays.asList(new JobScripts.Verdict[outcomes.size()]);
    List<String> terminal = new ArrayList<>();
    List<CompletionStage<Void>> stages = new ArrayList<>();
    byJob(outcomes, TaskOutcome::task)
        .forEach(
            (jobId, places) -> {
              for (int from = 0; from < places.size(); from += OUTCOMES_PER_CALL) {
                List<Integer> some =
                    places.subList(from, Math.min(places.size(), from + OUTCOMES_PER_CALL));
                stages.add(
                    jobs.commit(
                            jobId,
                            lease.token(),
                            some.stream().map(place -> outcome(outcomes.get(place))).toList())
                        .thenAccept(
                            committed -> {
                              for (int k = 0; k < some.size(); k++) {
                                verdicts.set(some.get(k), committed.verdicts().get(k));
                              }
                              if (committed.terminal()) {
                                synchronized (terminal) {
                                  terminal.add(jobId);
                                }
                              }
                            }));
              }
            });
    return Stages.all(stages)
        .thenCompose(done -> settle(lease, decided(outcomes, verdicts)))
        .thenCompose(
            done ->
                Stages.all(terminal.stream().map(jobEnd::ended).toList())
                    .exceptionally(e -> unfinished("cleaning up after a job", e)))
        .thenApply(
            done ->
                verdicts.stream()
                    .map(
                        verdict ->
                            verdict == JobScripts.Verdict.TAKEN
                                ? TaskVerdict.COMMITTED
                                : TaskVerdict.SUPERSEDED)
                    .toList());
  }

  private static JobScripts.Outcome outcome(TaskOutcome outcome) {
    return new JobScripts.Outcome(
        outcome.task().offset(),
        outcome.succeeded() ? ResultRecord.Status.SUCCEEDED : ResultRecord.Status.FAILED,
        outcome.body());
  }

  private static List<TaskRef> decided(
      List<TaskOutcome> outcomes, List<JobScripts.Verdict> verdicts) {
    List<TaskRef> decided = new ArrayList<>();
    for (int i = 0; i < outcomes.size(); i++) {
      if (verdicts.get(i) != JobScripts.Verdict.NOT_HELD) {
        decided.add(outcomes.get(i).task());
      }
    }
    return decided;
  }

  /**
   * Lets a lease forget prompts. If that fails, the lease expires, and a later one finds that the
   * prompts are not wanted: nothing is lost, so this does not fail the call.
   */
  private CompletionStage<Void> settle(LeaseRef lease, List<TaskRef> tasks) {
    return tasks.isEmpty()
        ? Stages.nothing()
        : buckets.settle(lease, tasks).exceptionally(e -> unfinished("settling " + lease, e));
  }

  private static <T> T unfinished(String what, Throwable e) {
    LOG.warn("{} broke off and is left to the sweeper: {}", what, e.toString());
    return null;
  }

  /** The bucket takes prompts back for another attempt; those that have none left fail for good. */
  CompletionStage<List<TaskVerdict>> fail(LeaseRef lease, List<TaskFailure> failures) {
    return buckets
        .retry(lease, failures.stream().map(TaskFailure::task).toList())
        .thenCompose(
            retries -> {
              List<TaskRef> waiting = new ArrayList<>();
              List<TaskOutcome> exhausted = new ArrayList<>();
              List<TaskVerdict> verdicts = new ArrayList<>();
              for (int i = 0; i < failures.size(); i++) {
                TaskFailure failure = failures.get(i);
                switch (retries.get(i)) {
                  case WAITS -> {
                    waiting.add(failure.task());
                    verdicts.add(TaskVerdict.RETRIED);
                  }
                  case EXHAUSTED -> {
                    exhausted.add(new TaskOutcome(failure.task(), false, failure.body()));
                    verdicts.add(TaskVerdict.COMMITTED);
                  }
                  case NOT_HELD -> verdicts.add(TaskVerdict.SUPERSEDED);
                }
              }
              return requeue(lease, true, waiting)
                  .thenCompose(done -> commit(lease, exhausted))
                  .thenApply(
                      committed -> {
                        for (int i = 0, k = 0; i < verdicts.size(); i++) {
                          if (verdicts.get(i) == TaskVerdict.COMMITTED) {
                            verdicts.set(i, committed.get(k++));
                          }
                        }
                        return verdicts;
                      });
            });
  }

  CompletionStage<Void> release(LeaseRef lease, List<TaskRef> tasks) {
    return buckets
        .release(lease, tasks)
        .thenCompose(
            released -> {
              List<TaskRef> taken = new ArrayList<>();
              for (int i = 0; i < tasks.size(); i++) {
                if (released.get(i)) {
                  taken.add(tasks.get(i));
                }
              }
              return requeue(lease, false, taken);
            });
  }

  CompletionStage<Void> expire(LeaseRef lease) {
    return buckets
        .expire(lease)
        .thenCompose(expired -> reaper.returnToJobs(lease.bucket(), expired));
  }

  private CompletionStage<Void> requeue(LeaseRef lease, boolean attempted, List<TaskRef> tasks) {
    List<CompletionStage<Void>> stages = new ArrayList<>();
    byJob(tasks, Function.identity())
        .forEach(
            (jobId, places) ->
                stages.add(
                    jobs.requeue(
                            jobId,
                            lease.token(),
                            attempted,
                            places.stream().map(place -> tasks.get(place).offset()).toList())
                        .thenCompose(terminal -> jobEnd.endedIf(terminal, jobId))));
    return Stages.all(stages).thenApply(done -> null);
  }

  /** The places of a list by the job that they name. */
  private static <T> Map<String, List<Integer>> byJob(List<T> list, Function<T, TaskRef> task) {
    Map<String, List<Integer>> byJob = new LinkedHashMap<>();
    for (int i = 0; i < list.size(); i++) {
      byJob.computeIfAbsent(task.apply(list.get(i)).jobId(), j -> new ArrayList<>()).add(i);
    }
    return byJob;
  }
}
