package io.bitloom.coordinator.queue;

import com.google.protobuf.ByteString;
import io.bitloom.coordinator.redis.RedisConnection;
import io.bitloom.v1.JobState;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

/** Calls the scripts of one job: their arguments and replies as types. */
final class JobScripts {

  private final RedisConnection redis;
  private final Keys keys;

  JobScripts(RedisConnection redis, Keys keys) {
    this.redis = redis;
    this.keys = keys;
  }

  /** What {@code create.lua} found. */
  enum Created {
    CREATED,
    EXISTS,
    DIFFERS
  }

  CompletionStage<Created> create(String jobId, NewJob job) {
    Arguments arguments =
        new Arguments()
            .add(job.tenant())
            .add(Double.toString(job.weight()))
            .add(job.priority())
            .add(job.spec());
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
    return run(Script.VIEW, jobId, new Arguments()).thenApply(reply -> jobRecord(jobId, reply));
  }

  /** What {@code append.lua} did. */
  sealed interface Appended {}

  /**
   * @param before for each part, the offset of the bucket's last prompt before, or -1
   */
  record Taken(Share share, List<Long> before) implements Appended {}

  record At(long count) implements Appended {}

  record NotAccepting(Optional<JobState> state) implements Appended {}

  /** How a job competes in its buckets. The weight is as it was written. */
  record Share(String tenant, String weight, String priority) {}

  CompletionStage<Appended> append(String jobId, long offset, int count, PromptGroups groups) {
    Arguments arguments = new Arguments().add(keys.jobChannel(jobId)).add(offset).add(count);
    groups.addTo(arguments);
    return run(Script.APPEND, jobId, arguments)
        .thenApply(
            reply ->
                switch (reply.nextString()) {
                  case "appended" -> {
                    Share share = share(reply);
                    List<Long> before = new ArrayList<>();
                    while (reply.hasNext()) {
                      before.add(reply.nextLong());
                    }
                    yield new Taken(share, before);
                  }
                  case "at" -> new At(reply.nextLong());
                  default -> new NotAccepting(state(reply.nextString()));
                });
  }

  /** What {@code seal.lua} did. */
  sealed interface Sealed {}

  record Done(boolean terminal) implements Sealed {}

  record OtherCount(long count) implements Sealed {}

  record NotSealable(Optional<JobState> state) implements Sealed {}

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

  /** A prompt as a lease of its bucket holds it. */
  record HeldTask(long offset, int attempt, long group, int images) {}

  /**
   * Which prompts a job gave to a lease.
   *
   * @param payloads of those given, by offset
   */
  record Started(boolean terminal, Map<Long, ByteString> payloads) {}

  CompletionStage<Started> start(String jobId, LeaseRef lease, List<HeldTask> tasks) {
    Arguments arguments =
        new Arguments().add(keys.jobChannel(jobId)).add(lease.token()).add(Keys.id(lease.bucket()));
    for (HeldTask task : tasks) {
      arguments.add(task.offset()).add(task.attempt()).add(task.group());
    }
    return run(Script.START, jobId, arguments)
        .thenApply(
            reply -> {
              boolean terminal = reply.nextFlag();
              Reply given = reply.nextReply();
              Map<Long, ByteString> grouped = payloads(reply);
              Map<Long, ByteString> payloads = new HashMap<>();
              for (HeldTask task : tasks) {
                if (given.nextFlag()) {
                  payloads.put(task.offset(), grouped.get(task.offset()));
                }
              }
              return new Started(terminal, payloads);
            });
  }

  /** An outcome as {@code commit.lua} takes it. */
  record Outcome(long offset, ResultRecord.Status status, ByteString body) {}

  /** What a prompt's job said to an outcome. */
  enum Verdict {
    NOT_HELD,
    TAKEN,
    HAD_ONE
  }

  /** In the order of the outcomes. */
  record Committed(boolean terminal, List<Verdict> verdicts) {}

  CompletionStage<Committed> commit(String jobId, long token, List<Outcome> outcomes) {
    Arguments arguments = new Arguments().add(keys.jobChannel(jobId)).add(token);
    for (Outcome outcome : outcomes) {
      arguments
          .add(outcome.offset())
          .add(outcome.status().name().substring(0, 1))
          .add(outcome.body());
    }
    return run(Script.COMMIT, jobId, arguments)
        .thenApply(
            reply -> {
              boolean terminal = reply.nextFlag();
              List<Verdict> verdicts = new ArrayList<>();
              while (reply.hasNext()) {
                verdicts.add(Verdict.values()[reply.nextInt()]);
              }
              return new Committed(terminal, verdicts);
            });
  }

  /**
   * @return whether the job is terminal now
   */
  CompletionStage<Boolean> requeue(
      String jobId, long token, boolean attempted, Iterable<Long> offsets) {
    Arguments arguments =
        new Arguments().add(keys.jobChannel(jobId)).add(token).add(attempted ? 1 : 0);
    offsets.forEach(arguments::add);
    return run(Script.REQUEUE, jobId, arguments).thenApply(Reply::nextFlag);
  }

  /**
   * How far cancelling a job came.
   *
   * @param state if it was terminal before, or empty if there is no such job
   * @param next where to go on; empty: it is through
   */
  record Cancelled(boolean cancelling, Optional<JobState> state, String next) {}

  CompletionStage<Cancelled> cancel(String jobId, String from, int groups) {
    Arguments arguments = new Arguments().add(keys.jobChannel(jobId)).add(from).add(groups);
    return run(Script.CANCEL, jobId, arguments)
        .thenApply(
            reply ->
                reply.nextString().equals("cancelling")
                    ? new Cancelled(true, Optional.empty(), reply.nextString())
                    : new Cancelled(false, state(reply.nextString()), ""));
  }

  /** Empty if there is no such job. */
  CompletionStage<Optional<List<ResultRecord>>> results(String jobId, long after, int count) {
    return run(Script.RESULTS, jobId, new Arguments().add(after).add(count))
        .thenApply(
            reply ->
                state(reply.nextString())
                    .map(
                        state -> {
                          Reply entries = reply.nextReply();
                          return results(after, count, entries, payloads(reply));
                        }));
  }

  private static List<ResultRecord> results(
      long after, int count, Reply entries, Map<Long, ByteString> payloads) {
    List<ResultRecord> results = new ArrayList<>();
    while (entries.hasNext()) {
      Reply entry = entries.nextReply();
      String[] id = entry.nextString().split("-");
      long cursor = Long.parseLong(id[0]);
      Instant time = Instant.ofEpochMilli(Long.parseLong(id[1]));
      Reply fields = entry.nextReply();
      for (; fields.hasNext(); cursor++) {
        String[] field = fields.nextString().split(":");
        ByteString body = fields.nextBytes();
        if (cursor > after && results.size() < count) {
          long offset = Long.parseLong(field[0]);
          results.add(
              new ResultRecord(
                  cursor,
                  offset,
                  status(field[1]),
                  Integer.parseInt(field[2]),
                  payloads.get(offset),
                  body,
                  time));
        }
      }
    }
    return results;
  }

  private static ResultRecord.Status status(String letter) {
    return switch (letter) {
      case "S" -> ResultRecord.Status.SUCCEEDED;
      case "F" -> ResultRecord.Status.FAILED;
      case "L" -> ResultRecord.Status.LOST;
      default -> ResultRecord.Status.CANCELLED;
    };
  }

  /**
   * Prompts that a bucket may not know.
   *
   * @param next where to go on; empty: these are all
   */
  record Undelivered(Optional<Long> next, Share share, List<PromptGroups.Group> groups) {}

  CompletionStage<Undelivered> undelivered(String jobId, Bucket bucket, long after, int groups) {
    Arguments arguments = new Arguments().add(Keys.id(bucket)).add(after).add(groups);
    return run(Script.UNDELIVERED, jobId, arguments)
        .thenApply(
            reply -> {
              String next = reply.nextString();
              Share share = share(reply);
              List<PromptGroups.Group> found = new ArrayList<>();
              while (reply.hasNext()) {
                found.add(
                    new PromptGroups.Group(reply.nextLong(), reply.nextBytes(), ByteString.EMPTY));
              }
              return new Undelivered(
                  next.isEmpty() ? Optional.empty() : Optional.of(Long.parseLong(next)),
                  share,
                  found);
            });
  }

  /**
   * What a crash may have left half-done.
   *
   * @param state empty if there is no such job
   * @param lastOffsets of every bucket that the job has prompts in
   * @param running offsets by the lease that is said to hold them
   */
  record LooseEnds(
      Optional<JobState> state, Map<Bucket, Long> lastOffsets, Map<LeaseRef, List<Long>> running) {}

  CompletionStage<LooseEnds> looseEnds(String jobId) {
    return run(Script.LOOSE_ENDS, jobId, new Arguments())
        .thenApply(
            reply -> {
              Optional<JobState> state = state(reply.nextString());
              Map<Bucket, Long> lastOffsets = new HashMap<>();
              Map<String, Bucket> byIndex = new HashMap<>();
              for (Reply buckets = reply.nextReply(); buckets.hasNext(); ) {
                Bucket bucket = Keys.bucketOf(buckets.nextString());
                String[] indexAndLast = buckets.nextString().split(" ");
                byIndex.put(indexAndLast[0], bucket);
                lastOffsets.put(bucket, Long.parseLong(indexAndLast[1]));
              }
              Map<LeaseRef, List<Long>> running = new HashMap<>();
              for (Reply held = reply.nextReply(); held.hasNext(); ) {
                long offset = held.nextLong();
                String[] holder = held.nextString().split(":");
                LeaseRef lease = new LeaseRef(byIndex.get(holder[3]), Long.parseLong(holder[0]));
                running.computeIfAbsent(lease, l -> new ArrayList<>()).add(offset);
              }
              return new LooseEnds(state, lastOffsets, running);
            });
  }

  private CompletionStage<Reply> run(Script script, String jobId, Arguments arguments) {
    return redis.eval(script.lua(), keys.job(jobId), arguments.toArray()).thenApply(Reply::new);
  }

  private static Share share(Reply reply) {
    return new Share(reply.nextString(), reply.nextString(), reply.nextString());
  }

  /** The rest of a reply that ends in groups: group, entries, payloads, … */
  private static Map<Long, ByteString> payloads(Reply groups) {
    Map<Long, ByteString> payloads = new HashMap<>();
    while (groups.hasNext()) {
      payloads.putAll(
          new PromptGroups.Group(groups.nextLong(), groups.nextBytes(), groups.nextBytes())
              .byOffset());
    }
    return payloads;
  }

  private static Optional<JobState> state(String name) {
    return Optional.ofNullable(name).map(known -> JobState.valueOf("JOB_STATE_" + known));
  }

  private static Optional<JobRecord> jobRecord(String jobId, Reply reply) {
    if (!reply.hasNext()) {
      return Optional.empty();
    }
    long running = reply.nextLong();
    Map<String, ByteString> fields = new HashMap<>();
    while (reply.hasNext()) {
      fields.put(reply.nextString(), reply.nextBytes());
    }
    return Optional.of(new JobFields(fields).toRecord(jobId, running));
  }
}
