package io.bitloom.coordinator.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.coordinator.queue.QueueCall.Answer;
import io.bitloom.coordinator.queue.QueueCall.Kind;
import io.bitloom.coordinator.queue.upkeep.RunningQueue;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.RandomDistribution;
import net.jqwik.api.Tuple;
import net.jqwik.api.lifecycle.AddLifecycleHook;
import net.jqwik.api.lifecycle.AfterProperty;
import net.jqwik.api.lifecycle.BeforeProperty;

/**
 * Drives the scripts by random sequences of calls of two coordinators, with leases that are long
 * gone, repeated reports and cancelled jobs among them, and compares every answer with {@link
 * QueueModel}. Pairs of calls are made at the same time: then either order may explain what became
 * of a prompt. A sequence that fails is shortened by jqwik.
 */
@AddLifecycleHook(ExploresAnew.class)
class QueueModelIT extends QueueFixture {

  private static final int JOBS = 3;
  private static final AtomicInteger SEQUENCES = new AtomicInteger();

  private JobQueue other;

  @BeforeProperty
  void open() {
    openQueue();
    other = new RunningQueue(redis, settings);
  }

  @AfterProperty
  void close() {
    other.close();
    closeQueue();
  }

  /**
   * A call whose numbers stand for what there is by then.
   *
   * @param which job, lease
   * @param count of prompts, most images
   * @param omitted one in so many of a lease's prompts is not reported
   * @param strangers prompts that are reported although they may be others'
   */
  record Step(Kind kind, int which, int count, int omitted, List<Integer> strangers) {}

  /**
   * One call, or two at the same time.
   *
   * @param swapped whether the other coordinator makes the (first) call
   */
  record Move(boolean swapped, Step first, Optional<Step> second) {}

  @Provide
  Arbitrary<List<Move>> moves() {
    Arbitrary<Kind> kinds =
        Arbitraries.frequency(
            Tuple.of(4, Kind.APPEND),
            Tuple.of(6, Kind.LEASE),
            Tuple.of(6, Kind.COMMIT),
            Tuple.of(3, Kind.FAIL),
            Tuple.of(3, Kind.RELEASE),
            Tuple.of(3, Kind.EXPIRE),
            Tuple.of(1, Kind.CANCEL));
    Arbitrary<Integer> any = Arbitraries.integers().between(0, 999);
    Arbitrary<Step> steps =
        Combinators.combine(
                kinds,
                any,
                Arbitraries.integers().between(1, 60),
                Arbitraries.integers().between(2, 6),
                any.list().ofMaxSize(2))
            .as(Step::new);
    return Combinators.combine(Arbitraries.of(false, true), steps, steps.optional(0.4))
        .as(Move::new)
        .list()
        .ofMaxSize(80)
        .withSizeDistribution(RandomDistribution.uniform());
  }

  @Property(tries = 25, edgeCases = EdgeCasesMode.NONE)
  void theScriptsDoWhatTheModelDoesInEveryOrder(@ForAll("moves") List<Move> moves)
      throws InterruptedException {
    Sequence sequence = new Sequence();
    moves.forEach(sequence::make);
    sequence.finish();
  }

  private final class Sequence {

    private final Bucket bucket = new Bucket("model", "sequence-" + SEQUENCES.incrementAndGet());
    private final List<Bucket> shards = shards(bucket);
    private final List<String> jobs = new ArrayList<>();
    private final List<LeaseRef> leases = new ArrayList<>();
    private final Map<LeaseRef, Set<TaskRef>> open = new HashMap<>();
    private QueueModel model = new QueueModel(settings.maxAttempts());

    Sequence() {
      for (int i = 0; i < JOBS; i++) {
        jobs.add(newJob("tenant " + i % 2, 1 + i, i));
      }
    }

    void make(Move move) {
      JobQueue here = move.swapped() ? other : queue;
      JobQueue there = move.swapped() ? queue : other;
      Optional<QueueCall> first = call(move.first());
      Optional<QueueCall> second = move.second().flatMap(this::call);
      if (first.isPresent() && second.isPresent() && canTell(first.get(), second.get())) {
        race(first.get(), here, second.get(), there);
      } else {
        first.ifPresent(call -> alone(call, here));
        move.second().flatMap(this::call).ifPresent(call -> alone(call, there));
      }
      compareCounts();
    }

    private Optional<QueueCall> call(Step step) {
      String jobId = jobs.get(step.which() % JOBS);
      return switch (step.kind()) {
        case APPEND ->
            model.cancelled.contains(jobId)
                ? Optional.empty()
                : Optional.of(
                    new QueueCall.Append(jobId, model.ofJob(jobId).size(), step.count(), bucket));
        case LEASE ->
            Optional.of(
                new QueueCall.Lease(shards.get(step.which() % shards.size()), step.count()));
        case CANCEL -> Optional.of(new QueueCall.Cancel(jobId));
        default -> leases.isEmpty() ? Optional.empty() : Optional.of(report(step));
      };
    }

    /** Of some lease of all that there ever were. */
    private QueueCall report(Step step) {
      LeaseRef lease = leases.get(step.which() % leases.size());
      List<TaskRef> tasks = new ArrayList<>();
      List<TaskRef> held = model.held(lease);
      for (int i = 0; i < held.size(); i++) {
        if (i % step.omitted() != 1) {
          tasks.add(0, held.get(i));
        }
      }
      List<TaskRef> all = List.copyOf(model.prompts.keySet());
      for (int stranger : step.strangers()) {
        TaskRef task = all.get(stranger % all.size());
        if (!tasks.contains(task)) {
          tasks.add(tasks.size() / 2, task);
        }
      }
      return switch (step.kind()) {
        case COMMIT -> new QueueCall.Commit(lease, tasks, step.count() % 5 > 0);
        case FAIL -> new QueueCall.Fail(lease, tasks);
        case RELEASE -> new QueueCall.Release(lease, tasks);
        default -> new QueueCall.Expire(lease);
      };
    }

    private void alone(QueueCall call, JobQueue by) {
      Answer answer = await(call.make(by));
      keep(call, answer);
      assertEquals(call.tell(model, answer), answer.prompts(), call.toString());
    }

    /** Ends a lease as a session does: when all that it was given is known to be over. */
    private void keep(QueueCall call, Answer answer) {
      if (answer.lease() != null) {
        leases.add(answer.lease());
        open.put(answer.lease(), new HashSet<>(answer.prompts().keySet()));
      }
      LeaseRef reported =
          call instanceof QueueCall.Commit commit
              ? commit.lease()
              : call instanceof QueueCall.Fail fail ? fail.lease() : null;
      if (open.containsKey(reported)) {
        answer
            .prompts()
            .forEach(
                (task, verdict) -> {
                  if (verdict != TaskVerdict.SUPERSEDED) {
                    open.get(reported).remove(task);
                  }
                });
        if (open.get(reported).isEmpty()) {
          open.remove(reported);
          queue.leases().finished(reported);
        }
      }
    }

    /**
     * Whether the answers tell what came first, where that makes a difference. Appending to a job
     * goes by offsets and is refused after it was cancelled; releasing counts attempts otherwise
     * than expiring; and a failure that comes with an outcome of the same lease may be called
     * retried although the outcome stands.
     */
    private static boolean canTell(QueueCall first, QueueCall second) {
      Set<Kind> kinds = Set.copyOf(List.of(first.kind(), second.kind()));
      return !kinds.equals(Set.of(Kind.APPEND))
          && !kinds.equals(Set.of(Kind.APPEND, Kind.CANCEL))
          && !kinds.equals(Set.of(Kind.RELEASE, Kind.EXPIRE))
          && !kinds.equals(Set.of(Kind.COMMIT, Kind.FAIL));
    }

    /** For each prompt there must be an order of the two calls that explains both answers. */
    private void race(QueueCall first, JobQueue here, QueueCall second, JobQueue there) {
      CompletionStage<Answer> firstCall = first.make(here);
      CompletionStage<Answer> secondCall = second.make(there);
      Answer ofFirst = await(firstCall);
      Answer ofSecond = await(secondCall);
      keep(first, ofFirst);
      keep(second, ofSecond);
      QueueModel inOrder = model.copy();
      Map<TaskRef, Object> firstInOrder = first.tell(inOrder, ofFirst);
      Map<TaskRef, Object> secondInOrder = second.tell(inOrder, ofSecond);
      QueueModel turned = model.copy();
      Map<TaskRef, Object> secondTurned = second.tell(turned, ofSecond);
      Map<TaskRef, Object> firstTurned = first.tell(turned, ofFirst);
      for (TaskRef task : inOrder.prompts.keySet()) {
        boolean either = said(ofFirst, task, firstInOrder) && said(ofSecond, task, secondInOrder);
        boolean orElse = said(ofFirst, task, firstTurned) && said(ofSecond, task, secondTurned);
        assertTrue(
            either || orElse,
            () ->
                String.format(
                    Locale.ROOT,
                    "%s with %s at the same time: of %s they said %s and %s, which was %s",
                    first,
                    second,
                    task,
                    ofFirst.prompts().get(task),
                    ofSecond.prompts().get(task),
                    model.prompts.get(task)));
        if (!either) {
          inOrder.prompts.put(task, turned.prompts.get(task));
        }
      }
      model = inOrder;
    }

    private static boolean said(Answer answer, TaskRef task, Map<TaskRef, Object> expected) {
      return Objects.equals(answer.prompts().get(task), expected.get(task));
    }

    private void compareCounts() {
      for (String jobId : jobs) {
        JobRecord.Counts counts = job(jobId).counts();
        assertEquals(model.count(jobId, QueueModel.State.WAITING), counts.queued(), "queued");
        assertEquals(model.count(jobId, QueueModel.State.HELD), counts.running(), "running");
      }
      for (Bucket shard : shards) {
        assertFalse(await(buckets.recount(shard)), "the counts are wrong of " + shard);
      }
    }

    /** Ends all leases and draws what is left; then every prompt has the model's outcome. */
    void finish() throws InterruptedException {
      List.copyOf(leases).forEach(lease -> alone(new QueueCall.Expire(lease), queue));
      for (String jobId : jobs) {
        if (!model.cancelled.contains(jobId)) {
          await(queue.jobs().seal(jobId, OptionalLong.empty()));
        }
      }
      awaitTrue(
          "all is decided",
          () -> {
            Set<LeaseRef> before = new HashSet<>(leases);
            shards.forEach(shard -> alone(new QueueCall.Lease(shard, 64), queue));
            leases.stream()
                .filter(lease -> !before.contains(lease))
                .toList()
                .forEach(
                    lease -> alone(new QueueCall.Commit(lease, model.held(lease), true), queue));
            return jobs.stream().allMatch(jobId -> job(jobId).terminal());
          });
      for (String jobId : jobs) {
        List<ResultRecord> results = results(jobId);
        assertEquals(
            IntStream.rangeClosed(1, results.size()).mapToObj(i -> (long) i).toList(),
            places(results));
        assertEquals(
            model.ofJob(jobId).stream()
                .collect(
                    Collectors.toMap(TaskRef::offset, task -> model.prompts.get(task).outcome())),
            results.stream().collect(Collectors.toMap(ResultRecord::offset, ResultRecord::status)));
        results.forEach(result -> assertEquals(payload(result.offset()), result.payload()));
      }
      agrees("tenant 0");
      agrees("tenant 1");
      awaitTrue(
          "nothing is left in the bucket",
          () -> {
            assertEquals(Optional.empty(), tryLease(bucket, 64));
            return await(queue.backlog().buckets()).stream()
                .filter(backlog -> backlog.bucket().equals(bucket))
                .allMatch(
                    left -> left.prompts() + left.retries() + left.leased() + left.leases() == 0);
          });
    }
  }
}
