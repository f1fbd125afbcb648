package io.bitloom.coordinator.webhooks;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.coordinator.auth.TenantWebhooks;
import io.bitloom.coordinator.queue.JobRecord;
import io.bitloom.coordinator.queue.JobStore;
import io.bitloom.coordinator.queue.Milestone;
import io.bitloom.coordinator.queue.WebhookQueue;
import io.bitloom.coordinator.queue.WebhookState;
import io.bitloom.v1.Job;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Does what is to be done for one job that was taken: the first event that is not told is sent, and
 * how that went is noted; then the job is given back.
 */
final class Telling {

  private static final Logger LOG = LoggerFactory.getLogger(Telling.class);

  /** Attempts at one receiver at a time. */
  private static final int OF_RECEIVER = 8;

  /** Attempts of one tenant at a time: half of all. */
  private static final int OF_TENANT = Webhooks.MOST_AT_ONCE / 2;

  private static final int GONE = 410;

  private final WebhookQueue queue;
  private final JobStore jobs;
  private final Function<JobRecord, Job> messages;
  private final Function<String, TenantWebhooks> tenants;
  private final Lookup lookup;
  private final WebhookSender sender;
  private final RetrySchedule schedule;
  private final Duration timeout;
  private final WebhookMetrics metrics;
  private final Places ofReceivers = new Places(OF_RECEIVER);
  private final Places ofTenants = new Places(OF_TENANT);

  /**
   * @param messages jobs as callers see them
   * @param tenants what is known of a tenant, by its name
   * @param timeout of an attempt, with looking up the host
   */
  Telling(
      WebhookQueue queue,
      JobStore jobs,
      Function<JobRecord, Job> messages,
      Function<String, TenantWebhooks> tenants,
      Lookup lookup,
      WebhookSender sender,
      RetrySchedule schedule,
      Duration timeout,
      WebhookMetrics metrics) {
    this.queue = queue;
    this.jobs = jobs;
    this.messages = messages;
    this.tenants = tenants;
    this.lookup = lookup;
    this.sender = sender;
    this.schedule = schedule;
    this.timeout = timeout;
    this.metrics = metrics;
  }

  /**
   * A job that was taken, and until when an attempt may begin.
   *
   * @param now by the clock of Redis, when it was taken
   */
  record Taken(WebhookQueue.Claim claim, Instant now, long lastNanos) {}

  /**
   * Fails if Redis does; then the claim is over after its time.
   *
   * @return after which time the job is due again; empty: it is not by itself
   */
  CompletionStage<Optional<Duration>> tell(Taken taken) {
    WebhookQueue.Claim claim = taken.claim();
    return jobs.get(claim.jobId())
        .thenApply(Optional::of)
        .exceptionallyCompose(
            e ->
                isGone(e)
                    ? CompletableFuture.completedStage(Optional.empty())
                    : CompletableFuture.failedStage(e))
        .thenCompose(
            job ->
                job.isPresent()
                    ? tell(taken, job.get())
                    : claim.listed() ? rest(claim) : drop(claim));
  }

  private static boolean isGone(Throwable e) {
    Throwable cause = e instanceof CompletionException ? e.getCause() : e;
    return cause instanceof BitloomException known && known.code() == ErrorCode.JOB_NOT_FOUND;
  }

  private CompletionStage<Optional<Duration>> tell(Taken taken, JobRecord job) {
    List<Milestone> untold = job.untold();
    boolean givenUp =
        job.webhook()
            .filter(state -> state.unwanted() || state.givenUp().containsAll(untold))
            .isPresent();
    if (untold.isEmpty() || givenUp) {
      return atRest(taken.claim(), job);
    }
    Optional<Duration> wait =
        job.webhook()
            .flatMap(WebhookState::next)
            .map(next -> Duration.between(taken.now(), next))
            .filter(left -> !left.isNegative() && !left.isZero());
    if (wait.isPresent()) {
      return later(taken.claim(), wait.get());
    }
    String url = messages.apply(job).getWebhookUrl();
    try {
      return inPlace(taken, job, untold, Receiver.parse(url));
    } catch (IllegalArgumentException e) { // what is allowed has changed since
      return failed(taken.claim(), job, untold, "the URL " + e.getMessage(), Optional.empty());
    }
  }

  /** Nothing is to be told now, and if the job has ended, never. */
  private CompletionStage<Optional<Duration>> atRest(WebhookQueue.Claim claim, JobRecord job) {
    return job.terminal() ? drop(claim) : rest(claim);
  }

  private CompletionStage<Optional<Duration>> drop(WebhookQueue.Claim claim) {
    return queue.drop(claim).thenApply(done -> Optional.empty());
  }

  private CompletionStage<Optional<Duration>> rest(WebhookQueue.Claim claim) {
    return queue.rest(claim).thenApply(done -> Optional.empty());
  }

  private CompletionStage<Optional<Duration>> later(WebhookQueue.Claim claim, Duration wait) {
    return queue.release(claim, wait).thenApply(done -> Optional.of(wait));
  }

  private CompletionStage<Optional<Duration>> inPlace(
      Taken taken, JobRecord job, List<Milestone> untold, Receiver receiver) {
    long beginNanos = System.nanoTime();
    if (taken.lastNanos() - beginNanos < 0) { // the claim may be over before an answer is there
      return later(taken.claim(), Duration.ZERO);
    }
    Optional<Duration> full = ofReceivers.take(receiver.place(), beginNanos);
    if (full.isEmpty()) {
      full = ofTenants.take(job.tenant(), beginNanos);
      full.ifPresent(wait -> ofReceivers.leave(receiver.place()));
    }
    return full.isPresent()
        ? later(taken.claim(), full.get())
        : CompletableFuture.completedFuture(untold.get(0))
            .thenCompose(first -> attempt(job, first, receiver))
            .handle(
                (answer, e) -> {
                  long took = System.nanoTime() - beginNanos;
                  ofReceivers.leave(receiver.place(), took);
                  ofTenants.leave(job.tenant(), took);
                  metrics.attempted(e == null && answer.acknowledged(), Duration.ofNanos(took));
                  return e == null
                      ? answered(taken.claim(), job, untold, answer)
                      : failed(taken.claim(), job, untold, Failed.why(e), Optional.empty());
                })
            .thenCompose(noted -> noted);
  }

  private CompletionStage<WebhookSender.Answer> attempt(
      JobRecord job, Milestone milestone, Receiver receiver) {
    TenantWebhooks tenant = tenants.apply(job.tenant());
    if (tenant.secrets().isEmpty()) {
      return CompletableFuture.failedStage(
          new Failed("no secret is known here to sign it with (webhook_secrets)"));
    }
    long end = System.nanoTime() + timeout.toNanos();
    WebhookEvent event = WebhookEvent.of(job, milestone, messages.apply(job));
    int turn = job.webhook().map(WebhookState::tries).orElse(0);
    return lookup
        .address(receiver, turn)
        .toCompletableFuture()
        .orTimeout(timeout.toMillis(), TimeUnit.MILLISECONDS)
        .thenCompose(
            address ->
                sender.post(
                    receiver,
                    address,
                    event.headers(tenant.secrets(), Instant.now()),
                    event.body(),
                    Duration.ofNanos(end - System.nanoTime())));
  }

  private CompletionStage<Optional<Duration>> answered(
      WebhookQueue.Claim claim,
      JobRecord job,
      List<Milestone> untold,
      WebhookSender.Answer answer) {
    if (!answer.acknowledged()) {
      return answer.status() == GONE
          ? unwanted(claim, job, untold)
          : failed(claim, job, untold, "HTTP " + answer.status(), answer.retryAfter());
    }
    return queue
        .told(job.id(), untold.get(0))
        .thenCompose(news -> untold.size() == 1 ? atRest(claim, job) : later(claim, Duration.ZERO));
  }

  private CompletionStage<Optional<Duration>> unwanted(
      WebhookQueue.Claim claim, JobRecord job, List<Milestone> untold) {
    return giveUp(claim, job, untold, "HTTP " + GONE + ": the receiver wants no more", true);
  }

  private CompletionStage<Optional<Duration>> failed(
      WebhookQueue.Claim claim,
      JobRecord job,
      List<Milestone> untold,
      String why,
      Optional<Duration> asked) {
    int tries = tries(job);
    Optional<Duration> again = schedule.after(tries, asked, ThreadLocalRandom.current());
    LOG.debug("{} of job {}, attempt {}: {}", untold.get(0), job.id(), tries, why);
    return again.isEmpty()
        ? giveUp(claim, job, untold, why, false)
        : queue
            .failed(
                job.id(),
                untold.get(0),
                new WebhookQueue.Failure(before(job), tries, again, why, List.of(), false))
            .thenCompose(noted -> later(claim, noted ? again.get() : Duration.ZERO));
  }

  private CompletionStage<Optional<Duration>> giveUp(
      WebhookQueue.Claim claim,
      JobRecord job,
      List<Milestone> untold,
      String why,
      boolean unwanted) {
    return queue
        .failed(
            job.id(),
            untold.get(0),
            new WebhookQueue.Failure(
                before(job), tries(job), Optional.empty(), why, untold, unwanted))
        .thenCompose(
            noted -> {
              if (!noted) {
                return later(claim, Duration.ZERO);
              }
              metrics.gaveUp(untold.size());
              LOG.warn("Events {} of job {} are given up: {}", untold, job.id(), why);
              return atRest(claim, job);
            });
  }

  private static int before(JobRecord job) {
    return job.webhook().map(WebhookState::tries).orElse(0);
  }

  /** Where more came about since events were given up, the first of them begins anew. */
  private static int tries(JobRecord job) {
    boolean anew = job.webhook().filter(state -> !state.givenUp().isEmpty()).isPresent();
    return anew ? 1 : before(job) + 1;
  }
}
