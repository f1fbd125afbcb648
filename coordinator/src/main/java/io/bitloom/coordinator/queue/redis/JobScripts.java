package io.bitloom.coordinator.queue.redis;

import com.google.protobuf.ByteString;
import io.bitloom.coordinator.queue.Bucket;
import io.bitloom.coordinator.queue.JobRecord;
import io.bitloom.coordinator.queue.JobUse;
import io.bitloom.coordinator.queue.LeaseRef;
import io.bitloom.coordinator.queue.NewJob;
import io.bitloom.coordinator.queue.ResultRecord;
import io.bitloom.coordinator.queue.StoredBytes;
import io.bitloom.coordinator.redis.RedisConnection;
import io.bitloom.v1.JobState;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.stream.IntStream;

/** Calls the scripts of one job: their arguments and replies as types. */
public final class JobScripts {

  private final RedisConnection redis;
  private final Keys keys;
  private final ResultPages pages;

  public JobScripts(RedisConnection redis, Keys keys) {
    this.redis = redis;
    this.keys = keys;
    this.pages = new ResultPages(redis, keys);
  }

  /** What {@code create.lua} found. */
  enum Created {
    CREATED,
    EXISTS,
    DIFFERS
  }

  /**
   * @param deadline in ms; empty if it has none
   * @param parts that the job is to have; data version 1 knows none but the first
   */
  CompletionStage<Created> create(String jobId, NewJob job, String deadline, int parts) {
    return create(
        jobId,
        new Arguments()
            .add(job.tenant())
            .add(Double.toString(job.weight()))
            .add(job.priority())
            .add(job.spec())
            .add(deadline)
            .add(StoredBytes.ofJob(job.spec()))
            .add(job.fleeting() ? 1 : 0),
        parts,
        job.webhook());
  }

  CompletionStage<Created> create(String jobId, Arguments arguments, int parts, boolean webhook) {
    arguments
        .add(keys.version() == 1 ? 0 : ResultPages.OUTCOMES)
        .add(DataHeader.FOR_OLDER)
        .add(keys.version() == 1 ? 1 : parts)
        .add(webhook ? 1 : 0);
    return run(Script.CREATE, jobId, arguments)
        .thenApply(
            reply ->
                switch (reply.nextString()) {
                  case "created" -> Created.CREATED;
                  case "exists" -> Created.EXISTS;
                  default -> Created.DIFFERS;
                });
  }

  CompletionStage<Optional<JobRecord>> view(String jobId) {
    return fields(jobId)
        .thenApply(
            parts ->
                parts.isEmpty()
                    ? Optional.empty()
                    : Optional.of(
                        parts.size() == 1
                            ? parts.get(0).toRecord(jobId)
                            : parts.get(0).with(parts.subList(1, parts.size())).toRecord(jobId)));
  }

  /** What is kept of a job as a whole, and of its other parts; empty if there is no such job. */
  CompletionStage<List<JobFields>> fields(String jobId) {
    return partFields(jobId)
        .thenCompose(
            first -> {
              if (first.fields().isEmpty()) {
                return CompletableFuture.completedStage(List.of());
              }
              List<CompletionStage<JobFields>> all = new ArrayList<>();
              all.add(CompletableFuture.completedStage(first));
              first.parts().others(jobId).forEach(partId -> all.add(partFields(partId)));
              return Stages.all(all);
            });
  }

  private CompletionStage<JobFields> partFields(String partId) {
    return redis.call(r -> r.hgetall(keys.jobHash(partId))).thenApply(JobFields::new);
  }

  CompletionStage<Optional<JobState>> stateOf(String jobId) {
    return redis
        .call(r -> r.hget(keys.jobHash(jobId), "state"))
        .thenApply(state -> Optional.ofNullable(state).map(JobFields::state));
  }

  /** What {@code append.lua} did. */
  public sealed interface Appended {}

  /**
   * @param bytes that the job takes now
   * @param before for each part, the offset of the bucket's last prompt before, or -1
   */
  public record Taken(Terms terms, long bytes, List<Long> before) implements Appended {}

  /**
   * @param bytes that the job takes
   */
  public record Full(long bytes) implements Appended {}

  public record At(long count) implements Appended {}

  /**
   * @param number that the job has
   */
  public record OtherParts(int number) implements Appended, PartScripts.Opened {}

  public record NotAccepting(Optional<JobState> state) implements Appended, PartScripts.Opened {}

  /** The terms on which a job competes in its buckets. The weight is as it was written. */
  public record Terms(String tenant, String weight, Standing standing) {}

  /**
   * What of that can change.
   *
   * @param revision counts up with every change
   */
  public record Standing(long revision, int priority, boolean paused) {}

  /**
   * @param parts number of the job's parts, 0: this is not its first
   */
  public CompletionStage<Appended> append(
      String jobId, long offset, int count, PromptGroups groups, long mostBytes, int parts) {
    Arguments arguments = new Arguments().add(keys.jobChannel(jobId)).add(offset).add(count);
    groups.addTo(arguments, mostBytes, parts);
    return run(Script.APPEND, jobId, arguments)
        .thenApply(
            reply ->
                switch (reply.nextString()) {
                  case "appended" -> {
                    Terms terms = terms(reply);
                    long bytes = reply.nextLong();
                    List<Long> before = new ArrayList<>();
                    while (reply.hasNext()) {
                      before.add(reply.nextLong());
                    }
                    yield new Taken(terms, bytes, before);
                  }
                  case "at" -> new At(reply.nextLong());
                  case "full" -> new Full(reply.nextLong());
                  case "parts" -> new OtherParts(reply.nextInt());
                  default -> new NotAccepting(state(reply.nextString()));
                });
  }

  /** What {@code seal.lua} did. */
  sealed interface Sealed {}

  record Done(boolean terminal) implements Sealed {}

  record OtherCount(long count) implements Sealed {}

  record NotSealable(Optional<JobState> state) implements Sealed {}

  /** Lets nothing more be appended to a part of a job, however much it has. */
  public CompletionStage<Void> sealed(String partId) {
    return seal(partId, "").thenApply(answer -> null);
  }

  CompletionStage<Sealed> seal(String jobId, String expected) {
    return run(Script.SEAL, jobId, new Arguments().add(keys.jobChannel(jobId)).add(expected))
        .thenApply(
            reply ->
                switch (reply.nextString()) {
                  case "sealed" -> new Done(reply.nextFlag());
                  case "count" -> new OtherCount(reply.nextLong());
                  default -> new NotSealable(state(reply.nextString()));
                });
  }

  /** What {@code adjust.lua} did. */
  public sealed interface Adjusted {}

  public record Stands(Standing standing) implements Adjusted {}

  public record NotOpen(Optional<JobState> state) implements Adjusted {}

  /** Pauses a job; {@link #resume} undoes it. */
  public CompletionStage<Adjusted> pause(String jobId) {
    return adjust(jobId, "pause", "");
  }

  public CompletionStage<Adjusted> resume(String jobId) {
    return adjust(jobId, "resume", "");
  }

  CompletionStage<Adjusted> prioritize(String jobId, int priority) {
    return adjust(jobId, "priority", Integer.toString(priority));
  }

  private CompletionStage<Adjusted> adjust(String jobId, String change, String priority) {
    Arguments arguments = new Arguments().add(keys.jobChannel(jobId)).add(change).add(priority);
    return run(Script.ADJUST, jobId, arguments).thenApply(JobScripts::adjusted);
  }

  static Adjusted adjusted(Reply reply) {
    return reply.nextString().equals("adjusted")
        ? new Stands(new Standing(reply.nextLong(), reply.nextInt(), reply.nextFlag()))
        : new NotOpen(state(reply.nextString()));
  }

  /** Whose job it is, and what it takes. */
  record Owned(String tenant, JobUse use) {}

  /** Keeps what a job says about itself now; nothing if there is no such job. */
  CompletionStage<Optional<Owned>> describe(String jobId, Map<String, ByteString> changes) {
    Arguments arguments = new Arguments().add(keys.jobChannel(jobId));
    changes.forEach((part, now) -> arguments.add(part).add(now));
    return run(Script.DESCRIBE, jobId, arguments)
        .thenApply(
            reply ->
                reply.nextFlag()
                    ? Optional.of(
                        new Owned(reply.nextString(), new JobUse(0, 0, reply.nextLong(), 0)))
                    : Optional.empty());
  }

  /**
   * @return whether the job is terminal now
   */
  CompletionStage<Boolean> lose(String jobId, LeaseRef lease, List<Tasks.Task> tasks) {
    Arguments arguments =
        new Arguments().add(keys.jobChannel(jobId)).add(Keys.holder(lease)).add(Tasks.pack(tasks));
    return run(Script.LOSE, jobId, arguments).thenApply(Reply::nextFlag);
  }

  /** Why prompts are no longer with a lease. */
  public enum Requeued {
    /** It was an attempt. */
    ATTEMPT,
    /** Nothing was begun, or nobody knows. */
    BACK
  }

  /**
   * What a job said to prompts that were taken back.
   *
   * @param decided offsets of those that have their outcome
   */
  record Back(boolean terminal, List<Long> decided) {}

  CompletionStage<Back> requeue(String jobId, LeaseRef lease, Requeued why, List<Long> offsets) {
    Arguments arguments =
        new Arguments()
            .add(keys.jobChannel(jobId))
            .add(Keys.holder(lease))
            .add(why.name().toLowerCase(Locale.ROOT))
            .add(Tasks.packOffsets(offsets));
    return run(Script.REQUEUE, jobId, arguments)
        .thenApply(reply -> new Back(reply.nextFlag(), Tasks.parseOffsets(reply.nextBytes())));
  }

  /**
   * How far cancelling a job came.
   *
   * @param state if it was terminal before or has time, or empty if there is no such job
   * @param next where to go on; empty: it is through
   */
  public record Cancelled(boolean cancelling, Optional<JobState> state, String next) {}

  /**
   * @param status that waiting prompts get: CANCELLED, or EXPIRED if the job's window has passed
   */
  public CompletionStage<Cancelled> cancel(
      String jobId, String from, int appends, ResultRecord.Status status) {
    Arguments arguments =
        new Arguments()
            .add(keys.jobChannel(jobId))
            .add(from)
            .add(appends)
            .add(Character.toString(ResultEntries.letter(status)));
    return run(Script.CANCEL, jobId, arguments)
        .thenApply(
            reply ->
                reply.nextString().equals("cancelling")
                    ? new Cancelled(true, Optional.empty(), reply.nextString())
                    : new Cancelled(false, state(reply.nextString()), ""));
  }

  /** Tells all coordinators that a job is being stopped; who misses it lets its batches finish. */
  CompletionStage<Void> announceStop(String jobId) {
    byte[] message = new WakeMessage.Stop(jobId).toBytes();
    return redis.call(r -> r.publish(keys.wakeChannel(), message)).thenApply(heard -> null);
  }

  /**
   * Prompts that a bucket may not know.
   *
   * @param next where to go on; empty: these are all
   */
  public record Undelivered(Optional<Long> next, Terms terms, ByteString entries) {}

  public CompletionStage<Undelivered> undelivered(
      String jobId, Bucket bucket, long after, int appends) {
    Arguments arguments = new Arguments().add(Keys.id(bucket)).add(after).add(appends);
    return run(Script.UNDELIVERED, jobId, arguments)
        .thenApply(
            reply -> {
              String next = reply.nextString();
              return new Undelivered(
                  next.isEmpty() ? Optional.empty() : Optional.of(Long.parseLong(next)),
                  terms(reply),
                  reply.nextBytes());
            });
  }

  /**
   * What a crash may have left half-done.
   *
   * @param state empty if there is no such job
   * @param tenant null if there is no such job
   * @param standing if there is such a job
   * @param lastOffsets of every bucket that the job has prompts in
   * @param running offsets by the lease that is said to hold them
   * @param use what it takes
   * @param fleeting whether nobody keeps it after its end
   * @param parts how many parts the job has, and how many of these there are
   * @param sealed whether no more prompts come
   * @param lasted from its creation to its end, if it has ended
   */
  public record LooseEnds(
      Optional<JobState> state,
      String tenant,
      Standing standing,
      Map<Bucket, Long> lastOffsets,
      Map<LeaseRef, List<Long>> running,
      JobUse use,
      boolean fleeting,
      Parts parts,
      boolean sealed,
      Optional<Duration> lasted) {}

  /**
   * Over how many parts a job is spread.
   *
   * @param opened how many of them there are
   */
  public record Parts(int number, int opened) {

    public static final Parts ONE = new Parts(1, 1);

    /** All besides the first, whether or not they are there. */
    List<String> all(String jobId) {
      return new Parts(number, number).others(jobId);
    }

    /** The ids of those besides the first. */
    public List<String> others(String jobId) {
      return IntStream.range(1, opened).mapToObj(n -> new JobPart(jobId, n, number).id()).toList();
    }
  }

  public CompletionStage<LooseEnds> looseEnds(String jobId) {
    return run(Script.LOOSE_ENDS, jobId, new Arguments())
        .thenApply(
            reply -> {
              Optional<JobState> state = state(reply.nextString());
              String tenant = reply.nextString();
              Standing standing = standing(state, reply.nextString(), reply.nextString());
              Map<Bucket, Long> lastOffsets = new HashMap<>();
              for (Reply buckets = reply.nextReply(); buckets.hasNext(); ) {
                lastOffsets.put(Keys.bucketOf(buckets.nextString()), buckets.nextLong());
              }
              Map<LeaseRef, List<Long>> running = new HashMap<>();
              for (Reply held = reply.nextReply(); held.hasNext(); ) {
                LeaseRef lease = Keys.leaseOf(held.nextString());
                running.put(lease, Tasks.offsets(Tasks.parse(held.nextBytes())));
              }
              JobUse use =
                  new JobUse(
                      reply.nextLong(), reply.nextLong(), reply.nextLong(), reply.nextLong());
              return new LooseEnds(
                  state,
                  tenant,
                  standing,
                  lastOffsets,
                  running,
                  use,
                  reply.nextFlag(),
                  new Parts(reply.nextInt(), reply.nextInt()),
                  reply.nextFlag(),
                  Optional.of(reply.nextLong()).filter(ms -> ms >= 0).map(Duration::ofMillis));
            });
  }

  private CompletionStage<Reply> run(Script script, String jobId, Arguments arguments) {
    return redis.eval(script.lua(), keys.job(jobId), arguments.toArray()).thenApply(Reply::new);
  }

  static Terms terms(Reply reply) {
    String tenant = reply.nextString();
    String weight = reply.nextString();
    int priority = reply.nextInt();
    return new Terms(tenant, weight, new Standing(reply.nextLong(), priority, reply.nextFlag()));
  }

  private static Standing standing(Optional<JobState> state, String revision, String priority) {
    return state.isEmpty()
        ? new Standing(0, 0, false)
        : new Standing(
            Long.parseLong(revision),
            Integer.parseInt(priority),
            state.get() == JobState.JOB_STATE_PAUSED);
  }

  /** Removes all that is kept of a job, at last what tells of the rest. May be repeated. */
  CompletionStage<Void> delete(String jobId) {
    return pages
        .delete(jobId)
        .thenCompose(done -> redis.call(r -> r.unlink(keys.job(jobId))))
        .thenApply(removed -> null);
  }

  static Optional<JobState> state(String name) {
    return Optional.ofNullable(name).map(known -> JobState.valueOf("JOB_STATE_" + known));
  }
}
