package io.bitloom.coordinator.dispatch.matching;

import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.common.schedule.ScaleSchedules;
import io.bitloom.coordinator.queue.Bucket;
import io.bitloom.coordinator.queue.ModelRecords;
import io.bitloom.v1.StageTimes;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How many seconds of a worker's device an image takes, by bucket, and by pool and bucket: moving
 * averages over batches. What changes much is kept in the queue, so that all coordinators know it,
 * also after a restart.
 */
public final class Speeds {

  private static final Logger log = LoggerFactory.getLogger(Speeds.class);
  private static final double NEWEST = 0.2;
  private static final double CHANGE = 0.1;
  private static final Duration STORE_INTERVAL = Duration.ofSeconds(5);

  /** So many speeds are known; a worker that says another pool each time adds no more. */
  private static final int MOST = 50_000;

  /**
   * Who draws what.
   *
   * @param pool of workers; empty: of all workers
   */
  private record Drawn(Optional<String> pool, Bucket bucket) {}

  /** An average, and what of it was stored when. */
  private record Speed(double seconds, double stored, long storedNanos) {}

  private final ModelRecords models;
  private final Map<Drawn, Speed> speeds = new ConcurrentHashMap<>();

  public Speeds(ModelRecords models) {
    this.models = models;
  }

  /** A batch of a bucket, or of a shard of it, was drawn by a worker of a pool. */
  void measured(String pool, Bucket drawn, StageTimes times, int images) {
    double seconds =
        (seconds(times.getText()) + seconds(times.getTransformer()) + seconds(times.getDecode()))
            / Math.max(1, images);
    if (seconds > 0) {
      Bucket bucket = drawn.whole();
      measured(new Drawn(Optional.empty(), bucket), seconds);
      Drawn ofPool = new Drawn(Optional.of(pool), bucket);
      if (speeds.size() < MOST || speeds.containsKey(ofPool)) {
        measured(ofPool, seconds);
      }
    }
  }

  private void measured(Drawn drawn, double seconds) {
    speeds.compute(drawn, (key, before) -> after(drawn, before, seconds));
  }

  private Speed after(Drawn drawn, Speed before, double measured) {
    long now = System.nanoTime();
    double seconds =
        before == null ? measured : (1 - NEWEST) * before.seconds() + NEWEST * measured;
    boolean store =
        before == null
            || now - before.storedNanos() > STORE_INTERVAL.toNanos()
                && Math.abs(seconds - before.stored()) > CHANGE * before.stored();
    if (!store) {
      return new Speed(seconds, before.stored(), before.storedNanos());
    }
    put(drawn, seconds)
        .whenComplete(
            (done, e) -> {
              if (e != null) {
                log.debug("The speed of {} is not stored: {}", drawn, e.toString());
              }
            });
    return new Speed(seconds, seconds, now);
  }

  private CompletionStage<Void> put(Drawn drawn, double seconds) {
    return drawn.pool().isPresent()
        ? models.putSpeed(drawn.pool().get(), drawn.bucket(), seconds)
        : models.putSpeed(drawn.bucket(), seconds);
  }

  private static double seconds(com.google.protobuf.Duration duration) {
    return duration.getSeconds() + duration.getNanos() / 1e9;
  }

  /** What is known at this moment of all workers together. */
  public CompletionStage<Table> table() {
    return models.speeds().thenApply(stored -> new Table(Map.of(), with(stored, Optional.empty())));
  }

  /** What is known at this moment by pools, and of all workers for what a pool has not drawn. */
  public CompletionStage<Function<String, Table>> tables() {
    return table()
        .thenCombine(
            models.poolSpeeds(),
            (all, stored) ->
                pool ->
                    new Table(
                        with(stored.getOrDefault(pool, Map.of()), Optional.of(pool)),
                        all.seconds()));
  }

  private Map<Bucket, Double> with(Map<Bucket, Double> stored, Optional<String> pool) {
    Map<Bucket, Double> all = new HashMap<>(stored);
    speeds.forEach(
        (drawn, speed) -> {
          if (drawn.pool().equals(pool)) {
            all.put(drawn.bucket(), speed.seconds());
          }
        });
    return all;
  }

  /**
   * Seconds of an image by bucket.
   *
   * @param ofPool as a pool draws them, if this is of a pool
   * @param seconds of all workers
   */
  public record Table(Map<Bucket, Double> ofPool, Map<Bucket, Double> seconds) {

    public boolean measured(Bucket bucket) {
      return ofPool.containsKey(bucket) || seconds.containsKey(bucket);
    }

    /**
     * Seconds of an image, first by what the pool has drawn; of a schedule that was never measured
     * by those of the same model and their tokens. Empty if none was measured.
     */
    public OptionalDouble of(Bucket bucket) {
      OptionalDouble known = of(bucket, ofPool);
      return known.isPresent() ? known : of(bucket, seconds);
    }

    private static OptionalDouble of(Bucket bucket, Map<Bucket, Double> measured) {
      Double known = measured.get(bucket);
      if (known != null) {
        return OptionalDouble.of(known);
      }
      int tokens = tokens(bucket);
      return measured.entrySet().stream()
          .filter(other -> other.getKey().model().equals(bucket.model()))
          .filter(other -> tokens(other.getKey()) > 0)
          .mapToDouble(other -> other.getValue() * tokens / tokens(other.getKey()))
          .average();
    }

    private static int tokens(Bucket bucket) {
      return ScaleSchedules.find(bucket.schedule()).map(ScaleSchedule::tokens).orElse(0);
    }
  }
}
