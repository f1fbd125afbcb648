package io.bitloom.coordinator.queue.redis;

import io.bitloom.common.error.BitloomException;
import io.bitloom.coordinator.queue.Bucket;
import io.bitloom.coordinator.queue.JobRecord;
import io.bitloom.coordinator.queue.NewJob;
import io.bitloom.coordinator.queue.PromptStore;
import io.bitloom.coordinator.redis.RedisConnection;
import io.lettuce.core.Limit;
import io.lettuce.core.Range;
import io.lettuce.core.ScoredValue;
import io.lettuce.core.cluster.api.async.RedisClusterAsyncCommands;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
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

  private final RedisConnection redis;
  private final Keys keys;
  private final Set<Bucket> knownBuckets = ConcurrentHashMap.newKeySet();

  public JobIndex(RedisConnection redis, Keys keys) {
    this.redis = redis;
    this.keys = keys;
  }

  /**
   * Lists a job, as active too.
   *
   * @return its deadline in ms, which is empty if it has none; nothing if its tenant has too many
   *     open jobs
   */
  CompletionStage<Optional<String>> register(String jobId, NewJob job) {
    String[] lists = {
      keys.jobs(),
      keys.jobsOf(job.tenant()),
      keys.activeJobs(),
      keys.deadlines(),
      keys.openJobsOf(job.tenant())
    };
    String window = job.completionWindow().map(known -> Long.toString(known.toMillis())).orElse("");
    Arguments arguments = new Arguments().add(jobId).add(window).add(job.maxOpenJobs());
    return redis
        .eval(Script.REGISTER.lua(), lists, arguments.toArray())
        .thenApply(Reply::new)
        .thenApply(reply -> reply.nextFlag() ? Optional.of(reply.nextString()) : Optional.empty());
  }

  /** Jobs of a tenant that have not ended. */
  CompletionStage<Set<String>> openJobs(String tenant) {
    return redis
        .call(r -> r.smembers(keys.openJobsOf(tenant)))
        .thenApply(ids -> ids.stream().map(JobIndex::text).collect(Collectors.toSet()));
  }

  /** Reserves prompts of a job as {@link PromptStore#admit} does. */
  CompletionStage<Boolean> admit(
      String tenant, String jobId, long offset, int count, long most, List<JobRecord> open) {
    Arguments arguments = new Arguments().add(most).add(jobId).add(offset).add(count).add(RESERVED);
    for (JobRecord job : open) {
      JobRecord.Counts counts = job.counts();
      arguments.add(job.id()).add(counts.appended()).add(counts.decided());
    }
    String[] lists = {keys.reservedOf(tenant), keys.openJobsOf(tenant)};
    return redis
        .eval(Script.ADMIT.lua(), lists, arguments.toArray())
        .thenApply(reply -> new Reply(reply).nextFlag());
  }

  /** Nothing is left to be done for this job, which ended. */
  CompletionStage<Void> retire(String jobId, String tenant) {
    String[] lists = {
      keys.activeJobs(), keys.deadlines(), keys.openJobsOf(tenant), keys.endedJobs()
    };
    return redis
        .eval(Script.RETIRE.lua(), lists, new Arguments().add(jobId).toArray())
        .thenApply(reply -> null);
  }

  /** Takes a job off all lists. */
  CompletionStage<Void> unlist(String jobId, String tenant) {
    String[] lists = {
      keys.jobs(),
      keys.jobsOf(tenant),
      keys.activeJobs(),
      keys.deadlines(),
      keys.endedJobs(),
      keys.openJobsOf(tenant)
    };
    return redis
        .eval(Script.UNLIST.lua(), lists, new Arguments().add(jobId).toArray())
        .thenApply(reply -> null);
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

  /** Takes a job that is gone off the ended jobs. */
  CompletionStage<Void> dropEnded(String jobId) {
    return redis.call(r -> r.zrem(keys.endedJobs(), bytes(jobId))).thenApply(removed -> null);
  }

  /** Takes a job off the deadlines. */
  public CompletionStage<Void> dropDeadline(String jobId) {
    return redis.call(r -> r.zrem(keys.deadlines(), bytes(jobId))).thenApply(removed -> null);
  }

  /** Jobs that ended longer ago than this, or are to be deleted in any case. */
  CompletionStage<Due> endedBefore(Duration age, int most) {
    return due(keys.endedJobs(), age, most);
  }

  /** From now on an ended job counts as older than any age. */
  CompletionStage<Void> deleteNext(String jobId) {
    return redis.call(r -> r.zadd(keys.endedJobs(), 0, bytes(jobId))).thenApply(added -> null);
  }

  private CompletionStage<Due> due(String list, Duration age, int most) {
    return redis
        .eval(Script.DUE.lua(), new String[] {list}, new Arguments().add(age).add(most).toArray())
        .thenApply(Reply::new)
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

  /** Forgets a job that was listed and never created. */
  public CompletionStage<Void> inactive(String jobId) {
    return redis.call(r -> r.zrem(keys.activeJobs(), bytes(jobId))).thenApply(removed -> null);
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
