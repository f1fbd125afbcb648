package io.bitloom.coordinator.dispatch.matching;

import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.common.schedule.ScaleSchedules;
import io.bitloom.coordinator.queue.Bucket;
import io.bitloom.coordinator.queue.ModelRecords;
import io.bitloom.v1.StageTimes;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How many seconds of a worker's device an image takes, by bucket: a moving average over batches.
 * What changes much is kept in the queue, so that all coordinators know it, also after a restart.
 */
public final class Speeds {

  private static final Logger log = LoggerFactory.getLogger(Speeds.class);
  private static final double NEWEST = 0.2;
  private static final double CHANGE = 0.1;
  private static final Duration STORE_INTERVAL = Duration.ofSeconds(5);

  /** An average, and what of it was stored when. */
  private record Speed(double seconds, double stored, long storedNanos) {}

  private final ModelRecords models;
  private final Map<Bucket, Speed> speeds = new ConcurrentHashMap<>();

  public Speeds(ModelRecords models) {
    this.models = models;
  }

  /** A batch of a bucket, or of a shard of it, was drawn. */
  void measured(Bucket drawn, StageTimes times, int images) {
    Bucket bucket = drawn.whole();
    double seconds =
        (seconds(times.getText()) + seconds(times.getTransformer()) + seconds(times.getDecode()))
            / Math.max(1, images);
    if (seconds > 0) {
      speeds.compute(bucket, (key, before) -> after(bucket, before, seconds));
    }
  }

  private Speed after(Bucket bucket, Speed before, double measured) {
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
    models
        .putSpeed(bucket, seconds)
        .whenComplete(
            (done, e) -> {
              if (e != null) {
                log.debug("The speed of {} is not stored: {}", bucket, e.toString());
              }
            });
    return new Speed(seconds, seconds, now);
  }

  private static double seconds(com.google.protobuf.Duration duration) {
    return duration.getSeconds() + duration.getNanos() / 1e9;
  }

  /** What is known at this moment. */
  public CompletionStage<Table> table() {
    return models
        .speeds()
        .thenApply(
            stored -> {
              Map<Bucket, Double> all = new HashMap<>(stored);
              speeds.forEach((bucket, speed) -> all.put(bucket, speed.seconds()));
              return new Table(all);
            });
  }

  /** Seconds of an image by bucket. */
  public record Table(Map<Bucket, Double> seconds) {

    public boolean measured(Bucket bucket) {
      return seconds.containsKey(bucket);
    }

    /**
     * Seconds of an image; of a schedule that was never measured by those of the same model and
     * their tokens. Empty if none was measured.
     */
    public OptionalDouble of(Bucket bucket) {
      Double known = seconds.get(bucket);
      if (known != null) {
        return OptionalDouble.of(known);
      }
      int tokens = tokens(bucket);
      return seconds.entrySet().stream()
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
