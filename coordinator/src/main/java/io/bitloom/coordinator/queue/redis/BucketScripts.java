package io.bitloom.coordinator.queue.redis;

import com.google.protobuf.ByteString;
import io.bitloom.common.secret.Secret;
import io.bitloom.coordinator.queue.Bucket;
import io.bitloom.coordinator.queue.BucketBacklog;
import io.bitloom.coordinator.queue.BucketLine;
import io.bitloom.coordinator.queue.BucketRank;
import io.bitloom.coordinator.queue.LeaseRef;
import io.bitloom.coordinator.queue.LeasedBatch;
import io.bitloom.coordinator.queue.Names;
import io.bitloom.coordinator.queue.QueueSettings;
import io.bitloom.coordinator.queue.TaskRef;
import io.bitloom.coordinator.redis.RedisConnection;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Collectors;

/**
 * Calls the scripts of one bucket, or of one shard of it: their arguments and replies as types.
 * What they know as a job is a job, or a part of one.
 */
public final class BucketScripts {

  private static final int EXPIRE_LEASES = 32;
  private static final int DROP_RUNS = 1000;

  private final RedisConnection redis;
  private final Keys keys;
  private final QueueSettings settings;

  public BucketScripts(RedisConnection redis, Keys keys, QueueSettings settings) {
    this.redis = redis;
    this.keys = keys;
    this.settings = settings;
  }

  /**
   * What became of prompts that a bucket was told of.
   *
   * @param taken whether it took them, or had them already
   * @param mark offset of the job's last prompt that it knows now
   * @param isNew whether there was no such bucket before, so that it has to be listed
   */
  public record Enqueued(boolean taken, long mark, boolean isNew) {}

  public CompletionStage<Enqueued> enqueue(
      Bucket bucket, String partId, JobScripts.Terms terms, long before, byte[] entries) {
    Arguments arguments =
        announcing(bucket)
            .add(Names.escape(partId))
            .add(Names.escape(terms.tenant()))
            .add(terms.weight())
            .add(terms.standing().priority())
            .add(settings.ageing())
            .add(before)
            .add(entries)
            .add(terms.standing().revision())
            .add(terms.standing().paused() ? 1 : 0);
    return run(Script.ENQUEUE, bucket, arguments)
        .thenApply(
            reply -> {
              boolean taken = reply.nextFlag();
              return new Enqueued(taken, reply.nextLong(), taken && reply.nextFlag());
            });
  }

  /**
   * What {@code lease.lua} took.
   *
   * @param lease empty if nothing was ready
   * @param wake number of the last notification at that time
   * @param nextRetryMillis until a retry is due, -1 if none waits
   * @param moreFresh whether prompts are left that wait for their first attempt
   * @param tasks by job, as {@code turn.lua} takes them
   * @param waits one for each job of which fresh prompts were taken
   */
  public record Leased(
      Optional<LeaseRef> lease,
      long wake,
      long nextRetryMillis,
      boolean moreFresh,
      Map<String, ByteString> tasks,
      List<LeasedBatch.Wait> waits) {}

  /**
   * @param secret of this request alone: becomes the lease's, and {@link #reclaim} finds it by that
   * @param over leases that are ended before
   * @param spread tenants that wait in other buckets, too, and in how many with this one
   */
  public CompletionStage<Leased> lease(
      Bucket bucket,
      String worker,
      Secret secret,
      int maxImages,
      Duration duration,
      List<LeaseRef> over,
      Map<String, Integer> spread) {
    Arguments arguments =
        new Arguments()
            .add(worker)
            .add(maxImages)
            .add(duration)
            .add(settings.isolateAfterFailures())
            .add(settings.ageing())
            .add(secret.text())
            .add(over.size());
    over.forEach(lease -> arguments.add(Keys.name(lease)));
    spread.forEach((tenant, buckets) -> arguments.add(Names.escape(tenant)).add(buckets));
    return run(Script.LEASE, bucket, arguments)
        .thenApply(
            reply -> {
              long token = reply.nextLong();
              long wake = reply.nextLong();
              long nextRetry = reply.nextLong();
              boolean moreFresh = reply.nextFlag();
              Map<String, ByteString> tasks = new LinkedHashMap<>();
              List<LeasedBatch.Wait> waits = new ArrayList<>();
              while (reply.hasNext()) {
                tasks.put(Names.unescape(reply.nextString()), reply.nextBytes());
                String tenant = Names.unescape(reply.nextString());
                long millis = reply.nextLong();
                if (millis >= 0) {
                  waits.add(new LeasedBatch.Wait(tenant, Duration.ofMillis(millis)));
                }
              }
              Optional<LeaseRef> lease =
                  token == 0 ? Optional.empty() : Optional.of(new LeaseRef(bucket, token, secret));
              return new Leased(lease, wake, nextRetry, moreFresh, tasks, waits);
            });
  }

  /** Ends leases of which every prompt has its outcome. */
  public CompletionStage<Void> finish(Bucket bucket, List<LeaseRef> over) {
    Arguments arguments = new Arguments();
    over.forEach(lease -> arguments.add(Keys.name(lease)));
    return run(Script.FINISH, bucket, arguments).thenApply(reply -> null);
  }

  public CompletionStage<Void> settle(LeaseRef lease, Collection<TaskRef> tasks) {
    Arguments arguments = new Arguments().add(Keys.name(lease));
    addByJob(arguments, tasks);
    return run(Script.SETTLE, lease.bucket(), arguments).thenApply(reply -> null);
  }

  /**
   * @return for each lease, whether it was renewed
   */
  CompletionStage<List<Boolean>> renew(
      Bucket bucket, String worker, List<LeaseRef> leases, Duration duration) {
    Arguments arguments = new Arguments().add(worker).add(duration);
    leases.forEach(lease -> arguments.add(Keys.name(lease)));
    return run(Script.RENEW, bucket, arguments).thenApply(BucketScripts::flags);
  }

  /**
   * @return the prompts of those leases that are the worker's
   */
  CompletionStage<Map<LeaseRef, Set<TaskRef>>> claim(
      Bucket bucket, String worker, List<LeaseRef> leases, Duration duration) {
    Arguments arguments = new Arguments().add(worker).add(duration);
    leases.forEach(lease -> arguments.add(Keys.name(lease)));
    return run(Script.CLAIM, bucket, arguments)
        .thenApply(
            reply -> {
              Map<LeaseRef, Set<TaskRef>> claimed = new HashMap<>();
              for (LeaseRef lease : leases) {
                Set<TaskRef> tasks = new HashSet<>();
                for (long jobs = reply.nextLong(); jobs > 0; jobs--) {
                  String jobId = Names.unescape(reply.nextString());
                  tasks.addAll(refs(jobId, reply.nextBytes()));
                }
                if (!tasks.isEmpty()) {
                  claimed.put(lease, tasks);
                }
              }
              return claimed;
            });
  }

  /**
   * What became of failed attempts; the others were not of this lease.
   *
   * @param waiting for their next attempt, by job
   * @param exhausted have no attempt left and stay in the lease
   */
  public record Retried(Map<String, List<Tasks.Task>> waiting, Set<TaskRef> exhausted) {}

  public CompletionStage<Retried> retry(LeaseRef lease, Collection<TaskRef> tasks) {
    Arguments arguments = announcing(lease.bucket()).add(Keys.name(lease));
    addAttempts(arguments);
    List<String> jobs = addByJob(arguments, tasks);
    return run(Script.RETRY, lease.bucket(), arguments)
        .thenApply(
            reply -> {
              Retried retried = new Retried(new HashMap<>(), new HashSet<>());
              for (String jobId : jobs) {
                retried.waiting().put(jobId, Tasks.parse(reply.nextBytes()));
                retried.exhausted().addAll(refs(jobId, reply.nextBytes()));
              }
              return retried;
            });
  }

  /** Forgets prompts of a lease that wait for another attempt although they have their outcome. */
  CompletionStage<Void> dropRetries(Bucket bucket, String jobId, List<Tasks.Task> tasks) {
    Arguments arguments = new Arguments().add(Names.escape(jobId)).add(Tasks.pack(tasks));
    return run(Script.DROP_RETRIES, bucket, arguments).thenApply(reply -> null);
  }

  /**
   * @return the prompts that were taken back
   */
  public CompletionStage<List<TaskRef>> release(LeaseRef lease, Collection<TaskRef> tasks) {
    Arguments arguments = announcing(lease.bucket()).add(Keys.name(lease)).add(settings.ageing());
    List<String> jobs = addByJob(arguments, tasks);
    return run(Script.RELEASE, lease.bucket(), arguments)
        .thenApply(
            reply -> {
              List<TaskRef> released = new ArrayList<>();
              jobs.forEach(jobId -> released.addAll(refs(jobId, reply.nextBytes())));
              return released;
            });
  }

  /** What a lease held of one job until it was taken back. */
  public record Reclaimed(LeaseRef lease, String jobId, List<Long> offsets) {}

  /** Ends the leases that these requests made, if they made any; it was not an attempt. */
  public CompletionStage<List<Reclaimed>> reclaim(Bucket bucket, Collection<Secret> requests) {
    Arguments arguments = announcing(bucket).add(settings.ageing());
    requests.forEach(request -> arguments.add(request.text()));
    return run(Script.RECLAIM, bucket, arguments)
        .thenApply(
            reply -> {
              List<Reclaimed> reclaimed = new ArrayList<>();
              while (reply.hasNext()) {
                reclaimed.add(
                    new Reclaimed(
                        Keys.leaseOf(bucket, reply.nextString()),
                        Names.unescape(reply.nextString()),
                        Tasks.offsets(Tasks.parse(reply.nextBytes()))));
              }
              return reclaimed;
            });
  }

  /**
   * What expired.
   *
   * @param nextExpiryMillis until the next lease expires, -1 if there is none
   * @param waiting whether prompts wait that could be leased
   */
  public record Expired(long nextExpiryMillis, boolean waiting, List<ExpiredLease> leases) {}

  /**
   * What a lease held of one job.
   *
   * @param waiting for their next attempt
   * @param exhausted have no attempt left and stay in the lease
   */
  record ExpiredLease(
      LeaseRef lease, String jobId, List<Tasks.Task> waiting, List<Tasks.Task> exhausted) {}

  /** Ends the leases whose time is over. */
  public CompletionStage<Expired> expireOverdue(Bucket bucket) {
    return expire(bucket, "");
  }

  CompletionStage<Expired> expire(LeaseRef lease) {
    return expire(lease.bucket(), Keys.name(lease));
  }

  private CompletionStage<Expired> expire(Bucket bucket, String lease) {
    Arguments arguments = announcing(bucket).add(lease);
    addAttempts(arguments);
    arguments.add(EXPIRE_LEASES).add(settings.leaseDuration());
    return run(Script.EXPIRE, bucket, arguments)
        .thenApply(
            reply -> {
              long nextExpiry = reply.nextLong();
              boolean waiting = reply.nextFlag();
              List<ExpiredLease> leases = new ArrayList<>();
              while (reply.hasNext()) {
                leases.add(
                    new ExpiredLease(
                        Keys.leaseOf(bucket, reply.nextString()),
                        Names.unescape(reply.nextString()),
                        Tasks.parse(reply.nextBytes()),
                        Tasks.parse(reply.nextBytes())));
              }
              return new Expired(nextExpiry, waiting, leases);
            });
  }

  /** Lets a job compete as it does now; what is older than what the bucket knows is ignored. */
  public CompletionStage<Void> reschedule(
      Bucket bucket, String jobId, JobScripts.Standing standing) {
    Arguments arguments =
        announcing(bucket)
            .add(Names.escape(jobId))
            .add(standing.revision())
            .add(standing.priority())
            .add(standing.paused() ? 1 : 0)
            .add(settings.ageing());
    return run(Script.RESCHEDULE, bucket, arguments).thenApply(reply -> null);
  }

  /**
   * Forgets some of what waits of a job.
   *
   * @return whether there is more
   */
  CompletionStage<Boolean> forget(Bucket bucket, String jobId) {
    Arguments arguments = new Arguments().add(Names.escape(jobId)).add(DROP_RUNS);
    return run(Script.FORGET, bucket, arguments).thenApply(Reply::nextFlag);
  }

  /**
   * What a bucket knows of a job.
   *
   * @param mark offset of the job's last prompt that it was told of, or -1
   * @param revision of the job that it serves it by, or -1
   * @param leases for each lease that was asked for, whether there is such a one
   */
  public record Checked(long mark, long revision, Map<LeaseRef, Boolean> leases) {}

  public CompletionStage<Checked> check(Bucket bucket, String jobId, List<LeaseRef> leases) {
    Arguments arguments = new Arguments().add(Names.escape(jobId));
    leases.forEach(lease -> arguments.add(Keys.name(lease)));
    return run(Script.CHECK, bucket, arguments)
        .thenApply(
            reply -> {
              long mark = reply.nextLong();
              long revision = reply.nextLong();
              Map<LeaseRef, Boolean> exist = new HashMap<>();
              leases.forEach(lease -> exist.put(lease, reply.nextFlag()));
              return new Checked(mark, revision, exist);
            });
  }

  /**
   * What a bucket competes by, and how its notifications stand.
   *
   * @param wake number of the last notification
   * @param nextRetryMillis until a retry is due, -1 if none waits
   * @param prompts that wait for their first attempt
   * @param inUse whether prompts wait, or workers hold some
   */
  public record Standing(
      BucketRank rank, long wake, long nextRetryMillis, long prompts, boolean inUse) {}

  /**
   * Looks at what waits by its counts alone.
   *
   * @param countsKept whether all coordinators keep these counts
   */
  public CompletionStage<Standing> rank(Bucket bucket, boolean countsKept) {
    return run(Script.RANK, bucket, new Arguments().add(countsKept ? 1 : 0))
        .thenApply(
            reply -> {
              long wake = reply.nextLong();
              long nextRetry = reply.nextLong();
              long prompts = reply.nextLong();
              boolean inUse = prompts + reply.nextLong() + reply.nextLong() > 0;
              int priority = reply.nextInt();
              Map<String, Double> weights = new HashMap<>();
              while (reply.hasNext()) {
                weights.put(
                    Names.unescape(reply.nextString()), Double.parseDouble(reply.nextString()));
              }
              return new Standing(
                  new BucketRank(bucket, priority, weights), wake, nextRetry, prompts, inUse);
            });
  }

  /**
   * Counts anew by what a bucket competes.
   *
   * @return whether a count was wrong
   */
  public CompletionStage<Boolean> recount(Bucket bucket) {
    return run(Script.RECOUNT, bucket, new Arguments()).thenApply(Reply::nextFlag);
  }

  /**
   * Drops a bucket if nothing is in it and nothing was leased from it for so long.
   *
   * @return whether it is gone, or never was
   */
  CompletionStage<Boolean> vanish(Bucket bucket, Duration unused) {
    return run(Script.VANISH, bucket, new Arguments().add(unused)).thenApply(Reply::nextFlag);
  }

  /** What waits, and what workers hold; looks into every lease. */
  CompletionStage<BucketBacklog> backlog(Bucket bucket) {
    return run(Script.BACKLOG, bucket, new Arguments())
        .thenApply(
            reply ->
                new BucketBacklog(
                    bucket,
                    reply.nextLong(),
                    reply.nextLong(),
                    reply.nextLong(),
                    reply.nextLong(),
                    reply.nextLong(),
                    Duration.ofMillis(reply.nextLong())));
  }

  /** Who stands in line. */
  CompletionStage<BucketLine> line(Bucket bucket) {
    return run(Script.LINE, bucket, new Arguments())
        .thenApply(
            reply -> {
              boolean drawn = reply.nextFlag();
              List<BucketLine.Place> places = new ArrayList<>();
              while (reply.hasNext()) {
                places.add(
                    new BucketLine.Place(
                        JobPart.parse(Names.unescape(reply.nextString())).jobId(),
                        Names.unescape(reply.nextString()),
                        reply.nextInt(),
                        Double.parseDouble(reply.nextString()),
                        reply.nextLong(),
                        reply.nextLong(),
                        Double.parseDouble(reply.nextString())));
              }
              return new BucketLine(bucket, drawn, places);
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

  /**
   * Adds prompts as the scripts take them, job by job.
   *
   * @return the jobs, in their order
   */
  private static List<String> addByJob(Arguments arguments, Collection<TaskRef> tasks) {
    Map<String, List<Long>> offsets =
        tasks.stream()
            .collect(
                Collectors.groupingBy(
                    TaskRef::jobId,
                    LinkedHashMap::new,
                    Collectors.mapping(TaskRef::offset, Collectors.toList())));
    offsets.forEach(
        (jobId, ofJob) -> arguments.add(Names.escape(jobId)).add(Tasks.packOffsets(ofJob)));
    return List.copyOf(offsets.keySet());
  }

  private static List<TaskRef> refs(String jobId, ByteString tasks) {
    return Tasks.parse(tasks).stream().map(task -> new TaskRef(jobId, task.offset())).toList();
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
