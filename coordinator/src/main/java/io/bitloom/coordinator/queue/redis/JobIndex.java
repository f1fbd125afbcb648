package io.bitloom.coordinator.queue.redis;

import io.bitloom.common.error.BitloomException;
import io.bitloom.coordinator.queue.Bucket;
import io.bitloom.coordinator.queue.Chores;
import io.bitloom.coordinator.queue.JobUse;
import io.bitloom.coordinator.queue.NewJob;
import io.bitloom.coordinator.queue.PromptStore;
import io.bitloom.coordinator.queue.StoredBytes;
import io.bitloom.coordinator.queue.TenantLimits;
import io.bitloom.coordinator.queue.TenantUse;
import io.bitloom.coordinator.redis.RedisConnection;
import io.bitloom.v1.JobState;
import io.lettuce.core.Limit;
import io.lettuce.core.Range;
import io.lettuce.core.ScoredValue;
import io.lettuce.core.cluster.api.async.RedisClusterAsyncCommands;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;

/** The lists of all jobs, buckets and models. */
public final class JobIndex {

  /** Longer than it takes to append what was admitted, and to see it there. */
  private static final Duration RESERVED = Duration.ofMinutes(10);

  private final IndexCalls redis;
  private final Keys keys;
  private final Set<Bucket> knownBuckets = ConcurrentHashMap.newKeySet();

  private final boolean outputs;

  /** An index of jobs whose outcomes nobody writes to files. */
  public JobIndex(RedisConnection redis, Keys keys) {
    this(redis, keys, false);
  }

  /**
   * @param outputs whether the outcomes of jobs are written to files when these have ended
   */
  public JobIndex(RedisConnection redis, Keys keys, boolean outputs) {
    this.redis = new IndexCalls(redis, keys);
    this.keys = keys;
    this.outputs = outputs;
  }

  /**
   * Lists a job, as active too, if its tenant may have it; fails with {@code LIMIT_EXCEEDED}.
   *
   * @return its deadline in ms, which is empty if it has none
   */
  CompletionStage<String> register(String jobId, NewJob job) {
    String[] lists = {
      keys.ledger(),
      keys.useOf(job.tenant()),
      keys.jobs(),
      keys.jobsOf(job.tenant()),
      keys.activeJobs(),
      keys.deadlines(),
      keys.openJobsOf(job.tenant()),
      keys.hooks()
    };
    String window = job.completionWindow().map(known -> Long.toString(known.toMillis())).orElse("");
    Arguments arguments =
        new Arguments()
            .add(jobId)
            .add(job.tenant())
            .add(window)
            .add(StoredBytes.ofJob(job.spec()))
            .add(job.first().prompts())
            .add(job.first().bytes())
            .add(job.limits().openJobs());
    add(arguments, job.limits());
    arguments.add(job.webhook() ? Long.toString(RedisWebhooks.LOOKED_AFTER.toMillis()) : "");
    return run(Script.REGISTER, lists, arguments)
        .thenCompose(
            reply ->
                reply.nextFlag()
                    ? CompletableFuture.completedStage(reply.nextString())
                    : JobErrors.exhausted(
                        job.tenant(), job.limits(), reply.nextString(), reply.nextLong()));
  }

  private static Arguments add(Arguments arguments, TenantLimits limits) {
    return arguments.add(limits.prompts()).add(limits.bytes()).add(limits.results());
  }

  /** Reserves prompts of a job as {@link PromptStore#reserve} does. */
  CompletionStage<TenantUse> reserve(
      String tenant, String jobId, long offset, int count, long bytes, TenantLimits limits) {
    Arguments arguments = new Arguments().add(jobId).add(offset).add(count).add(bytes);
    String[] lists = {keys.ledger(), keys.useOf(tenant), keys.openJobsOf(tenant)};
    return run(Script.RESERVE, lists, add(arguments, limits))
        .thenCompose(
            reply ->
                reply.nextFlag()
                    ? CompletableFuture.completedStage(use(reply))
                    : JobErrors.exhausted(tenant, limits, reply.nextString(), reply.nextLong()));
  }

  private static TenantUse use(Reply reply) {
    return new TenantUse(reply.nextLong(), reply.nextLong(), reply.nextLong());
  }

  /** Notes what jobs of a tenant take. May be repeated, and come late. */
  public CompletionStage<TenantUse> book(String tenant, Map<String, JobUse> jobs) {
    Arguments arguments = new Arguments().add(tenant).add(RESERVED);
    jobs.forEach(
        (jobId, use) ->
            arguments
                .add(jobId)
                .add(use.prompts())
                .add(use.decided())
                .add(use.bytes())
                .add(use.results()));
    String[] lists = {keys.ledger(), keys.useOf(tenant), keys.jobsOf(tenant)};
    return run(Script.BOOK, lists, arguments).thenApply(JobIndex::use);
  }

  /**
   * What was new of a job that ended.
   *
   * @param first whether nobody has said so before
   * @param hooked whether somebody may have to be told
   */
  record Retired(boolean first, boolean hooked) {}

  /** Nothing is left to be done for this job, which ended. */
  CompletionStage<Retired> retire(String jobId, String tenant, boolean fleeting, JobUse use) {
    String[] lists = {
      keys.ledger(),
      keys.useOf(tenant),
      keys.activeJobs(),
      keys.deadlines(),
      keys.openJobsOf(tenant),
      fleeting ? keys.fleetingJobs() : keys.endedJobs(),
      keys.jobsOf(tenant),
      keys.hooks(),
      keys.hookClaims(),
      keys.chores(Chores.Kind.OUTPUT)
    };
    Arguments arguments =
        new Arguments()
            .add(jobId)
            .add(tenant)
            .add(use.prompts())
            .add(use.bytes())
            .add(use.results())
            .add(outputs && !fleeting ? 1 : 0);
    return run(Script.RETIRE, lists, arguments)
        .thenApply(reply -> new Retired(reply.nextFlag(), reply.nextFlag()));
  }

  /** Takes a job off all lists. */
  CompletionStage<Void> unlist(String jobId, String tenant) {
    String[] lists = {
      keys.ledger(),
      keys.useOf(tenant),
      keys.jobs(),
      keys.jobsOf(tenant),
      keys.activeJobs(),
      keys.deadlines(),
      keys.endedJobs(),
      keys.fleetingJobs(),
      keys.openJobsOf(tenant)
    };
    return run(Script.UNLIST, lists, new Arguments().add(jobId)).thenApply(reply -> null);
  }

  private CompletionStage<Reply> run(Script script, String[] lists, Arguments arguments) {
    return redis.run(script, lists, arguments);
  }

  /**
   * Jobs whose time has come.
   *
   * @param nextMillis until that of the next one, -1 if there is none
   */
  public record Due(long nextMillis, List<String> jobIds) {}

  /** Jobs whose completion window has passed. */
  public CompletionStage<Due> pastDeadline(int most) {
    return due(keys.deadlines(), Duration.ZERO, most);
  }

  /**
   * Takes a job that is gone, or never came, off all lists. Of one that nobody has counted only
   * what would have it looked for again.
   */
  public CompletionStage<Void> forget(String jobId) {
    return run(Script.OWNER, new String[] {keys.ledger()}, new Arguments().add(jobId))
        .thenApply(Reply::nextString)
        .thenCompose(
            tenant ->
                tenant.isEmpty()
                    ? redis
                        .call(r -> r.zrem(keys.endedJobs(), bytes(jobId)))
                        .thenCompose(
                            done -> redis.call(r -> r.zrem(keys.activeJobs(), bytes(jobId))))
                        .thenApply(removed -> null)
                    : unlist(jobId, tenant));
  }

  /** Takes a job off the deadlines. */
  public CompletionStage<Void> dropDeadline(String jobId) {
    return redis.call(r -> r.zrem(keys.deadlines(), bytes(jobId))).thenApply(removed -> null);
  }

  /** Jobs that ended longer ago than this, or are to be deleted in any case. */
  CompletionStage<Due> endedBefore(Duration age, int most) {
    return due(keys.endedJobs(), age, most);
  }

  /** Jobs that nobody keeps and that ended longer ago than this. */
  CompletionStage<Due> fleetedBefore(Duration age, int most) {
    return due(keys.fleetingJobs(), age, most);
  }

  /** From now on an ended job counts as older than any age. */
  CompletionStage<Void> deleteNext(String jobId) {
    return run(Script.DOOM, new String[] {keys.endedJobs()}, new Arguments().add(jobId))
        .thenApply(reply -> null);
  }

  private CompletionStage<Due> due(String list, Duration age, int most) {
    return run(Script.DUE, new String[] {list}, new Arguments().add(age).add(most))
        .thenApply(
            reply -> {
              long next = reply.nextLong();
              List<String> jobIds = new ArrayList<>();
              while (reply.hasNext()) {
                jobIds.add(reply.nextString());
              }
              return new Due(next, jobIds);
            });
  }

  /** An active job and how long ago it was registered. */
  public record Active(String jobId, Duration age) {}

  public CompletionStage<List<Active>> activeJobs() {
    return redis
        .call(r -> r.zrangeWithScores(keys.activeJobs(), 0, -1))
        .thenCompose(
            jobs ->
                jobs.isEmpty()
                    ? CompletableFuture.completedStage(List.of())
                    : nowMicros()
                        .thenApply(now -> jobs.stream().map(job -> active(job, now)).toList()));
  }

  /** How many jobs are active. */
  CompletionStage<Long> countActive() {
    return redis.call(r -> r.zcard(keys.activeJobs()));
  }

  /** Says how many jobs have not ended, by state. */
  public CompletionStage<Void> putStates(Map<JobState, Long> counts) {
    Map<String, byte[]> all = new HashMap<>();
    for (JobState state : JobState.values()) {
      if (state != JobState.UNRECOGNIZED) {
        all.put(state.name(), bytes(Long.toString(counts.getOrDefault(state, 0L))));
      }
    }
    return redis.call(r -> r.hset(keys.states(), all)).thenApply(added -> null);
  }

  /** What was said last; empty if nothing was. */
  CompletionStage<Map<JobState, Long>> states() {
    return redis
        .call(r -> r.hgetall(keys.states()))
        .thenApply(
            said -> {
              Map<JobState, Long> counts = new HashMap<>();
              said.forEach(
                  (state, n) -> counts.put(JobState.valueOf(state), Long.valueOf(text(n))));
              return counts;
            });
  }

  private static Active active(ScoredValue<byte[]> job, long nowMicros) {
    long age = nowMicros - (long) job.getScore();
    return new Active(text(job.getValue()), Duration.of(age, ChronoUnit.MICROS));
  }

  private CompletionStage<Long> nowMicros() {
    return redis
        .call(RedisClusterAsyncCommands::time)
        .thenApply(
            time ->
                Long.parseLong(text(time.get(0))) * 1_000_000 + Long.parseLong(text(time.get(1))));
  }

  /** A job and where the list goes on after it. */
  record Listed(String jobId, String nextToken) {}

  /** Jobs after a token, newest first; the token of the first page is empty. */
  CompletionStage<List<Listed>> list(Optional<String> tenant, String token, int count) {
    Range<Double> older =
        token.isEmpty()
            ? Range.unbounded()
            : Range.from(
                Range.Boundary.unbounded(), Range.Boundary.excluding((double) time(token)));
    String list = tenant.map(keys::jobsOf).orElseGet(keys::jobs);
    return redis
        .call(r -> r.zrevrangebyscoreWithScores(list, older, Limit.from(count)))
        .thenApply(
            jobs ->
                jobs.stream()
                    .map(
                        job ->
                            new Listed(text(job.getValue()), Long.toString((long) job.getScore())))
                    .toList());
  }

  private static long time(String token) {
    try {
      return Long.parseLong(token);
    } catch (NumberFormatException e) {
      throw BitloomException.invalid("page_token", token, "must be a token of a page before");
    }
  }

  /** Remembers a bucket; costs nothing if it is known here. */
  public void addBucket(Bucket bucket) {
    if (knownBuckets.add(bucket)) {
      redis
          .call(r -> r.sadd(keys.buckets(), bytes(Keys.id(bucket))))
          .whenComplete(
              (added, e) -> {
                if (e != null) {
                  knownBuckets.remove(bucket);
                }
              });
    }
  }

  /** Lists a bucket that was made just now, although it may have been listed here before. */
  public void addNewBucket(Bucket bucket) {
    knownBuckets.remove(bucket);
    addBucket(bucket);
  }

  /** Takes a bucket off the list. */
  CompletionStage<Void> removeBucket(Bucket bucket) {
    knownBuckets.remove(bucket);
    return redis
        .call(r -> r.srem(keys.buckets(), bytes(Keys.id(bucket))))
        .thenApply(removed -> null);
  }

  /** Forgets which buckets are listed but for those that are. */
  public CompletionStage<Void> checkBuckets() {
    return buckets().thenAccept(knownBuckets::retainAll);
  }

  /** The list of buckets may be gone. */
  public void forgetBuckets() {
    knownBuckets.clear();
  }

  CompletionStage<Set<Bucket>> buckets() {
    return redis
        .call(r -> r.smembers(keys.buckets()))
        .thenApply(
            ids -> ids.stream().map(id -> Keys.bucketOf(text(id))).collect(Collectors.toSet()));
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }
}
