package io.bitloom.coordinator.queue.redis;

import com.google.protobuf.ByteString;
import io.bitloom.common.secret.Secret;
import io.bitloom.coordinator.queue.Bucket;
import io.bitloom.coordinator.queue.LeaseRef;
import io.bitloom.coordinator.queue.NewPrompt;
import io.bitloom.coordinator.queue.ResultRecord;
import io.bitloom.coordinator.queue.TaskRef;
import io.bitloom.coordinator.queue.TenantLimits;
import io.bitloom.v1.JobState;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.stream.LongStream;

/**
 * One call of one script, as a coordinator makes it between two moments at which others get a word
 * in or it may die: what {@link RedisLeases}, {@link LeaseEnd}, {@link JobEnd}, {@link RedisJobs},
 * {@link RedisPrompts} and the sweeper do, cut into pieces. What a call makes necessary is added to
 * what is pending. Two that print the same are the same.
 */
sealed interface HalfStep {

  Bucket BUCKET = new Bucket("m", "s");
  Duration LEASE = Duration.ofHours(1);
  int APPENDS = 64;

  /** The coordinator that makes it. */
  int lane();

  /** Whether the coordinator does other things meanwhile. */
  default boolean detached() {
    return false;
  }

  CompletionStage<?> run(Moment moment);

  /** The coordinators' way to Redis, and the state that comes of a call. */
  record Moment(
      BucketScripts buckets, JobScripts jobs, JobTurns turns, SearchCase now, SearchState state) {

    void pend(HalfStep... steps) {
      Arrays.stream(steps).filter(Objects::nonNull).forEach(state.pending::add);
    }

    LeaseRef ref(int lease) {
      return state.leases.get(lease).ref();
    }
  }

  static Secret secret(int lease) {
    return Secret.parse(String.format(Locale.ROOT, "lease-%016d", lease)).orElseThrow();
  }

  static List<TaskRef> refs(String jobId, List<Long> offsets) {
    return offsets.stream().map(offset -> new TaskRef(jobId, offset)).toList();
  }

  static List<Long> offsets(List<TaskRef> refs) {
    return refs.stream().map(TaskRef::offset).toList();
  }

  /** What bucket a job's prompts are in is known, so that reading it is no step. */
  static HalfStep ended(boolean terminal, int lane, String jobId, boolean detached) {
    return terminal ? new Forget(lane, jobId, true, detached) : null;
  }

  static List<HalfStep> list(HalfStep... steps) {
    return Arrays.stream(steps).filter(Objects::nonNull).toList();
  }

  record LeaseFromBucket(int lane) implements HalfStep {
    @Override
    public CompletionStage<?> run(Moment moment) {
      SearchState state = moment.state();
      int index = state.leases.size();
      List<Integer> over = state.over(lane);
      over.forEach(lease -> state.change(lease, state.leases.get(lease).told()));
      return moment
          .buckets()
          .lease(
              BUCKET,
              "worker",
              secret(index),
              moment.now().images(),
              LEASE,
              over.stream().map(moment::ref).toList(),
              Map.of())
          .thenAccept(
              leased -> {
                if (leased.lease().isPresent()) {
                  state.leases.add(
                      new SearchState.Lease(
                          leased.lease().get(),
                          lane,
                          leased.tasks().size(),
                          true,
                          false,
                          Map.of()));
                  leased
                      .tasks()
                      .forEach(
                          (job, tasks) ->
                              moment.pend(new Start(lane, index, job, Tasks.parse(tasks))));
                }
              });
    }
  }

  record Start(int lane, int lease, String job, List<Tasks.Task> tasks) implements HalfStep {
    @Override
    public CompletionStage<?> run(Moment moment) {
      SearchState state = moment.state();
      Set<String> decided = Set.copyOf(state.picture.outcomes().keySet());
      return moment
          .turns()
          .start(job, moment.ref(lease), ByteString.copyFrom(Tasks.pack(tasks)))
          .thenAccept(
              started -> {
                List<Long> given = Tasks.offsets(started.given());
                given.forEach(
                    offset -> {
                      if (decided.contains(job + ":" + offset)) {
                        throw new AssertionError("prompt " + offset + " was decided, and given");
                      }
                    });
                state.change(lease, state.leases.get(lease).given(refs(job, given)));
                if (started.paused().isPresent()) {
                  moment.pend(
                      new Reschedule(
                          lane,
                          job,
                          started.paused().get(),
                          list(new Release(lane, lease, job, Tasks.offsets(tasks), false))));
                  return;
                }
                List<Long> unwanted =
                    Tasks.offsets(tasks).stream()
                        .filter(offset -> !given.contains(offset))
                        .toList();
                HalfStep ended = ended(started.terminal(), lane, job, false);
                moment.pend(
                    unwanted.isEmpty()
                        ? ended
                        : new Settle(lane, lease, job, unwanted, list(ended), false));
              });
    }
  }

  record Settle(
      int lane, int lease, String job, List<Long> offsets, List<HalfStep> after, boolean detached)
      implements HalfStep {
    @Override
    public CompletionStage<?> run(Moment moment) {
      return moment
          .buckets()
          .settle(moment.ref(lease), refs(job, offsets))
          .thenAccept(done -> moment.state().pending.addAll(after));
    }
  }

  /** What a job has outcomes of, its worker's coordinator tells. */
  record Commit(int lane, int lease, String job, List<Long> offsets, boolean good, boolean last)
      implements HalfStep {
    @Override
    public CompletionStage<?> run(Moment moment) {
      SearchState state = moment.state();
      List<JobTurns.Outcome> outcomes =
          offsets.stream()
              .map(
                  offset ->
                      new JobTurns.Outcome(
                          offset,
                          good ? ResultRecord.Status.SUCCEEDED : ResultRecord.Status.FAILED,
                          ByteString.copyFromUtf8("by " + lease),
                          0))
              .toList();
      return moment
          .turns()
          .commit(job, moment.ref(lease), outcomes, last)
          .thenAccept(
              committed -> {
                List<Long> hadOne = new ArrayList<>();
                for (int i = 0; i < offsets.size(); i++) {
                  boolean taken = committed.verdicts().get(i) == JobTurns.Verdict.TAKEN;
                  if (taken) {
                    state.taken.put(job + ":" + offsets.get(i), (good ? "S" : "F") + "by " + lease);
                  } else if (committed.verdicts().get(i) == JobTurns.Verdict.HAD_ONE) {
                    hadOne.add(offsets.get(i));
                  }
                  over(state, lease, new TaskRef(job, offsets.get(i)), taken);
                }
                if (!hadOne.isEmpty()) {
                  moment.pend(new Settle(lane, lease, job, hadOne, List.of(), true));
                }
                moment.pend(ended(committed.terminal(), lane, job, true));
              });
    }
  }

  private static void over(SearchState state, int lease, TaskRef task, boolean known) {
    state.change(lease, state.leases.get(lease).with(Set.of(task), SearchState.Stage.OVER, known));
  }

  /** Leases that are over, when no request for a lease took them along. */
  record Finish(int lane) implements HalfStep {
    @Override
    public CompletionStage<?> run(Moment moment) {
      SearchState state = moment.state();
      List<Integer> over = state.over(lane);
      over.forEach(lease -> state.change(lease, state.leases.get(lease).told()));
      return moment.buckets().finish(BUCKET, over.stream().map(moment::ref).toList());
    }
  }

  record Retry(int lane, int lease, String job, List<Long> offsets, boolean last)
      implements HalfStep {
    @Override
    public CompletionStage<?> run(Moment moment) {
      return moment
          .buckets()
          .retry(moment.ref(lease), refs(job, offsets))
          .thenAccept(
              retried -> {
                List<Tasks.Task> waiting = retried.waiting().get(job);
                List<Long> none =
                    offsets.stream()
                        .filter(offset -> retried.exhausted().contains(new TaskRef(job, offset)))
                        .toList();
                Set<Long> known = new HashSet<>(none);
                known.addAll(Tasks.offsets(waiting));
                offsets.stream()
                    .filter(offset -> !known.contains(offset))
                    .forEach(
                        offset -> over(moment.state(), lease, new TaskRef(job, offset), false));
                HalfStep commit =
                    none.isEmpty() ? null : new Commit(lane, lease, job, none, false, last);
                moment.pend(
                    waiting.isEmpty()
                        ? commit
                        : new Attempted(lane, lease, job, waiting, true, list(commit)));
              });
    }
  }

  /**
   * A job hears of attempts that are over.
   *
   * @param reported whether a worker waits for the answer
   */
  record Attempted(
      int lane,
      int lease,
      String job,
      List<Tasks.Task> tasks,
      boolean reported,
      List<HalfStep> after)
      implements HalfStep {
    @Override
    public CompletionStage<?> run(Moment moment) {
      return moment
          .jobs()
          .requeue(job, moment.ref(lease), JobScripts.Requeued.ATTEMPT, Tasks.offsets(tasks))
          .thenAccept(
              back -> {
                List<Tasks.Task> decided =
                    tasks.stream().filter(task -> back.decided().contains(task.offset())).toList();
                if (reported) {
                  for (Tasks.Task task : tasks) {
                    over(
                        moment.state(),
                        lease,
                        new TaskRef(job, task.offset()),
                        !decided.contains(task));
                  }
                }
                List<HalfStep> rest = new ArrayList<>(after);
                Optional.ofNullable(ended(back.terminal(), lane, job, false)).ifPresent(rest::add);
                if (decided.isEmpty()) {
                  moment.state().pending.addAll(rest);
                } else {
                  moment.pend(new DropRetries(lane, job, decided, rest));
                }
              });
    }
  }

  record DropRetries(int lane, String job, List<Tasks.Task> tasks, List<HalfStep> after)
      implements HalfStep {
    @Override
    public CompletionStage<?> run(Moment moment) {
      return moment
          .buckets()
          .dropRetries(BUCKET, job, tasks)
          .thenAccept(done -> moment.state().pending.addAll(after));
    }
  }

  /**
   * @param tell whether the job hears of it; not if it never gave them
   */
  record Release(int lane, int lease, String job, List<Long> offsets, boolean tell)
      implements HalfStep {
    @Override
    public CompletionStage<?> run(Moment moment) {
      return moment
          .buckets()
          .release(moment.ref(lease), refs(job, offsets))
          .thenAccept(
              released -> {
                if (tell && !released.isEmpty()) {
                  moment.pend(
                      new Requeue(
                          lane, lease, job, HalfStep.offsets(released), JobScripts.Requeued.BACK));
                }
              });
    }
  }

  record Requeue(int lane, int lease, String job, List<Long> offsets, JobScripts.Requeued why)
      implements HalfStep {
    @Override
    public CompletionStage<?> run(Moment moment) {
      return moment
          .jobs()
          .requeue(job, moment.ref(lease), why, offsets)
          .thenAccept(back -> moment.pend(ended(back.terminal(), lane, job, false)));
    }
  }

  record Expire(int lane, int lease) implements HalfStep {
    @Override
    public CompletionStage<?> run(Moment moment) {
      return moment
          .buckets()
          .expire(moment.ref(lease))
          .thenAccept(
              expired -> {
                for (BucketScripts.ExpiredLease of : expired.leases()) {
                  if (!of.waiting().isEmpty()) {
                    moment.pend(
                        new Attempted(lane, lease, of.jobId(), of.waiting(), false, List.of()));
                  }
                  if (!of.exhausted().isEmpty()) {
                    moment.pend(new Lose(lane, lease, of.jobId(), of.exhausted()));
                  }
                }
              });
    }
  }

  record Lose(int lane, int lease, String job, List<Tasks.Task> tasks) implements HalfStep {
    @Override
    public CompletionStage<?> run(Moment moment) {
      return moment
          .jobs()
          .lose(job, moment.ref(lease), tasks)
          .thenAccept(
              terminal ->
                  moment.pend(
                      new Settle(
                          lane,
                          lease,
                          job,
                          Tasks.offsets(tasks),
                          list(ended(terminal, lane, job, false)),
                          false)));
    }
  }

  /**
   * The bucket forgets a job.
   *
   * @param retire whether the job is then off the list of those that are swept
   */
  record Forget(int lane, String job, boolean retire, boolean detached) implements HalfStep {
    @Override
    public CompletionStage<?> run(Moment moment) {
      return moment
          .buckets()
          .forget(BUCKET, job)
          .thenAccept(
              more -> moment.pend(more ? this : retire ? new Retire(lane, job, detached) : null));
    }
  }

  /** Stands for {@code retire.lua}: nothing else of the lists matters here. */
  record Retire(int lane, String job, boolean detached) implements HalfStep {
    @Override
    public CompletionStage<?> run(Moment moment) {
      moment.state().retired.add(job);
      return CompletableFuture.completedStage(null);
    }
  }

  record Cancel(int lane, String job) implements HalfStep {
    @Override
    public CompletionStage<?> run(Moment moment) {
      return moment
          .jobs()
          .cancel(job, "0", APPENDS, ResultRecord.Status.CANCELLED)
          .thenAccept(
              cancelled -> moment.pend(cancelled.cancelling() ? new ReadStopped(lane, job) : null));
    }
  }

  record ReadStopped(int lane, String job) implements HalfStep {
    @Override
    public CompletionStage<?> run(Moment moment) {
      return moment
          .jobs()
          .looseEnds(job)
          .thenAccept(
              ends ->
                  moment.pend(
                      new Forget(
                          lane,
                          job,
                          !ends.state().equals(Optional.of(JobState.JOB_STATE_CANCELLING)),
                          false)));
    }
  }

  record Adjust(int lane, String job, boolean pause) implements HalfStep {
    @Override
    public CompletionStage<?> run(Moment moment) {
      return (pause ? moment.jobs().pause(job) : moment.jobs().resume(job))
          .thenAccept(
              adjusted ->
                  moment.pend(
                      adjusted instanceof JobScripts.Stands now
                          ? new Reschedule(lane, job, now.standing(), List.of())
                          : null));
    }
  }

  record Reschedule(int lane, String job, JobScripts.Standing standing, List<HalfStep> after)
      implements HalfStep {
    @Override
    public CompletionStage<?> run(Moment moment) {
      return moment
          .buckets()
          .reschedule(BUCKET, job, standing)
          .thenAccept(done -> moment.state().pending.addAll(after));
    }
  }

  record Append(int lane, String job) implements HalfStep {
    @Override
    public CompletionStage<?> run(Moment moment) {
      int count = moment.now().jobs().get(job);
      PromptGroups groups =
          PromptGroups.of(
              0,
              LongStream.range(0, count)
                  .mapToObj(i -> new NewPrompt(BUCKET, 1, ByteString.copyFromUtf8("p" + i)))
                  .toList());
      return moment
          .jobs()
          .append(job, 0, count, groups, TenantLimits.NONE.bytes(), 1)
          .thenAccept(
              appended -> {
                if (appended instanceof JobScripts.Taken taken) {
                  moment.pend(
                      new Enqueue(
                          lane,
                          job,
                          taken.terms(),
                          taken.before().get(0),
                          HexFormat.of().formatHex(groups.parts().get(0).entries()),
                          list(new Seal(lane, job))));
                } else if (appended instanceof JobScripts.At) {
                  moment.pend(new Seal(lane, job)); // a client that asks again
                }
              });
    }
  }

  record Enqueue(
      int lane, String job, JobScripts.Terms terms, long mark, String entries, List<HalfStep> after)
      implements HalfStep {
    @Override
    public CompletionStage<?> run(Moment moment) {
      return moment
          .buckets()
          .enqueue(BUCKET, job, terms, mark, HexFormat.of().parseHex(entries))
          .thenAccept(
              enqueued -> {
                moment.pend(enqueued.taken() ? null : new ReadLooseEnds(lane, job));
                moment.state().pending.addAll(after);
              });
    }
  }

  record Seal(int lane, String job) implements HalfStep {
    @Override
    public CompletionStage<?> run(Moment moment) {
      return moment
          .jobs()
          .seal(job, "")
          .thenAccept(
              reply ->
                  moment.pend(
                      reply instanceof JobScripts.Done done
                          ? ended(done.terminal(), lane, job, false)
                          : null));
    }
  }

  /** How the sweeper begins with a job. */
  record ReadLooseEnds(int lane, String job) implements HalfStep {
    @Override
    public CompletionStage<?> run(Moment moment) {
      return moment
          .jobs()
          .looseEnds(job)
          .thenAccept(
              ends -> {
                JobState state = ends.state().orElseThrow();
                long last = ends.lastOffsets().getOrDefault(BUCKET, -1L);
                List<Believed> believed =
                    ends.running().entrySet().stream()
                        .map(
                            entry ->
                                new Believed(
                                    moment.state().indexOf(entry.getKey()), entry.getValue()))
                        .sorted(Comparator.comparingInt(Believed::lease))
                        .toList();
                switch (state) {
                  case JOB_STATE_ACCEPTING, JOB_STATE_QUEUED, JOB_STATE_RUNNING, JOB_STATE_PAUSED ->
                      moment.pend(
                          last < 0 ? null : new Check(lane, job, last, ends.standing(), believed));
                  case JOB_STATE_CANCELLING ->
                      moment.pend(
                          new Cancel(lane, job),
                          last < 0 ? null : new Check(lane, job, -1, ends.standing(), believed));
                  default -> moment.pend(new Forget(lane, job, true, false));
                }
              });
    }
  }

  /** What a job believes a lease to hold. */
  record Believed(int lease, List<Long> offsets) {}

  record Check(
      int lane, String job, long last, JobScripts.Standing standing, List<Believed> believed)
      implements HalfStep {
    @Override
    public CompletionStage<?> run(Moment moment) {
      List<LeaseRef> refs = believed.stream().map(of -> moment.ref(of.lease())).toList();
      return moment
          .buckets()
          .check(BUCKET, job, refs)
          .thenAccept(
              checked -> {
                for (Believed of : believed) {
                  if (!checked.leases().get(moment.ref(of.lease()))) {
                    moment.pend(
                        new Requeue(lane, of.lease(), job, of.offsets(), JobScripts.Requeued.BACK));
                  }
                }
                if (checked.mark() >= 0 && checked.revision() < standing.revision()) {
                  moment.pend(new Reschedule(lane, job, standing, List.of()));
                }
                if (checked.mark() < last) {
                  moment.pend(new Deliver(lane, job, checked.mark()));
                }
              });
    }
  }

  record Deliver(int lane, String job, long mark) implements HalfStep {
    @Override
    public CompletionStage<?> run(Moment moment) {
      return moment
          .jobs()
          .undelivered(job, BUCKET, mark, APPENDS)
          .thenAccept(
              missing ->
                  moment.pend(
                      missing.entries().isEmpty()
                          ? null
                          : new Enqueue(
                              lane,
                              job,
                              missing.terms(),
                              mark,
                              HexFormat.of().formatHex(missing.entries().toByteArray()),
                              List.of())));
    }
  }
}
