package io.bitloom.training.run;

import io.bitloom.training.data.BatchLoader;
import io.bitloom.training.data.BatchOrder;
import io.bitloom.training.data.DataConfig;
import io.bitloom.training.data.FeatureCache;
import io.bitloom.training.data.SampleBatch;
import io.bitloom.training.data.SampleSource;
import io.bitloom.training.data.TrainingSet;
import io.bitloom.training.data.demo.DemoDataset;
import io.bitloom.training.data.demo.DemoSource;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.zip.CRC32C;

/** What a run learns from: the samples that are trained on, and those that are validated on. */
public final class TrainingData {
  private static final int HASHES = 1 << 16;
  private static final long VALIDATION_SEED = 1;

  private final DataConfig config;
  private final long seed;
  private final SampleSource training;
  private final SampleSource validation;
  private final FeatureCache cache; // null for none
  private final Path report;

  /**
   * Reads the caption files and writes what was left out to {@code data.json} in the run's folder.
   *
   * @param features names what computes the features, for the cache; null if there are none
   * @throws IOException if a file cannot be read or written, or no sample is left
   */
  public TrainingData(DataConfig config, RunConfig run, String features) throws IOException {
    this.config = config;
    this.seed = run.seed();
    training = training(config);
    validation = validation(config);
    if (training.schedules().isEmpty()) {
      throw new IOException(config.path() + ": no sample is left; " + training.report().json());
    }
    cache =
        config.cache() == null || features == null
            ? null
            : new FeatureCache(config.cache(), features);
    Files.createDirectories(run.folder());
    report = run.folder().resolve("data.json");
    writeReport();
    training.report().check(config.mostBad());
  }

  /** Loads batches from the n-th of the run on. */
  public BatchLoader batchesFrom(long first) {
    BatchOrder order = new BatchOrder(training, config, seed);
    order.skip(first);
    return new BatchLoader(training, order, config, seed, cache);
  }

  /** The batches that are not trained on. */
  public List<SampleBatch> validation() {
    if (validation.schedules().isEmpty()) {
      return List.of();
    }
    BatchOrder order = new BatchOrder(validation, config, VALIDATION_SEED);
    List<SampleBatch> batches = new ArrayList<>();
    long count = Math.min(config.validationBatches(), order.batchesPerEpoch());
    try (BatchLoader loader = new BatchLoader(validation, order, config, seed, cache)) {
      for (long i = 0; i < count; i++) {
        batches.add(loader.next());
      }
    }
    return batches;
  }

  /**
   * Writes what was left out so far.
   *
   * @throws IOException if it cannot be written
   */
  public void writeReport() throws IOException {
    Files.writeString(report, training.report().json() + "\n");
  }

  /**
   * All captions that are trained on, short and long ones.
   *
   * @throws IOException if a file cannot be read
   */
  public static Stream<String> captions(DataConfig config) throws IOException {
    SampleSource training = training(config);
    return training.schedules().stream()
        .flatMap(
            schedule ->
                IntStream.range(0, training.count(schedule))
                    .mapToObj(i -> training.sample(schedule, i)))
        .flatMap(sample -> sample.captions().stream());
  }

  private static SampleSource training(DataConfig config) throws IOException {
    DataConfig.Demo demo = config.demo();
    if (demo == null) {
      return TrainingSet.scan(config, config.path(), heldBack(config).negate());
    }
    return demo.heldOut()
        ? heldOut(demo, demo.count())
        : drawn(demo, DemoDataset.training(demo.seed()), demo.count(), "training");
  }

  /** Of drawn pictures those that show what is held out. */
  private static SampleSource validation(DataConfig config) throws IOException {
    DataConfig.Demo demo = config.demo();
    if (demo != null) {
      return heldOut(demo, (int) Math.round(config.validationFraction() * demo.count()));
    }
    return config.validationPath() == null
        ? TrainingSet.scan(config, config.path(), heldBack(config))
        : TrainingSet.scan(config, config.validationPath(), image -> true);
  }

  private static SampleSource heldOut(DataConfig.Demo demo, int pictures) {
    return drawn(demo, DemoDataset.heldOut(demo.seed()), pictures, "held out");
  }

  private static SampleSource drawn(
      DataConfig.Demo demo, DemoDataset dataset, int pictures, String part) {
    return new DemoSource(
        demo.readingOrder() ? dataset.inReadingOrder() : dataset,
        pictures,
        "demo " + demo.seed() + " " + part);
  }

  /** The same pictures are held back in every run. */
  private static Predicate<String> heldBack(DataConfig config) {
    return image -> {
      CRC32C hash = new CRC32C();
      hash.update(image.getBytes(StandardCharsets.UTF_8));
      return hash.getValue() % HASHES < config.validationFraction() * HASHES
          && config.validationPath() == null;
    };
  }
}
