package io.bitloom.coordinator.queue.upkeep;

import io.bitloom.coordinator.queue.redis.BucketScripts;
import io.bitloom.coordinator.queue.redis.RedisBacklog;
import io.bitloom.coordinator.queue.redis.WakeMessage;
import io.bitloom.coordinator.redis.RedisChannels;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;

/**
 * Hears which buckets become ready, and which jobs are stopped; looks for ready buckets itself when
 * it may have missed something.
 */
final class WakeListener implements RedisChannels.Listener {

  /** Hears what coordinators say who know an older version of the data. */
  private final class OlderChannel implements RedisChannels.Listener {

    @Override
    public void message(byte[] message) {
      WakeListener.this.message(message);
    }

    /** The other subscription comes after this one, and to a new connection with it. */
    @Override
    public void subscribed() {}
  }

  private static final Duration PAUSE_AFTER_ERROR = Duration.ofSeconds(1);

  private final WakeUps wakeUps;
  private final Reaper reaper;
  private final Sweeper sweeper;
  private final Deadlines deadlines;
  private final RedisBacklog backlog;
  private final Timers timers;
  private final Consumer<String> stopped;
  private volatile boolean before;
  private final CompletableFuture<Runnable> ending = new CompletableFuture<>();

  WakeListener(
      WakeUps wakeUps,
      Reaper reaper,
      Sweeper sweeper,
      Deadlines deadlines,
      RedisBacklog backlog,
      Timers timers,
      Consumer<String> stopped) {
    this.wakeUps = wakeUps;
    this.reaper = reaper;
    this.sweeper = sweeper;
    this.deadlines = deadlines;
    this.backlog = backlog;
    this.timers = timers;
    this.stopped = stopped;
  }

  /**
   * Begins to listen, as soon as Redis lets it, first to the older channel: by that coordinators
   * are told from those that know an older version only.
   */
  void listen(RedisChannels channels, String olderChannel, String channel) {
    CompletionStage<Runnable> older = channels.subscribe(olderChannel, new OlderChannel());
    CompletionStage<Runnable> newer = channels.subscribe(channel, this);
    newer
        .thenCombine(older, WakeListener::inTurn)
        .whenComplete(
            (end, e) -> {
              if (e != null) {
                newer.thenAccept(Runnable::run);
                older.thenAccept(Runnable::run);
                timers.in(PAUSE_AFTER_ERROR, () -> listen(channels, olderChannel, channel));
              } else {
                ending.complete(end);
              }
            });
  }

  private static Runnable inTurn(Runnable first, Runnable second) {
    return () -> {
      first.run();
      second.run();
    };
  }

  void close() {
    ending.thenAccept(Runnable::run);
  }

  @Override
  public void message(byte[] message) {
    WakeMessage heard = WakeMessage.parse(message);
    if (heard instanceof WakeMessage.Ready ready) {
      reaper.watch(ready.bucket());
      wakeUps.notified(ready.bucket(), ready.number(), ready.delay());
    } else if (heard instanceof WakeMessage.Stop stop) {
      stopped.accept(stop.jobId());
    }
  }

  @Override
  public void subscribed() {
    if (before) {
      reaper.redisIsBack();
    }
    before = true;
    sweeper.sweepAfterLoss();
    deadlines.look();
    look();
  }

  private void look() {
    backlog
        .standings()
        .whenComplete(
            (found, e) -> {
              if (e == null) {
                found.forEach(this::found);
              } else {
                timers.in(PAUSE_AFTER_ERROR, this::look);
              }
            });
  }

  private void found(BucketScripts.Standing standing) {
    if (standing.inUse()) {
      reaper.watch(standing.rank().bucket(), Duration.ZERO);
    }
    wakeUps.found(standing);
  }
}
