package io.bitloom.coordinator.queue.redis;

import io.bitloom.coordinator.queue.Milestone;
import io.bitloom.coordinator.queue.Subscription;
import io.bitloom.coordinator.queue.WebhookQueue;
import io.bitloom.coordinator.redis.RedisConnection;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Jobs of which somebody is to be told: a list of when to look at them. What was told is in the
 * jobs themselves, which say for every event whether it was news, so that whatever is done twice,
 * or left half-done by a crash, does no harm.
 */
public final class RedisWebhooks implements WebhookQueue {

  private static final Logger LOG = LoggerFactory.getLogger(RedisWebhooks.class);

  /**
   * After which time a job is looked at although nobody said that more has become of it: whoever
   * knew may have died, or be of an earlier version.
   */
  static final Duration LOOKED_AFTER = Duration.ofMinutes(1);

  /** Further time for each job that is there, so that looking is bounded to 50 jobs a second. */
  private static final Duration FOR_EACH = Duration.ofMillis(20);

  private final RedisConnection redis;
  private final Keys keys;
  private final List<Runnable> listeners = new CopyOnWriteArrayList<>();

  public RedisWebhooks(RedisConnection redis, Keys keys) {
    this.redis = redis;
    this.keys = keys;
  }

  @Override
  public CompletionStage<Due> claim(int most, Duration lasts) {
    return index(
            Script.HOOK_CLAIM,
            new String[] {keys.hooks(), keys.hookClaims(), keys.jobs()},
            new Arguments().add(lasts).add(most))
        .thenApply(
            reply -> {
              Instant now = Instant.ofEpochMilli(reply.nextLong());
              long next = reply.nextLong();
              List<Claim> claims = new ArrayList<>();
              while (reply.hasNext()) {
                claims.add(new Claim(reply.nextString(), reply.nextString(), reply.nextFlag()));
              }
              return new Due(
                  now, Optional.of(next).filter(ms -> ms >= 0).map(Duration::ofMillis), claims);
            });
  }

  @Override
  public CompletionStage<Void> release(Claim claim, Duration after) {
    return release(claim, Long.toString(after.toMillis()), Duration.ZERO);
  }

  @Override
  public CompletionStage<Void> rest(Claim claim) {
    return release(claim, Long.toString(LOOKED_AFTER.toMillis()), FOR_EACH);
  }

  @Override
  public CompletionStage<Void> drop(Claim claim) {
    return release(claim, "", Duration.ZERO);
  }

  private CompletionStage<Void> release(Claim claim, String after, Duration forEach) {
    return index(
            Script.HOOK_RELEASE,
            new String[] {keys.hooks(), keys.hookClaims()},
            new Arguments().add(claim.jobId()).add(claim.token()).add(after).add(forEach))
        .thenAccept(
            reply -> {
              if (reply.nextFlag()) {
                mayBeDue();
              }
            });
  }

  @Override
  public CompletionStage<Boolean> told(String jobId, Milestone milestone) {
    return job(
            Script.HOOK_TOLD,
            jobId,
            new Arguments().add(keys.jobChannel(jobId)).add(Milestone.letters(List.of(milestone))))
        .thenApply(Reply::nextFlag);
  }

  @Override
  public CompletionStage<Boolean> failed(String jobId, Milestone milestone, Failure failure) {
    return job(
            Script.HOOK_FAILED,
            jobId,
            new Arguments()
                .add(keys.jobChannel(jobId))
                .add(Milestone.letters(List.of(milestone)))
                .add(failure.before())
                .add(failure.tries())
                .add(failure.again().map(after -> Long.toString(after.toMillis())).orElse(""))
                .add(failure.why())
                .add(Milestone.letters(failure.givenUp()))
                .add(failure.unwanted() ? 1 : 0))
        .thenApply(Reply::nextFlag);
  }

  @Override
  public Subscription onDue(Runnable listener) {
    listeners.add(listener);
    return () -> listeners.remove(listener);
  }

  /** Jobs may be due: has the listeners look. */
  public void mayBeDue() {
    listeners.forEach(Runnable::run);
  }

  /**
   * More has become of a job that is here, or of a part of it; nothing if it is not here. Who
   * misses it finds it when the job is looked at anyway.
   */
  public void passed(String partId) {
    String jobId = JobPart.parse(partId).jobId();
    wake(jobId, Duration.ZERO, false)
        .whenComplete(
            (there, e) -> {
              if (e != null) {
                LOG.debug("what became of job {} is told later: {}", jobId, e.toString());
              } else if (there) {
                mayBeDue();
              }
            });
  }

  /** Somebody will have to be told of a job, which may have been so before. */
  CompletionStage<Void> expect(String jobId) {
    return wake(jobId, LOOKED_AFTER, true).thenApply(there -> null);
  }

  /** Has somebody told of a job as if no attempt had failed; nothing if there is no such job. */
  CompletionStage<Void> again(String jobId) {
    return job(Script.HOOK_AGAIN, jobId, new Arguments().add(keys.jobChannel(jobId)))
        .thenCompose(done -> wake(jobId, Duration.ZERO, true))
        .thenAccept(there -> mayBeDue());
  }

  private CompletionStage<Boolean> wake(String jobId, Duration after, boolean add) {
    return index(
            Script.HOOK_WAKE,
            new String[] {keys.hooks(), keys.hookClaims()},
            new Arguments().add(jobId).add(after).add(add ? 1 : 0))
        .thenApply(Reply::nextFlag);
  }

  private CompletionStage<Reply> index(Script script, String[] lists, Arguments arguments) {
    return redis.eval(script.lua(), lists, arguments.toArray()).thenApply(Reply::new);
  }

  private CompletionStage<Reply> job(Script script, String jobId, Arguments arguments) {
    return redis.eval(script.lua(), keys.job(jobId), arguments.toArray()).thenApply(Reply::new);
  }
}
