package io.bitloom.worker.train.data;

import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.worker.image.RgbImage;
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
  private final Settings settings;
  private final ExecutorService decoders;
  private final Queue<PendingBatch> pending = new ArrayDeque<>();
  private volatile boolean closed;

  /**
   * How samples are read.
   *
   * @param threads that decode pictures
   * @param ahead batches that are made ready before they are asked for
   * @param shortCaptions probability that the short caption is taken where there are two
   * @param seed of the choice between captions
   * @param mostBad largest share of samples that cannot be read, before {@link #next} throws
   * @param cache of features; null for none
   */
  public record Settings(
      int threads,
      int ahead,
      double shortCaptions,
      long seed,
      double mostBad,
      FeatureCache cache) {}

  private record PendingBatch(
      long number, ScaleSchedule schedule, List<CompletableFuture<Optional<Sample>>> samples) {}

  /** Starts to load batches of a set in an order. */
  public BatchLoader(SampleSource set, BatchOrder order, Settings settings) {
    this.set = set;
    this.order = order;
    this.settings = settings;
    this.decoders =
        Executors.newFixedThreadPool(
            settings.threads(),
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
    while (pending.size() <= settings.ahead()) {
      pending.add(start(order.next()));
    }
    PendingBatch batch = pending.remove();
    List<Sample> samples = new ArrayList<>();
    batch.samples().forEach(sample -> sample.join().ifPresent(samples::add));
    set.report().check(settings.mostBad());
    return new SampleBatch(batch.number(), batch.schedule(), samples);
  }

  private PendingBatch start(BatchOrder.Plan plan) {
    List<CompletableFuture<Optional<Sample>>> samples = new ArrayList<>();
    for (int i = 0; i < plan.lines().length; i++) {
      long number = plan.firstSample() + i;
      int line = plan.lines()[i];
      samples.add(
          CompletableFuture.supplyAsync(() -> load(plan.schedule(), line, number), decoders));
    }
    return new PendingBatch(plan.number(), plan.schedule(), samples);
  }

  private Optional<Sample> load(ScaleSchedule schedule, int index, long number) {
    if (closed) {
      return Optional.empty();
    }
    SplittableRandom random = new SplittableRandom(31 * settings.seed() + number);
    String name = schedule.id() + " sample " + index;
    try {
      CaptionedPicture line = set.sample(schedule, index);
      name = line.name();
      String caption = line.caption(settings.shortCaptions(), random);
      String key = settings.cache() == null ? null : key(line, schedule);
      Optional<float[]> cached = key == null ? Optional.empty() : settings.cache().find(key);
      RgbImage picture =
          cached.isPresent()
              ? null
              : line.picture(
                  schedule.pixelWidth(),
                  schedule.pixelHeight(),
                  remark -> set.report().remark(remark, line.name()));
      return Optional.of(new Sample(number, caption, picture, cached.orElse(null), key));
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
    return settings.cache().key(picture.version() + "\n" + schedule.id());
  }

  /** Drops what was not asked for. A picture that is being read is read to its end. */
  @Override
  public void close() {
    closed = true;
    // no interrupt: it would make a good picture one that cannot be read
    decoders.shutdown();
  }
}
