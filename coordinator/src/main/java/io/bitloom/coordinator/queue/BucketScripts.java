package io.bitloom.coordinator.queue;

import io.bitloom.coordinator.redis.RedisConnection;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ThreadLocalRandom;

/** Calls the scripts of one bucket: their arguments and replies as types. */
final class BucketScripts {

  private static final int EXPIRE_LEASES = 32;
  private static final int DROP_RUNS = 1000;

  private final RedisConnection redis;
  private final Keys keys;
  private final QueueSettings settings;

  BucketScripts(RedisConnection redis, Keys keys, QueueSettings settings) {
    this.redis = redis;
    this.keys = keys;
    this.settings = settings;
  }

  /** Whether a bucket took prompts, and the offset of the job's last prompt that it knows now. */
  record Enqueued(boolean taken, long mark) {}

  CompletionStage<Enqueued> enqueue(
      Bucket bucket, String jobId, JobScripts.Share share, long before, byte[] entries) {
    Arguments arguments =
        announcing(bucket)
            .add(Names.escape(jobId))
            .add(Names.escape(share.tenant()))
            .add(share.weight())
            .add(share.priority())
            .add(settings.ageing())
            .add(before)
            .add(entries);
    return run(Script.ENQUEUE, bucket, arguments)
        .thenApply(reply -> new Enqueued(reply.nextFlag(), reply.nextLong()));
  }

  /**
   * What {@code lease.lua} took.
   *
   * @param token 0 if nothing was ready
   * @param wake number of the last notification at that time
   * @param nextRetryMillis until a retry is due, -1 if none waits
   * @param moreFresh whether prompts are left that wait for their first attempt
   * @param tasks by job
   */
  record Leased(
      long token,
      long wake,
      long nextRetryMillis,
      boolean moreFresh,
      Map<String, List<JobScripts.HeldTask>> tasks) {}

  CompletionStage<Leased> lease(Bucket bucket, String worker, int maxImages, Duration duration) {
    Arguments arguments =
        new Arguments()
            .add(worker)
            .add(maxImages)
            .add(duration)
            .add(settings.isolateAfterFailures())
            .add(settings.ageing());
    return run(Script.LEASE, bucket, arguments)
        .thenApply(
            reply -> {
              long token = reply.nextLong();
              long wake = reply.nextLong();
              long nextRetry = reply.nextLong();
              boolean moreFresh = reply.nextFlag();
              Map<String, List<JobScripts.HeldTask>> tasks = new LinkedHashMap<>();
              while (reply.hasNext()) {
                String jobId = Names.unescape(reply.nextString());
                long offset = reply.nextLong();
                long group = reply.nextLong();
                int images = reply.nextInt();
                int attempt = reply.nextInt();
                tasks
                    .computeIfAbsent(jobId, j -> new ArrayList<>())
                    .add(new JobScripts.HeldTask(offset, attempt, group, images));
              }
              return new Leased(token, wake, nextRetry, moreFresh, tasks);
            });
  }

  CompletionStage<Void> settle(LeaseRef lease, Collection<TaskRef> tasks) {
    Arguments arguments = new Arguments().add(lease.token());
    tasks.forEach(task -> arguments.add(word(task)));
    return run(Script.SETTLE, lease.bucket(), arguments).thenApply(reply -> null);
  }

  /**
   * @return for each token, whether it was renewed
   */
  CompletionStage<List<Boolean>> renew(
      Bucket bucket, String worker, List<Long> tokens, Duration duration) {
    Arguments arguments = new Arguments().add(worker).add(duration);
    tokens.forEach(arguments::add);
    return run(Script.RENEW, bucket, arguments).thenApply(BucketScripts::flags);
  }

  /** What became of a failed attempt. */
  enum Retry {
    NOT_HELD,
    WAITS,
    EXHAUSTED
  }

  CompletionStage<List<Retry>> retry(LeaseRef lease, List<TaskRef> tasks) {
    Arguments arguments = announcing(lease.bucket()).add(lease.token());
    addAttempts(arguments);
    tasks.forEach(task -> arguments.add(word(task)));
    return run(Script.RETRY, lease.bucket(), arguments)
        .thenApply(
            reply -> {
              List<Retry> verdicts = new ArrayList<>();
              while (reply.hasNext()) {
                verdicts.add(Retry.values()[reply.nextInt()]);
              }
              return verdicts;
            });
  }

  /**
   * @return for each prompt, whether it was taken back
   */
  CompletionStage<List<Boolean>> release(LeaseRef lease, List<TaskRef> tasks) {
    Arguments arguments = announcing(lease.bucket()).add(lease.token()).add(settings.ageing());
    tasks.forEach(task -> arguments.add(word(task)));
    return run(Script.RELEASE, lease.bucket(), arguments).thenApply(BucketScripts::flags);
  }

  /**
   * What expired.
   *
   * @param nextExpiryMillis until the next lease expires, -1 if there is none
   * @param waiting whether prompts wait that could be leased
   */
  record Expired(long nextExpiryMillis, boolean waiting, List<ExpiredTask> tasks) {}

  /**
   * @param exhausted whether it has no attempt left and stays in the lease
   */
  record ExpiredTask(long token, TaskRef task, boolean exhausted, int attempt, long group) {}

  /** Ends the leases whose time is over. */
  CompletionStage<Expired> expireOverdue(Bucket bucket) {
    return expire(bucket, "");
  }

  CompletionStage<Expired> expire(LeaseRef lease) {
    return expire(lease.bucket(), Long.toString(lease.token()));
  }

  private CompletionStage<Expired> expire(Bucket bucket, String token) {
    Arguments arguments = announcing(bucket).add(token);
    addAttempts(arguments);
    arguments.add(EXPIRE_LEASES).add(settings.leaseDuration());
    return run(Script.EXPIRE, bucket, arguments)
        .thenApply(
            reply -> {
              long nextExpiry = reply.nextLong();
              boolean waiting = reply.nextLong() + reply.nextLong() > 0;
              List<ExpiredTask> tasks = new ArrayList<>();
              while (reply.hasNext()) {
                long held = reply.nextLong();
                TaskRef task = new TaskRef(Names.unescape(reply.nextString()), reply.nextLong());
                boolean exhausted = reply.nextLong() == Retry.EXHAUSTED.ordinal();
                tasks.add(
                    new ExpiredTask(held, task, exhausted, reply.nextInt(), reply.nextLong()));
              }
              return new Expired(nextExpiry, waiting, tasks);
            });
  }

  /**
   * Forgets some of what waits of a job.
   *
   * @return whether there is more
   */
  CompletionStage<Boolean> dropFlow(Bucket bucket, String jobId) {
    Arguments arguments = new Arguments().add(Names.escape(jobId)).add(DROP_RUNS);
    return run(Script.DROP_FLOW, bucket, arguments).thenApply(Reply::nextFlag);
  }

  /**
   * What a bucket knows of a job.
   *
   * @param mark offset of the job's last prompt that it was told of, or -1
   * @param leases for each token that was asked for, whether there is such a lease
   */
  record Checked(long mark, Map<Long, Boolean> leases) {}

  CompletionStage<Checked> check(Bucket bucket, String jobId, List<Long> tokens) {
    Arguments arguments = new Arguments().add(Names.escape(jobId));
    tokens.forEach(arguments::add);
    return run(Script.CHECK, bucket, arguments)
        .thenApply(
            reply -> {
              long mark = reply.nextLong();
              Map<Long, Boolean> leases = new HashMap<>();
              tokens.forEach(token -> leases.put(token, reply.nextFlag()));
              return new Checked(mark, leases);
            });
  }

  /**
   * What waits, and how the notifications stand.
   *
   * @param nextRetryMillis until a retry is due, -1 if none waits
   */
  record Snapshot(BucketBacklog backlog, long wake, long nextRetryMillis) {}

  CompletionStage<Snapshot> snapshot(Bucket bucket) {
    return run(Script.BACKLOG, bucket, new Arguments())
        .thenApply(
            reply -> {
              long prompts = reply.nextLong();
              long images = reply.nextLong();
              long retries = reply.nextLong();
              long leased = reply.nextLong();
              long leases = reply.nextLong();
              Duration oldest = Duration.ofMillis(reply.nextLong());
              long wake = reply.nextLong();
              long nextRetry = reply.nextLong();
              int priority = (int) reply.nextLong();
              Map<String, Long> byTenant = new HashMap<>();
              while (reply.hasNext()) {
                byTenant.put(Names.unescape(reply.nextString()), reply.nextLong());
              }
              return new Snapshot(
                  new BucketBacklog(
                      bucket, prompts, images, retries, leased, leases, oldest, priority, byTenant),
                  wake,
                  nextRetry);
            });
  }

  private Arguments announcing(Bucket bucket) {
    return new Arguments().add(keys.wakeChannel()).add(Keys.id(bucket));
  }

  private void addAttempts(Arguments arguments) {
    arguments
        .add(settings.maxAttempts())
        .add(settings.backoff())
        .add(settings.maxBackoff())
        .add(ThreadLocalRandom.current().nextInt(Integer.MAX_VALUE));
  }

  private static String word(TaskRef task) {
    return Names.escape(task.jobId()) + ":" + task.offset();
  }

  private static List<Boolean> flags(Reply reply) {
    List<Boolean> flags = new ArrayList<>();
    while (reply.hasNext()) {
      flags.add(reply.nextFlag());
    }
    return flags;
  }

  private CompletionStage<Reply> run(Script script, Bucket bucket, Arguments arguments) {
    return redis.eval(script.lua(), keys.bucket(bucket), arguments.toArray()).thenApply(Reply::new);
  }
}
