package io.bitloom.coordinator.queue.redis;

import com.google.protobuf.ByteString;
import io.bitloom.coordinator.queue.StoredBytes;
import io.bitloom.coordinator.redis.RedisConnection;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletionStage;

/** Calls the scripts by which a job and its other parts stay one: what {@link JobScripts} lacks. */
public final class PartScripts {

  private final RedisConnection redis;
  private final Keys keys;
  private final JobScripts jobs;

  public PartScripts(RedisConnection redis, Keys keys, JobScripts jobs) {
    this.redis = redis;
    this.keys = keys;
    this.jobs = jobs;
  }

  /** How many parts a job has; one if it is not there. */
  CompletionStage<Integer> count(String jobId) {
    return redis
        .call(r -> r.hget(keys.jobHash(jobId), "parts"))
        .thenApply(
            number ->
                number == null ? 1 : Integer.valueOf(new String(number, StandardCharsets.UTF_8)));
  }

  /** How many prompts a part has; 0 if it is not there. */
  CompletionStage<Long> appended(JobPart part) {
    return redis
        .call(r -> r.hget(keys.jobHash(part.id()), "appended"))
        .thenApply(
            number ->
                number == null ? 0 : Long.valueOf(new String(number, StandardCharsets.UTF_8)));
  }

  /** What {@code open.lua} said. */
  sealed interface Opened permits PartTerms, JobScripts.OtherParts, JobScripts.NotAccepting {}

  /**
   * On what terms another part of a job is made.
   *
   * @param deadline in ms; empty if it has none
   * @param webhook whether somebody is to be told what becomes of the job
   */
  record PartTerms(JobScripts.Terms terms, String deadline, boolean fleeting, boolean webhook)
      implements Opened {}

  /**
   * Asks a job on what terms another part is made.
   *
   * @param parts number of the job's parts
   * @param counted how many there are with the one that was made; 0: none was made yet
   */
  CompletionStage<Opened> open(String jobId, int parts, int counted) {
    return run(Script.OPEN, jobId, new Arguments().add(parts).add(counted))
        .thenApply(
            reply ->
                switch (reply.nextString()) {
                  case "open" ->
                      new PartTerms(
                          JobScripts.terms(reply),
                          reply.nextString(),
                          reply.nextFlag(),
                          reply.nextFlag());
                  case "parts" -> new JobScripts.OtherParts(reply.nextInt());
                  default -> new JobScripts.NotAccepting(JobScripts.state(reply.nextString()));
                });
  }

  /** Makes a part of a job. */
  CompletionStage<JobScripts.Created> create(JobPart part, PartTerms terms) {
    return jobs.create(
        part.id(),
        new Arguments()
            .add(terms.terms().tenant())
            .add(terms.terms().weight())
            .add(terms.terms().standing().priority())
            .add("")
            .add(terms.deadline())
            .add(StoredBytes.ofJob(ByteString.EMPTY))
            .add(terms.fleeting() ? 1 : 0),
        1,
        terms.webhook());
  }

  /** Tells a part of a job how the job stands. */
  public CompletionStage<JobScripts.Adjusted> follow(String partId, JobScripts.Standing standing) {
    Arguments arguments =
        new Arguments()
            .add(keys.jobChannel(partId))
            .add(standing.revision())
            .add(standing.priority())
            .add(standing.paused() ? 1 : 0);
    return run(Script.FOLLOW, partId, arguments).thenApply(JobScripts::adjusted);
  }

  /**
   * Ends a job whose other parts have ended, unless its first part has prompts without outcome.
   *
   * @return whether it is terminal now
   */
  CompletionStage<Boolean> conclude(String jobId, long succeeded, long failed) {
    Arguments arguments = new Arguments().add(keys.jobChannel(jobId)).add(succeeded).add(failed);
    return run(Script.CONCLUDE, jobId, arguments).thenApply(Reply::nextFlag);
  }

  private CompletionStage<Reply> run(Script script, String partId, Arguments arguments) {
    return redis.eval(script.lua(), keys.job(partId), arguments.toArray()).thenApply(Reply::new);
  }
}
