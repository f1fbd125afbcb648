package io.bitloom.coordinator.queue.redis;

import com.google.protobuf.ByteString;
import io.bitloom.coordinator.TestCoordinator;
import io.bitloom.coordinator.queue.LeaseRef;
import io.bitloom.coordinator.queue.NewJob;
import io.bitloom.coordinator.queue.QueueSettings;
import io.bitloom.coordinator.queue.TaskRef;
import io.bitloom.coordinator.queue.redis.SearchCase.Move;
import io.bitloom.coordinator.queue.redis.SearchState.Lease;
import io.bitloom.coordinator.queue.redis.SearchState.Stage;
import io.bitloom.coordinator.redis.RedisConnection;
import io.bitloom.coordinator.redis.RedisScript;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Visits every state that a case can come to, breadth first, so that the first failure has the
 * shortest story. A state is put back into Redis key by key; one that was visited by another way is
 * not visited again.
 */
final class QueueSearch {

  private static final RedisScript PICTURE = RedisScript.load(QueueSearch.class, "picture");
  private static final RedisScript RESTORE = RedisScript.load(QueueSearch.class, "restore");
  private static final int LANES = 2;

  /** More rounds than any end needs: each decides a prompt or makes an attempt. */
  private static final int ROUNDS = 20;

  private final RedisConnection redis;
  private final SearchCase some;
  private final Keys keys;
  private final BucketScripts buckets;
  private final JobScripts jobs;
  private final String[] keysOfCase;
  private final byte[][] jobIds;
  private final Deque<SearchState> next = new ArrayDeque<>();
  private final Set<String> seen = new HashSet<>();
  private final Set<String> ended = new HashSet<>();
  private long transitions;
  private long endings;

  QueueSearch(RedisConnection redis, SearchCase some) {
    this.redis = redis;
    this.some = some;
    QueueSettings settings =
        new QueueSettings(
            "search-" + UUID.randomUUID(),
            some.attempts(),
            2,
            Duration.ZERO,
            Duration.ZERO,
            Duration.ofMinutes(1),
            HalfStep.LEASE,
            Duration.ZERO,
            Duration.ofHours(1));
    this.keys = new Keys(settings.namespace());
    this.buckets = new BucketScripts(redis, keys, settings);
    this.jobs = new JobScripts(redis, keys);
    List<String> all = new ArrayList<>(Arrays.asList(keys.bucket(HalfStep.BUCKET)));
    for (String job : some.jobIds()) {
      all.addAll(Arrays.asList(keys.job(job)));
      all.add(keys.results(job, 0));
    }
    this.keysOfCase = all.toArray(String[]::new);
    this.jobIds =
        some.jobIds().stream()
            .map(job -> job.getBytes(StandardCharsets.UTF_8))
            .toArray(byte[][]::new);
  }

  /** What was visited. */
  record Visited(int states, long transitions, long endings) {}

  /** Fails with the story of the first state that is wrong. */
  Visited search() {
    // A script that has to be sent as a whole is not run before the picture is taken.
    for (Script script : Script.values()) {
      await(redis.call(r -> r.scriptLoad(script.lua().text())));
    }
    visit(begin());
    while (!next.isEmpty()) {
      SearchState state = next.remove();
      // All that may happen next is sent at once; each of it begins by putting the state back.
      choices(state).stream()
          .map(choice -> make(state, choice))
          .toList()
          .forEach(then -> visit(await(then)));
    }
    await(redis.call(r -> r.unlink(keysOfCase)));
    return new Visited(seen.size(), transitions, endings);
  }

  private SearchState begin() {
    SearchState first = SearchState.first(some);
    for (String job : some.jobIds()) {
      await(jobs.create(job, new NewJob("t", "", 1, 5, ByteString.EMPTY), "", 1));
    }
    first.picture = await(look());
    if (some.times(Move.APPEND) == 0) {
      for (String job : some.jobIds()) {
        first.pending.add(new HalfStep.Append(0, job));
        finish(first);
      }
    }
    return first;
  }

  private void visit(SearchState state) {
    if (!state.picture.wrong().isEmpty()) {
      throw failed(state, state.picture.wrong());
    }
    state.taken.forEach(
        (prompt, outcome) -> {
          if (!outcome.equals(state.picture.outcomes().get(prompt))) {
            throw failed(state, prompt + " was taken as " + outcome + ", and is not");
          }
        });
    if (seen.add(hash(state.text()))) {
      if (ended.add(hash(state.redisText()))) {
        new Ending(state).run();
      }
      next.add(state);
    }
  }

  private AssertionError failed(SearchState state, String what) {
    return new AssertionError(
        String.join("\n", some.name() + ": " + what, state.story(), state.text()));
  }

  /** Something that changes what coordinators and workers know. */
  private interface Change {
    void make(SearchState state);
  }

  /**
   * One thing that may happen.
   *
   * @param change of what coordinators and workers know, before the call
   * @param step the call; empty if there is none
   */
  private record Choice(String name, Change change, Optional<HalfStep> step) {}

  private List<Choice> choices(SearchState state) {
    List<Choice> all = new ArrayList<>();
    for (HalfStep step : Set.copyOf(state.pending)) {
      all.add(new Choice("", now -> now.pending.remove(step), Optional.of(step)));
    }
    for (int lane = 0; lane < LANES; lane++) {
      if (!state.busy(lane)) {
        addCalls(all, state, lane);
      }
      if (may(state, Move.DIE) && isPending(state, lane)) {
        all.add(death(lane));
      }
    }
    return all;
  }

  private static boolean isPending(SearchState state, int lane) {
    return state.pending.stream().anyMatch(step -> step.lane() == lane);
  }

  private static boolean may(SearchState state, Move move) {
    return state.left.containsKey(move);
  }

  private static Choice death(int lane) {
    return new Choice(
        "lane " + lane + " dies",
        now -> {
          now.spend(Move.DIE);
          now.pending.removeIf(step -> step.lane() == lane);
          now.leases.replaceAll(lease -> lease.owner() == lane ? lease.orphaned() : lease);
        },
        Optional.empty());
  }

  /** What a coordinator that is not busy may begin. */
  private void addCalls(List<Choice> all, SearchState state, int lane) {
    if (!state.over(lane).isEmpty()) {
      add(all, new HalfStep.Finish(lane));
    }
    add(all, state, Move.LEASE, new HalfStep.LeaseFromBucket(lane));
    for (String job : some.jobIds()) {
      add(all, state, Move.CANCEL, new HalfStep.Cancel(lane, job));
      add(all, state, Move.PAUSE, new HalfStep.Adjust(lane, job, true));
      add(all, state, Move.APPEND, new HalfStep.Append(lane, job));
      if (!state.retired.contains(job)) {
        add(all, state, Move.SWEEP, new HalfStep.ReadLooseEnds(lane, job));
      }
    }
    for (int k = 0; k < state.leases.size(); k++) {
      Lease lease = state.leases.get(k);
      if (k == state.leases.size() - 1 || lease.starting() == 0) {
        add(all, state, Move.EXPIRE, new HalfStep.Expire(lane, k));
      }
      if (lease.starting() == 0 && (lease.owner() == lane || lease.owner() == SearchState.NOBODY)) {
        for (String job : some.jobIds()) {
          addReports(all, state, lane, k, job);
        }
      }
    }
  }

  /** What a worker may say of its prompts: all are done, one is, they failed, or they go back. */
  private void addReports(List<Choice> all, SearchState state, int lane, int k, String job) {
    List<TaskRef> open = state.leases.get(k).in(job, Stage.OPEN);
    if (open.isEmpty()) {
      return;
    }
    boolean last = state.leases.get(k).in(job, Stage.REPORTED).isEmpty();
    List<Long> offsets = HalfStep.offsets(open);
    report(all, k, open, Optional.empty(), new HalfStep.Commit(lane, k, job, offsets, true, last));
    if (open.size() > 1) {
      report(
          all,
          k,
          open.subList(0, 1),
          Optional.empty(),
          new HalfStep.Commit(lane, k, job, offsets.subList(0, 1), true, false));
    }
    if (may(state, Move.FAIL)) {
      report(all, k, open, Optional.of(Move.FAIL), new HalfStep.Retry(lane, k, job, offsets, last));
    }
    if (may(state, Move.RELEASE)) {
      all.add(
          new Choice(
              "",
              now -> {
                now.spend(Move.RELEASE);
                now.change(k, now.leases.get(k).with(Set.copyOf(open), Stage.OVER, true));
              },
              Optional.of(new HalfStep.Release(lane, k, job, offsets, true))));
    }
  }

  private static void report(
      List<Choice> all, int k, List<TaskRef> tasks, Optional<Move> move, HalfStep step) {
    all.add(
        new Choice(
            "",
            now -> {
              move.ifPresent(now::spend);
              now.change(k, now.leases.get(k).with(Set.copyOf(tasks), Stage.REPORTED, true));
            },
            Optional.of(step)));
  }

  private static void add(List<Choice> all, HalfStep step) {
    all.add(new Choice("", now -> {}, Optional.of(step)));
  }

  private static void add(List<Choice> all, SearchState state, Move move, HalfStep step) {
    if (may(state, move)) {
      all.add(new Choice("", now -> now.spend(move), Optional.of(step)));
    }
  }

  private CompletionStage<SearchState> make(SearchState state, Choice choice) {
    transitions++;
    SearchState then = state.then(choice.step().map(HalfStep::toString).orElse(choice.name()));
    choice.change().make(then);
    if (choice.step().isEmpty()) {
      return CompletableFuture.completedStage(then);
    }
    restore(state.picture);
    return call(then, choice.step().get());
  }

  /** Makes one call, and takes the picture of what comes of it. */
  private CompletionStage<SearchState> call(SearchState state, HalfStep step) {
    // One that makes two calls for a job would keep the second back.
    JobTurns turns = new JobTurns(redis, keys, begun -> {});
    CompletionStage<?> called = step.run(new HalfStep.Moment(buckets, jobs, turns, some, state));
    return called
        .thenCombine(
            look(),
            (done, picture) -> {
              state.picture = picture;
              return state;
            })
        .exceptionally(
            e -> {
              throw new AssertionError(some.name() + ": " + state.story(), e);
            });
  }

  private void finish(SearchState state) {
    while (!state.pending.isEmpty()) {
      await(call(state, state.pending.remove(0)));
    }
  }

  private CompletionStage<?> restore(SearchState.Picture picture) {
    return redis.eval(RESTORE, keysOfCase, picture.dumps().toArray(byte[][]::new));
  }

  private CompletionStage<SearchState.Picture> look() {
    return redis
        .eval(PICTURE, keysOfCase, jobIds)
        .thenApply(
            reply ->
                new SearchState.Picture(
                    text(reply.get(0)).replaceAll("[0-9]+\\.lease-0*([0-9])", "lease-$1"),
                    text(reply.get(1)),
                    SearchState.outcomes(
                        ((List<?>) reply.get(2)).stream().map(QueueSearch::text).toList()),
                    ((List<?>) reply.get(3)).stream().map(byte[].class::cast).toList()));
  }

  /** What happens when all coordinators die here, leases run out, and others come. */
  private final class Ending {

    private final SearchState state;

    Ending(SearchState from) {
      this.state = from.then("all die");
      endings++;
    }

    void run() {
      await(restore(state.picture));
      state.pending.clear();
      for (int round = 0; round < ROUNDS && !isOver(); round++) {
        leasesRunOut();
        for (String job : some.jobIds()) {
          if (!state.retired.contains(job)) {
            make(new HalfStep.ReadLooseEnds(0, job));
          }
        }
        if (round == 0) {
          must(!state.picture.text().contains("lease-"), "a lease is left");
          nothingIsRunning();
          for (String job : some.jobIds()) {
            make(new HalfStep.Append(0, job)); // its client asks again
            make(new HalfStep.Adjust(0, job, false));
          }
        }
        draw();
      }
      must(isOver(), "something is left");
      must(!await(buckets.recount(HalfStep.BUCKET)), "the counts of the bucket are wrong");
      some.jobIds().forEach(this::everyPromptHasItsOutcome);
      state.taken.forEach(
          (prompt, outcome) ->
              must(
                  outcome.equals(state.picture.outcomes().get(prompt)),
                  prompt + " was taken as " + outcome + ", and is not"));
    }

    /** A job that was cancelled before its prompts came has none. */
    private void everyPromptHasItsOutcome(String job) {
      long outcomes =
          state.picture.outcomes().keySet().stream().filter(of -> of.startsWith(job + ":")).count();
      boolean cameTooLate = outcomes == 0 && state.picture.text().contains("job CANCELLED 0 5 0 ");
      must(outcomes == some.jobs().get(job) || cameTooLate, "not every prompt has its outcome");
    }

    private void leasesRunOut() {
      for (byte[] name : await(redis.call(r -> r.zrange(keysOfCase[5], 0, -1)))) {
        LeaseRef ref = Keys.leaseOf(HalfStep.BUCKET, text(name));
        make(new HalfStep.Expire(0, state.indexOf(ref)));
      }
    }

    private void nothingIsRunning() {
      for (String job : some.jobIds()) {
        byte[] running = await(redis.call(r -> r.hget(keys.jobHash(job), "running")));
        must(text(running).equals("0"), "of job " + job + " run " + text(running));
      }
    }

    private void draw() {
      int before;
      do {
        before = state.leases.size();
        make(new HalfStep.LeaseFromBucket(0));
        for (int k = before; k < state.leases.size(); k++) {
          for (String job : some.jobIds()) {
            List<TaskRef> open = state.leases.get(k).in(job, Stage.OPEN);
            if (!open.isEmpty()) {
              make(new HalfStep.Commit(0, k, job, HalfStep.offsets(open), true, true));
            }
          }
        }
        make(new HalfStep.Finish(0));
      } while (state.leases.size() > before);
    }

    private boolean isOver() {
      return some.jobIds().stream().allMatch(state.retired::contains)
          && !flows().contains("flow ")
          && !state.picture.text().contains("lease-")
          && ("\n" + state.picture.text()).contains("\nruns 0\n")
          && state.picture.text().contains("retry \n")
          && !state.picture.text().contains("line ");
    }

    /** A job of which a bucket was told after it ended may have an entry there without prompts. */
    private String flows() {
      String text = state.picture.text();
      return some.times(Move.APPEND) > 0 ? text.replaceAll("flow . 0 0 ", "") : text;
    }

    private void make(HalfStep step) {
      state.pending.add(step);
      finish(state);
      must(state.picture.wrong().isEmpty(), state.picture.wrong());
    }

    private void must(boolean is, String what) {
      if (!is) {
        throw failed(state, "at the end, " + what);
      }
    }
  }

  private static String text(Object bytes) {
    return new String((byte[]) bytes, StandardCharsets.ISO_8859_1);
  }

  private static String hash(String text) {
    try {
      return Base64.getEncoder()
          .encodeToString(
              MessageDigest.getInstance("MD5").digest(text.getBytes(StandardCharsets.UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  private static <T> T await(CompletionStage<T> stage) {
    try {
      return stage
          .toCompletableFuture()
          .get(TestCoordinator.PATIENCE.toSeconds(), TimeUnit.SECONDS);
    } catch (ExecutionException | InterruptedException | TimeoutException e) {
      throw new AssertionError(e);
    }
  }
}
