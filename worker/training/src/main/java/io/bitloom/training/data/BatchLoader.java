package io.bitloom.training.data;

import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.engine.image.RgbImage;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * Makes batches ready ahead of time: pictures are read, decoded and resized on threads of their own
 * while the device computes. Pictures that cannot be read are left out, counted and named.
 */
public final class BatchLoader implements AutoCloseable {
  private final SampleSource set;
  private final BatchOrder order;
  private final DataConfig config;
  private final long seed;
  private final FeatureCache cache; // null for none
  private final ExecutorService decoders;
  private final Queue<CompletableFuture<SampleBatch>> ahead = new ArrayDeque<>();
  private volatile boolean closed;

  /**
   * Starts to load batches of a set in an order.
   *
   * @param config threads, batches that are made ready before they are asked for, choice of
   *     captions, and the largest share of samples that cannot be read before {@link #next} throws
   * @param seed of the choice between captions
   * @param cache of features; null for none
   */
  public BatchLoader(
      SampleSource set, BatchOrder order, DataConfig config, long seed, FeatureCache cache) {
    this.set = set;
    this.order = order;
    this.config = config;
    this.seed = seed;
    this.cache = cache;
    this.decoders =
        Executors.newFixedThreadPool(
            config.decoderThreads(),
            task -> {
              Thread thread = new Thread(task, "picture-decoder");
              thread.setDaemon(true);
              return thread;
            });
  }

  /**
   * The next batch; waits until it is ready.
   *
   * @throws BadDataException if too many samples cannot be read
   */
  public SampleBatch next() {
    while (ahead.size() <= config.batchesAhead()) {
      order.next();
      ahead.add(start());
    }
    SampleBatch batch = ahead.remove().join();
    set.report().check(config.mostBad());
    return batch;
  }

  /** Starts to load the batch that the order is at. */
  private CompletableFuture<SampleBatch> start() {
    long batch = order.number();
    ScaleSchedule schedule = order.schedule();
    int[] lines = order.lines();
    List<CompletableFuture<Optional<TrainingSample>>> samples = new ArrayList<>();
    for (int i = 0; i < lines.length; i++) {
      long number = order.firstSample() + i;
      int line = lines[i];
      samples.add(CompletableFuture.supplyAsync(() -> load(schedule, line, number), decoders));
    }
    return CompletableFuture.allOf(samples.toArray(CompletableFuture<?>[]::new))
        .thenApply(
            ready ->
                new SampleBatch(
                    batch,
                    schedule,
                    samples.stream().flatMap(sample -> sample.join().stream()).toList()));
  }

  private Optional<TrainingSample> load(ScaleSchedule schedule, int index, long number) {
    if (closed) {
      return Optional.empty();
    }
    SplittableRandom random = new SplittableRandom(31 * seed + number);
    String name = schedule.id() + " sample " + index;
    try {
      CaptionedPicture line = set.sample(schedule, index);
      name = line.name();
      String caption = line.caption(config.shortCaptions(), random);
      String key = cache == null ? null : key(line, schedule);
      Optional<float[]> cached = key == null ? Optional.empty() : cache.find(key);
      RgbImage picture =
          cached.isPresent()
              ? null
              : line.picture(
                  schedule.pixelWidth(),
                  schedule.pixelHeight(),
                  remark -> set.report().remark(remark, line.name()));
      return Optional.of(new TrainingSample(number, caption, picture, cached.orElse(null), key));
    } catch (IOException e) {
      set.report().spoiled("the picture cannot be read", name, e.getMessage());
      return Optional.empty();
    } catch (RuntimeException | OutOfMemoryError | StackOverflowError | LinkageError e) {
      set.report().spoiled("the sample cannot be made ready", name, e.toString());
      return Optional.empty();
    }
  }

  /** Features belong to a picture as it was when they were computed. */
  private String key(CaptionedPicture picture, ScaleSchedule schedule) throws IOException {
    return cache.key(picture.version() + "\n" + schedule.id());
  }

  /** Drops what was not asked for. A picture that is being read is read to its end. */
  @Override
  public void close() {
    closed = true;
    // no interrupt: it would make a good picture one that cannot be read
    decoders.shutdown();
  }
}
