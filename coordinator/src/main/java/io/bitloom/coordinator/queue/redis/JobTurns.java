package io.bitloom.coordinator.queue.redis;

import com.google.protobuf.ByteString;
import io.bitloom.coordinator.queue.JobUse;
import io.bitloom.coordinator.queue.LeaseRef;
import io.bitloom.coordinator.queue.PayloadGroup;
import io.bitloom.coordinator.queue.ResultRecord;
import io.bitloom.coordinator.redis.RedisConnection;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;

/**
 * What leases have to say to their jobs: outcomes of prompts, and prompts that are to be given to
 * them. One call to a job is under way at a time; what comes meanwhile goes together in the next
 * one, so that a job which is busy costs Redis a call for many leases, and one that is not is
 * answered at once.
 */
public final class JobTurns {

  /** More prompts do not go into one call. */
  private static final int MOST_PROMPTS = 1024;

  // What a job has become by a call.
  private static final int ENDED = 1;
  private static final int BEGUN = 2;

  private final RedisConnection redis;
  private final Keys keys;
  private final Consumer<String> begun;

  /** What waits for the call that is under way, by job. Guarded by this. */
  private final Map<String, Deque<Step<?>>> waiting = new HashMap<>();

  /**
   * @param begun hears of jobs, or parts of them, whose first prompt was given, if somebody is to
   *     be told of these
   */
  public JobTurns(RedisConnection redis, Keys keys, Consumer<String> begun) {
    this.redis = redis;
    this.keys = keys;
    this.begun = begun;
  }

  /** One thing that is said to a job. */
  private abstract static class Step<T> {
    private final CompletableFuture<T> answer = new CompletableFuture<>();
    private final int prompts;

    Step(int prompts) {
      this.prompts = prompts;
    }

    abstract void addTo(Arguments arguments);

    /** Whether a worker forgets an outcome when it has the answer. */
    abstract boolean acknowledges();

    /**
     * @param turn what the job said to all of them
     * @param reply what it said to this one
     */
    abstract T read(Turn turn, Reply reply);

    final void answer(Turn turn, Reply reply) {
      answer.complete(read(turn, reply));
    }
  }

  /**
   * What a job said to a call as a whole.
   *
   * @param owned nothing if no outcome was taken
   * @param firstImage how old the job was, if no prompt of it had succeeded before
   */
  private record Turn(
      boolean terminal, Optional<JobScripts.Owned> owned, Optional<Duration> firstImage) {}

  /**
   * Which prompts a job gave to a lease.
   *
   * @param paused how a paused job stands, which gives none
   * @param groups of those given, by id
   */
  record Started(
      boolean terminal,
      Optional<JobScripts.Standing> paused,
      List<Tasks.Task> given,
      Map<Long, PayloadGroup> groups) {}

  private static final class Start extends Step<Started> {
    private final String holder;
    private final ByteString packed;
    private final List<Tasks.Task> tasks;
    private final List<Long> groups;

    private Start(LeaseRef lease, ByteString packed) {
      super(Tasks.count(packed));
      this.holder = Keys.holder(lease);
      this.packed = packed;
      this.tasks = Tasks.parse(packed);
      this.groups = tasks.stream().map(Tasks.Task::group).distinct().toList();
    }

    @Override
    void addTo(Arguments arguments) {
      arguments
          .add("start")
          .add(holder)
          .add(packed)
          .addCounted(Tasks.bits(Tasks.offsets(tasks), false))
          .add(groups.size());
      groups.forEach(arguments::add);
    }

    @Override
    boolean acknowledges() {
      return false;
    }

    @Override
    Started read(Turn turn, Reply reply) {
      int standing = reply.nextInt();
      ByteString some = reply.nextBytes();
      if (standing == 2) {
        JobScripts.Standing paused =
            new JobScripts.Standing(reply.nextLong(), reply.nextInt(), true);
        return new Started(false, Optional.of(paused), List.of(), Map.of());
      }
      List<Tasks.Task> given = some.equals(packed) ? tasks : Tasks.parse(some);
      Map<Long, PayloadGroup> payloads = new HashMap<>();
      if (!given.isEmpty()) {
        groups.forEach(id -> payloads.put(id, new PayloadGroup(id, reply.nextBytes())));
      }
      return new Started(standing == 1, Optional.empty(), given, payloads);
    }
  }

  /**
   * Gives prompts to a lease that their bucket has made.
   *
   * @param tasks as the bucket gave them
   */
  CompletionStage<Started> start(String jobId, LeaseRef lease, ByteString tasks) {
    return say(jobId, new Start(lease, tasks));
  }

  /** An outcome as a job takes it. */
  public record Outcome(
      long offset, ResultRecord.Status status, ByteString body, long resultBytes) {}

  /** What a prompt's job said to an outcome. */
  public enum Verdict {
    NOT_HELD,
    TAKEN,
    HAD_ONE
  }

  /**
   * What a job said to outcomes.
   *
   * @param owned nothing if none was taken
   * @param firstImage how old the job was, if no prompt of it had succeeded before; only one of
   *     those who committed together is told
   * @param verdicts in the order of the outcomes
   */
  public record Committed(
      boolean terminal,
      Optional<JobScripts.Owned> owned,
      Optional<Duration> firstImage,
      List<Verdict> verdicts) {}

  private static final class Commit extends Step<Committed> {
    private final String holder;
    private final List<Outcome> outcomes;
    private final boolean last;

    private Commit(LeaseRef lease, List<Outcome> outcomes, boolean last) {
      super(outcomes.size());
      this.holder = Keys.holder(lease);
      this.outcomes = outcomes;
      this.last = last;
    }

    @Override
    void addTo(Arguments arguments) {
      List<Long> offsets = outcomes.stream().map(Outcome::offset).toList();
      arguments
          .add("commit")
          .add(holder)
          .add(Tasks.packOffsets(offsets))
          .add(last ? 1 : 0)
          .add(resultBytes())
          .addCounted(Tasks.bits(offsets, true));
      for (Outcome outcome : outcomes) {
        arguments.add(ResultEntries.report(outcome.status(), outcome.body()));
      }
    }

    private byte[] resultBytes() {
      if (outcomes.stream().allMatch(outcome -> outcome.resultBytes() == 0)) {
        return new byte[0];
      }
      ByteBuffer bytes = ByteBuffer.allocate(4 * outcomes.size());
      outcomes.forEach(outcome -> bytes.putInt((int) outcome.resultBytes()));
      return bytes.array();
    }

    @Override
    boolean acknowledges() {
      return true;
    }

    @Override
    Committed read(Turn turn, Reply reply) {
      String digits = reply.nextString();
      List<Verdict> verdicts =
          digits.isEmpty()
              ? Collections.nCopies(outcomes.size(), Verdict.TAKEN)
              : digits.chars().mapToObj(c -> Verdict.values()[c - '0']).toList();
      return new Committed(turn.terminal(), turn.owned(), turn.firstImage(), verdicts);
    }
  }

  /**
   * Takes outcomes of prompts that a lease holds.
   *
   * @param last whether the lease then holds no prompt of this job without outcome
   */
  public CompletionStage<Committed> commit(
      String jobId, LeaseRef lease, List<Outcome> outcomes, boolean last) {
    return say(jobId, new Commit(lease, outcomes, last));
  }

  private <T> CompletionStage<T> say(String jobId, Step<T> step) {
    synchronized (this) {
      Deque<Step<?>> behind = waiting.get(jobId);
      if (behind != null) {
        behind.add(step);
        return step.answer;
      }
      waiting.put(jobId, new ArrayDeque<>());
    }
    call(jobId, List.of(step));
    return step.answer;
  }

  private void call(String jobId, List<Step<?>> steps) {
    Arguments arguments = new Arguments().add(keys.jobChannel(jobId));
    steps.forEach(step -> step.addTo(arguments));
    redis
        .eval(
            Script.TURN.lua().acknowledging(steps.stream().anyMatch(Step::acknowledges)),
            keys.job(jobId),
            arguments.toArray())
        .thenAccept(values -> answer(jobId, steps, new Reply(values)))
        .whenComplete(
            (done, e) -> {
              next(jobId);
              if (e != null) {
                steps.forEach(step -> step.answer.completeExceptionally(e));
              }
            });
  }

  private void answer(String jobId, List<Step<?>> steps, Reply reply) {
    int became = reply.nextInt();
    boolean terminal = (became & ENDED) != 0;
    Reply use = reply.nextReply();
    Optional<JobScripts.Owned> owned = owned(use);
    Optional<Duration> firstImage =
        owned.map(taken -> use.nextLong()).filter(age -> age >= 0).map(Duration::ofMillis);
    for (Step<?> step : steps) {
      step.answer(new Turn(terminal, owned, firstImage), reply.nextReply());
      firstImage = step instanceof Commit ? Optional.empty() : firstImage;
    }
    if ((became & BEGUN) != 0) {
      begun.accept(jobId);
    }
  }

  private static Optional<JobScripts.Owned> owned(Reply reply) {
    return reply.hasNext()
        ? Optional.of(
            new JobScripts.Owned(
                reply.nextString(),
                new JobUse(
                    reply.nextCount(), reply.nextCount(), reply.nextCount(), reply.nextCount())))
        : Optional.empty();
  }

  private void next(String jobId) {
    List<Step<?>> steps = new ArrayList<>();
    synchronized (this) {
      Deque<Step<?>> behind = waiting.get(jobId);
      int prompts = 0;
      for (Step<?> step = behind.peek(); step != null; step = behind.peek()) {
        prompts += step.prompts;
        if (prompts > MOST_PROMPTS && !steps.isEmpty()) {
          break;
        }
        steps.add(behind.remove());
      }
      if (steps.isEmpty()) {
        waiting.remove(jobId);
        return;
      }
    }
    call(jobId, steps);
  }
}
