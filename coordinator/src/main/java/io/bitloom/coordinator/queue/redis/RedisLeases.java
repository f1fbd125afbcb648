package io.bitloom.coordinator.queue.redis;

import com.google.protobuf.ByteString;
import io.bitloom.common.secret.Secret;
import io.bitloom.coordinator.queue.Bucket;
import io.bitloom.coordinator.queue.JobTimes;
import io.bitloom.coordinator.queue.LeaseRef;
import io.bitloom.coordinator.queue.LeasedBatch;
import io.bitloom.coordinator.queue.LeasedTask;
import io.bitloom.coordinator.queue.Leases;
import io.bitloom.coordinator.queue.PayloadGroup;
import io.bitloom.coordinator.queue.ResultRecord;
import io.bitloom.coordinator.queue.Subscription;
import io.bitloom.coordinator.queue.TaskFailure;
import io.bitloom.coordinator.queue.TaskOutcome;
import io.bitloom.coordinator.queue.TaskRef;
import io.bitloom.coordinator.queue.TaskVerdict;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What happens to leases. Each step has two halves, one in the bucket and one in the jobs of its
 * prompts, in an order in which a crash between them loses and doubles nothing.
 *
 * <p>Callers know prompts by their places in jobs, buckets and jobs by their places in parts of
 * these: {@link #inPart} and {@link #inJob} are where that changes.
 */
public final class RedisLeases implements Leases {

  private static final Logger LOG = LoggerFactory.getLogger(RedisLeases.class);

  /** More outcomes of a job than this go to Redis in several calls. */
  private static final int OUTCOMES_PER_CALL = 256;

  /** No batch asks for more images; more would not fit into a call of a script. */
  private static final int MOST_IMAGES = 1024;

  private final Spread spread;
  private final JobTurns turns;
  private final BucketScripts buckets;
  private final JobEnd jobEnd;
  private final LeaseEnd leaseEnd;
  private final Upkeep upkeep;
  private final List<Consumer<String>> stopListeners = new CopyOnWriteArrayList<>();
  private volatile JobTimes times = JobTimes.UNHEARD;

  public RedisLeases(
      Spread spread,
      JobTurns turns,
      BucketScripts buckets,
      JobEnd jobEnd,
      LeaseEnd leaseEnd,
      Upkeep upkeep) {
    this.spread = spread;
    this.turns = turns;
    this.buckets = buckets;
    this.jobEnd = jobEnd;
    this.leaseEnd = leaseEnd;
    this.upkeep = upkeep;
  }

  /** The bucket gives prompts to a lease, then their jobs say which of these are still wanted. */
  @Override
  public CompletionStage<Optional<LeasedBatch>> lease(
      Bucket bucket, String worker, int maxImages, Duration duration, Map<String, Integer> spread) {
    Secret secret = Secret.draw();
    return buckets
        .lease(
            bucket,
            worker,
            secret,
            Math.min(maxImages, MOST_IMAGES),
            duration,
            upkeep.takeFinished(bucket),
            spread)
        .thenCompose(leased -> start(bucket, duration, leased))
        .whenComplete(
            (batch, e) -> {
              if (e != null) {
                upkeep.replyLost(bucket, secret);
              }
            })
        .thenCompose(
            batch ->
                batch.filter(given -> given.tasks().isEmpty()).isPresent()
                    ? lease(bucket, worker, maxImages, duration, spread)
                    : CompletableFuture.completedStage(batch));
  }

  private CompletionStage<Optional<LeasedBatch>> start(
      Bucket bucket, Duration duration, BucketScripts.Leased leased) {
    upkeep.asked(bucket, leased);
    if (leased.lease().isEmpty()) {
      return CompletableFuture.completedStage(Optional.empty());
    }
    upkeep.leaseEndsIn(bucket, duration);
    LeaseRef lease = leased.lease().get();
    return start(lease, leased.tasks())
        .thenApply(tasks -> Optional.of(new LeasedBatch(lease, tasks, leased.waits())));
  }

  private CompletionStage<List<LeasedTask>> start(LeaseRef lease, Map<String, ByteString> tasks) {
    List<CompletionStage<List<LeasedTask>>> stages = new ArrayList<>();
    tasks.forEach((jobId, ofJob) -> stages.add(start(lease, jobId, ofJob)));
    return Stages.all(stages).thenApply(given -> given.stream().flatMap(List::stream).toList());
  }

  /** A prompt that the lease's bucket names so. */
  private TaskRef inJob(LeaseRef lease, TaskRef task) {
    return spread.inJob(task, lease.bucket().shard().of());
  }

  /** A prompt as the lease's bucket and its job name it. */
  private TaskRef inPart(LeaseRef lease, TaskRef task) {
    return spread.inPart(task, lease.bucket().shard().of());
  }

  private CompletionStage<List<LeasedTask>> start(LeaseRef lease, String partId, ByteString tasks) {
    return turns
        .start(partId, lease, tasks)
        .thenApply(started -> inJob(lease, partId, started))
        .thenCompose(
            started -> {
              if (started.paused().isPresent()) {
                return takeBack(lease, partId, tasks, started.paused().get());
              }
              List<TaskRef> unwanted = new ArrayList<>();
              if (Tasks.count(tasks) > started.given().size()) {
                Set<Long> given = Set.copyOf(Tasks.offsets(started.given()));
                Tasks.parse(tasks).stream()
                    .filter(task -> !given.contains(task.offset()))
                    .forEach(task -> unwanted.add(new TaskRef(partId, task.offset())));
              }
              List<LeasedTask> given =
                  started.given().stream()
                      .map(task -> leased(lease, partId, task, started.groups()))
                      .toList();
              return settle(lease, unwanted)
                  .thenCompose(settled -> jobEnd.endedIf(started.terminal(), partId))
                  .thenApply(done -> given);
            });
  }

  /** The bucket does not know yet that this job is paused: it is told, and keeps the prompts. */
  private CompletionStage<List<LeasedTask>> takeBack(
      LeaseRef lease, String partId, ByteString tasks, JobScripts.Standing paused) {
    List<TaskRef> refs =
        Tasks.parse(tasks).stream().map(task -> new TaskRef(partId, task.offset())).toList();
    return buckets
        .reschedule(lease.bucket(), partId, paused)
        .thenCompose(told -> buckets.release(lease, refs))
        .thenApply(released -> List.of());
  }

  private LeasedTask leased(
      LeaseRef lease, String partId, Tasks.Task task, Map<Long, PayloadGroup> groups) {
    return new LeasedTask(
        inJob(lease, new TaskRef(partId, task.offset())),
        task.attempt(),
        task.images(),
        groups.get(task.group()));
  }

  /** The payloads of a part's prompts by their places in the job. */
  private JobTurns.Started inJob(LeaseRef lease, String partId, JobTurns.Started started) {
    if (lease.bucket().shard().of() == 1) {
      return started;
    }
    Map<Long, PayloadGroup> groups = new HashMap<>();
    started
        .groups()
        .forEach(
            (id, group) ->
                groups.put(id, group.at(inJob(lease, new TaskRef(partId, id)).offset())));
    return new JobTurns.Started(started.terminal(), started.paused(), started.given(), groups);
  }

  @Override
  public CompletionStage<Set<LeaseRef>> renew(
      String worker, Collection<LeaseRef> leases, Duration duration) {
    return ofEachBucket(
            leases,
            duration,
            (bucket, ofBucket) ->
                buckets
                    .renew(bucket, worker, ofBucket, duration)
                    .thenApply(renewed -> lost(ofBucket, renewed)))
        .thenApply(lost -> lost.stream().flatMap(Set::stream).collect(Collectors.toSet()));
  }

  @Override
  public CompletionStage<Map<LeaseRef, Set<TaskRef>>> claim(
      String worker, Collection<LeaseRef> leases, Duration duration) {
    return ofEachBucket(
            leases,
            duration,
            (bucket, ofBucket) -> buckets.claim(bucket, worker, ofBucket, duration))
        .thenApply(
            claimed -> {
              Map<LeaseRef, Set<TaskRef>> all = new HashMap<>();
              claimed.forEach(
                  some ->
                      some.forEach(
                          (lease, tasks) ->
                              all.put(
                                  lease,
                                  tasks.stream()
                                      .map(task -> inJob(lease, task))
                                      .collect(Collectors.toSet()))));
              return all;
            });
  }

  /** Lets leases last, bucket by bucket. */
  private <T> CompletionStage<List<T>> ofEachBucket(
      Collection<LeaseRef> leases,
      Duration duration,
      BiFunction<Bucket, List<LeaseRef>, CompletionStage<T>> call) {
    List<CompletionStage<T>> stages = new ArrayList<>();
    leases.stream()
        .collect(Collectors.groupingBy(LeaseRef::bucket))
        .forEach(
            (bucket, ofBucket) ->
                stages.add(
                    call.apply(bucket, ofBucket)
                        .thenApply(
                            done -> {
                              upkeep.leaseEndsIn(bucket, duration);
                              return done;
                            })));
    return Stages.all(stages);
  }

  private static Set<LeaseRef> lost(List<LeaseRef> leases, List<Boolean> renewed) {
    Set<LeaseRef> lost = new HashSet<>();
    for (int i = 0; i < leases.size(); i++) {
      if (!renewed.get(i)) {
        lost.add(leases.get(i));
      }
    }
    return lost;
  }

  /** The lease itself is told when all of its prompts have their outcomes: {@link #finished}. */
  @Override
  public CompletionStage<List<TaskVerdict>> commit(LeaseRef lease, List<TaskOutcome> outcomes) {
    return commitInParts(
        lease,
        outcomes.stream().map(outcome -> outcome.of(inPart(lease, outcome.task()))).toList());
  }

  private CompletionStage<List<TaskVerdict>> commitInParts(
      LeaseRef lease, List<TaskOutcome> outcomes) {
    List<JobTurns.Verdict> verdicts = Arrays.asList(new JobTurns.Verdict[outcomes.size()]);
    List<String> terminal = new ArrayList<>();
    List<CompletionStage<Void>> stages = new ArrayList<>();
    byPart(outcomes)
        .forEach(
            (partId, places) -> {
              for (int from = 0; from < places.size(); from += OUTCOMES_PER_CALL) {
                List<Integer> some =
                    places.subList(from, Math.min(places.size(), from + OUTCOMES_PER_CALL));
                stages.add(
                    turns
                        .commit(
                            partId,
                            lease,
                            some.stream().map(place -> outcome(outcomes.get(place))).toList(),
                            some.stream().anyMatch(place -> outcomes.get(place).last()))
                        .thenAccept(
                            committed -> {
                              for (int k = 0; k < some.size(); k++) {
                                verdicts.set(some.get(k), committed.verdicts().get(k));
                              }
                              committed
                                  .owned()
                                  .ifPresent(now -> upkeep.used(now.tenant(), partId, now.use()));
                              committed
                                  .firstImage()
                                  .filter(time -> partId.equals(JobPart.parse(partId).jobId()))
                                  .ifPresent(times::firstImage);
                              if (committed.terminal()) {
                                synchronized (terminal) {
                                  terminal.add(partId);
                                }
                              }
                            }));
              }
            });
    return Stages.all(stages)
        .thenApply(
            done -> {
              // The outcomes are durable: nobody has to wait for what comes after that.
              settle(lease, decidedBefore(outcomes, verdicts));
              terminal.forEach(
                  partId ->
                      jobEnd
                          .ended(partId)
                          .exceptionally(e -> unfinished("cleaning up after " + partId, e)));
              return verdicts.stream()
                  .map(
                      verdict ->
                          verdict == JobTurns.Verdict.TAKEN
                              ? TaskVerdict.COMMITTED
                              : TaskVerdict.SUPERSEDED)
                  .toList();
            });
  }

  private static JobTurns.Outcome outcome(TaskOutcome outcome) {
    return new JobTurns.Outcome(
        outcome.task().offset(),
        outcome.succeeded() ? ResultRecord.Status.SUCCEEDED : ResultRecord.Status.FAILED,
        outcome.body(),
        outcome.resultBytes());
  }

  /** Such a lease is not ended as a whole, because nobody knows what else it holds. */
  private static List<TaskRef> decidedBefore(
      List<TaskOutcome> outcomes, List<JobTurns.Verdict> verdicts) {
    List<TaskRef> decided = new ArrayList<>();
    for (int i = 0; i < outcomes.size(); i++) {
      if (verdicts.get(i) == JobTurns.Verdict.HAD_ONE) {
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

  @Override
  public void finished(LeaseRef lease) {
    upkeep.finished(lease);
  }

  private static <T> T unfinished(String what, Throwable e) {
    LOG.debug("{} broke off and is left to the sweeper: {}", what, e.toString());
    return null;
  }

  /** The bucket takes prompts back for another attempt; those that have none left fail for good. */
  @Override
  public CompletionStage<List<TaskVerdict>> fail(LeaseRef lease, List<TaskFailure> failures) {
    return failInParts(
        lease,
        failures.stream().map(failure -> failure.of(inPart(lease, failure.task()))).toList());
  }

  private CompletionStage<List<TaskVerdict>> failInParts(
      LeaseRef lease, List<TaskFailure> failures) {
    return buckets
        .retry(lease, failures.stream().map(TaskFailure::task).toList())
        .thenCompose(
            retried -> {
              Set<String> last =
                  failures.stream()
                      .filter(TaskFailure::last)
                      .map(failure -> failure.task().jobId())
                      .collect(Collectors.toSet());
              List<TaskOutcome> exhausted =
                  failures.stream()
                      .filter(failure -> retried.exhausted().contains(failure.task()))
                      .map(
                          failure ->
                              new TaskOutcome(
                                  failure.task(),
                                  false,
                                  failure.body(),
                                  0,
                                  last.contains(failure.task().jobId())))
                      .toList();
              return attempted(lease, retried)
                  .thenCompose(
                      waiting ->
                          commitInParts(lease, exhausted)
                              .thenApply(
                                  committed -> {
                                    Iterator<TaskVerdict> verdicts = committed.iterator();
                                    return failures.stream()
                                        .map(
                                            failure ->
                                                retried.exhausted().contains(failure.task())
                                                    ? verdicts.next()
                                                    : waiting.contains(failure.task())
                                                        ? TaskVerdict.RETRIED
                                                        : TaskVerdict.SUPERSEDED)
                                        .toList();
                                  }));
            });
  }

  /** The prompts that wait for another attempt. */
  private CompletionStage<Set<TaskRef>> attempted(LeaseRef lease, BucketScripts.Retried retried) {
    List<CompletionStage<Set<TaskRef>>> stages = new ArrayList<>();
    retried
        .waiting()
        .forEach((jobId, tasks) -> stages.add(leaseEnd.attempted(lease, jobId, tasks)));
    return Stages.all(stages)
        .thenApply(waiting -> waiting.stream().flatMap(Set::stream).collect(Collectors.toSet()));
  }

  @Override
  public CompletionStage<Void> release(LeaseRef lease, List<TaskRef> tasks) {
    return buckets
        .release(lease, tasks.stream().map(task -> inPart(lease, task)).toList())
        .thenCompose(released -> leaseEnd.released(lease, released));
  }

  @Override
  public CompletionStage<Void> expire(LeaseRef lease) {
    return buckets.expire(lease).thenCompose(leaseEnd::expired);
  }

  /** The places of outcomes in their list, by the parts of jobs. */
  private static Map<String, List<Integer>> byPart(List<TaskOutcome> outcomes) {
    Map<String, List<Integer>> byPart = new LinkedHashMap<>();
    for (int i = 0; i < outcomes.size(); i++) {
      byPart.computeIfAbsent(outcomes.get(i).task().jobId(), j -> new ArrayList<>()).add(i);
    }
    return byPart;
  }

  @Override
  public Subscription onStopped(Consumer<String> listener) {
    stopListeners.add(listener);
    return () -> stopListeners.remove(listener);
  }

  /** Tells who holds leases that a job is being stopped. */
  public void stopped(String jobId) {
    stopListeners.forEach(listener -> listener.accept(jobId));
  }

  /** From now on this one hears of first images. */
  public void tellTimes(JobTimes listener) {
    times = listener;
  }

  @Override
  public void onGivenUp(IntConsumer listener) {
    leaseEnd.onGivenUp(listener);
  }
}
