package io.bitloom.coordinator.queue.upkeep;

import io.bitloom.coordinator.queue.Bucket;
import io.bitloom.coordinator.queue.BucketBacklog;
import io.bitloom.coordinator.queue.Names;
import io.bitloom.coordinator.queue.redis.BucketScripts;
import io.bitloom.coordinator.queue.redis.Keys;
import io.bitloom.coordinator.redis.RedisChannels;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * Hears which buckets become ready, and which jobs are stopped; looks for ready buckets itself when
 * it may have missed something.
 */
public final class WakeListener implements RedisChannels.Listener {

  /** No bucket is called so: their ids have a colon. */
  private static final String STOP = "stop";

  private final ReadyBuckets ready;
  private final Reaper reaper;
  private final Sweeper sweeper;
  private final Deadlines deadlines;
  private final Supplier<CompletionStage<List<BucketScripts.Snapshot>>> snapshots;
  private final ScheduledExecutorService timers;
  private final Consumer<String> stopped;
  private volatile boolean before;
  private final CompletableFuture<Runnable> ending = new CompletableFuture<>();

  public WakeListener(
      ReadyBuckets ready,
      Reaper reaper,
      Sweeper sweeper,
      Deadlines deadlines,
      Supplier<CompletionStage<List<BucketScripts.Snapshot>>> snapshots,
      ScheduledExecutorService timers,
      Consumer<String> stopped) {
    this.ready = ready;
    this.reaper = reaper;
    this.sweeper = sweeper;
    this.deadlines = deadlines;
    this.snapshots = snapshots;
    this.timers = timers;
    this.stopped = stopped;
  }

  /** Says that a job is being stopped. */
  public static byte[] stopMessage(String jobId) {
    return (STOP + " " + Names.escape(jobId)).getBytes(StandardCharsets.UTF_8);
  }

  /** Begins to listen, as soon as Redis lets it. */
  public void listen(RedisChannels channels, String channel) {
    channels
        .subscribe(channel, this)
        .whenComplete(
            (unsubscribe, e) -> {
              if (e != null) {
                timers.schedule(() -> listen(channels, channel), 1, TimeUnit.SECONDS);
              } else {
                ending.complete(unsubscribe);
              }
            });
  }

  public void close() {
    ending.thenAccept(Runnable::run);
  }

  @Override
  public void message(byte[] message) {
    String[] words = new String(message, StandardCharsets.UTF_8).split(" ");
    if (words[0].equals(STOP)) {
      stopped.accept(Names.unescape(words[1]));
      return;
    }
    Bucket bucket = Keys.bucketOf(words[0]);
    reaper.watch(bucket);
    ready.notified(bucket, Long.parseLong(words[1]), Duration.ofMillis(Long.parseLong(words[2])));
  }

  @Override
  public void subscribed() {
    if (before) {
      reaper.redisIsBack();
    }
    before = true;
    sweeper.sweepLater();
    deadlines.look();
    look();
  }

  private void look() {
    snapshots
        .get()
        .whenComplete(
            (found, e) -> {
              if (e == null) {
                found.forEach(this::found);
              } else {
                timers.schedule(this::look, 1, TimeUnit.SECONDS);
              }
            });
  }

  private void found(BucketScripts.Snapshot snapshot) {
    BucketBacklog backlog = snapshot.backlog();
    if (backlog.prompts() + backlog.retries() + backlog.leases() > 0) {
      reaper.watch(backlog.bucket(), Duration.ZERO);
    }
    ready.found(snapshot);
  }
}
