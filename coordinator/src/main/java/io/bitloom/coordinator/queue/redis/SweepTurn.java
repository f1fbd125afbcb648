package io.bitloom.coordinator.queue.redis;

import io.bitloom.coordinator.redis.RedisConnection;
import java.time.Duration;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * Whose turn it is to sweep, among all coordinators. It is kept in Redis and asked for only at the
 * times at which somebody would sweep.
 */
public final class SweepTurn {

  /** Coordinators hear of a loss of Redis one after the other, within about this time. */
  private static final Duration TOGETHER = Duration.ofSeconds(1);

  private static final Duration ASKED_AGAIN = Duration.ofSeconds(1);

  private final RedisConnection redis;
  private final Keys keys;
  private final Duration lasts;
  private final String here = UUID.randomUUID().toString();
  private volatile long askedNanos;

  /**
   * @param lasts how long a turn is kept by one who does not ask again
   */
  public SweepTurn(RedisConnection redis, Keys keys, Duration lasts) {
    this.redis = redis;
    this.keys = keys;
    this.lasts = lasts;
  }

  /**
   * What somebody who wants to sweep is to do.
   *
   * @param now whether to sweep now
   * @param askAgain after which time to ask again; empty if another sees to it
   */
  public record Answer(boolean now, Optional<Duration> askAgain) {}

  /** Asks to begin, as everybody does from time to time. */
  public CompletionStage<Answer> take() {
    return ask("turn", Duration.ZERO);
  }

  /** Whether one who has begun may go on; asks once a second. */
  public CompletionStage<Boolean> keep() {
    return System.nanoTime() - askedNanos < ASKED_AGAIN.toNanos()
        ? CompletableFuture.completedStage(true)
        : ask("on", Duration.ZERO).thenApply(Answer::now);
  }

  /**
   * Asks to begin because something was lost, if nobody began since then. Those who hear of the
   * same loss within a second begin once together, and perhaps once more after that second.
   *
   * @param ago how long ago that was
   */
  public CompletionStage<Answer> takeAfterLoss(Duration ago) {
    return ask("loss", ago);
  }

  private CompletionStage<Answer> ask(String why, Duration ago) {
    askedNanos = System.nanoTime();
    Arguments arguments = new Arguments().add(here).add(lasts).add(why).add(ago).add(TOGETHER);
    return redis
        .eval(Script.SWEEP.lua(), new String[] {keys.sweeper()}, arguments.toArray())
        .thenApply(Reply::new)
        .thenApply(
            reply -> {
              boolean now = reply.nextFlag();
              long again = now ? -1 : reply.nextLong();
              return new Answer(
                  now, again < 0 ? Optional.empty() : Optional.of(Duration.ofMillis(again)));
            });
  }
}
