package io.bitloom.worker.train.config;

import io.bitloom.common.schedule.SizeClass;
import io.bitloom.worker.image.decode.PictureOptions;
import io.bitloom.worker.train.data.BatchLoader;
import io.bitloom.worker.train.data.BatchOrder;
import io.bitloom.worker.train.data.Curation;
import io.bitloom.worker.train.data.FeatureCache;
import io.bitloom.worker.train.data.SampleBatch;
import io.bitloom.worker.train.data.SampleSource;
import io.bitloom.worker.train.data.TrainingSet;
import io.bitloom.worker.train.data.demo.DemoDataset;
import io.bitloom.worker.train.data.demo.DemoSource;
import io.bitloom.worker.train.run.TrainingRun;
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

/**
 * The section {@code data}: what is trained on, and how it is read.
 *
 * @param demo drawn pictures to train on instead of files; null for files
 * @param path caption file, or folder of caption files; null with drawn pictures
 * @param images folder that relative image paths start from; null for that of the caption file
 * @param size size class of the pictures
 * @param curation which samples are left out
 * @param validationPath captions that are not trained on; null for a part of {@code path}
 * @param validationFraction part of the pictures that is not trained on, if there is no such file
 * @param validationBatches batches of a validation
 * @param tokens image tokens of a batch
 * @param shuffleBuffer samples among which the next one is drawn
 * @param decoderThreads threads that make pictures ready
 * @param batchesAhead batches that are made ready before they are needed
 * @param pictures what is done about orientations and profiles
 * @param mostBad largest share of the samples that may be unreadable
 * @param shortCaptions probability that the short caption is taken where there are two
 * @param cache folder of the tokenizer's features; null for none
 * @param textCache folder of the text encoder's features; null for none
 */
public record DataConfig(
    Demo demo,
    Path path,
    Path images,
    SizeClass size,
    Curation curation,
    Path validationPath,
    double validationFraction,
    int validationBatches,
    int tokens,
    int shuffleBuffer,
    int decoderThreads,
    int batchesAhead,
    double shortCaptions,
    PictureOptions pictures,
    double mostBad,
    Path cache,
    Path textCache) {
  private static final List<String> OF_FILES =
      List.of("path", "images", "filters", "validation_path");

  /**
   * The section {@code data.demo}: pictures of the demo data set, drawn when they are needed.
   *
   * @param seed of the data set
   * @param count of pictures
   * @param heldOut whether they show only what is held out
   * @param readingOrder whether captions name the left or the upper thing of a pair first
   */
  public record Demo(long seed, int count, boolean heldOut, boolean readingOrder) {
    private static Demo of(YamlFields yaml) {
      return new Demo(
          yaml.integer("seed", 1, 0, Long.MAX_VALUE),
          yaml.count("count", 20_000, 1),
          yaml.flag("held_out", false),
          yaml.flag("reading_order", false));
    }

    private SampleSource training() {
      return heldOut ? heldOut(count) : source(DemoDataset.training(seed), count, "training");
    }

    private SampleSource heldOut(int pictures) {
      return source(DemoDataset.heldOut(seed), pictures, "held out");
    }

    private SampleSource source(DemoDataset dataset, int pictures, String part) {
      return new DemoSource(
          readingOrder ? dataset.inReadingOrder() : dataset, pictures, "demo " + seed + " " + part);
    }
  }

  private static final int HASHES = 1 << 16;
  private static final long VALIDATION_SEED = 1;

  /** Reads the section. */
  public static DataConfig of(YamlFields yaml) {
    Demo demo = yaml.has("demo") ? Demo.of(yaml.section("demo")) : null;
    Path path = demo == null ? yaml.path("path") : null;
    List<Curation.Threshold> thresholds = new ArrayList<>();
    YamlFields filters = yaml.section("filters");
    for (String column : filters.names()) {
      YamlFields bounds = filters.section(column);
      thresholds.add(
          new Curation.Threshold(
              column,
              bounds.number(
                  "min",
                  Double.NEGATIVE_INFINITY,
                  Double.NEGATIVE_INFINITY,
                  Double.POSITIVE_INFINITY),
              bounds.number(
                  "max",
                  Double.POSITIVE_INFINITY,
                  Double.NEGATIVE_INFINITY,
                  Double.POSITIVE_INFINITY)));
    }
    String label = yaml.text("size", SizeClass.values()[0].label());
    SizeClass size =
        SizeClass.find(label)
            .filter(found -> !found.squareOnly())
            .orElseThrow(
                () ->
                    yaml.fault(
                        "size",
                        "expected one of "
                            + SizeClass.labels(SizeClass.ofAllShapes())
                            + ", found \""
                            + label
                            + "\""));
    for (String field : demo == null ? List.<String>of() : OF_FILES) {
      if (yaml.has(field)) {
        throw yaml.fault(field, "is not for pictures that are drawn");
      }
    }
    if (demo != null && size != DemoSource.SIZE) {
      throw yaml.fault("size", "pictures are drawn in " + DemoSource.SIZE.label() + " only");
    }
    return new DataConfig(
        demo,
        path,
        yaml.path("images", null),
        size,
        new Curation(thresholds),
        yaml.path("validation_path", null),
        yaml.number("validation_fraction", 0, 0, 0.5),
        yaml.count("validation_batches", 4, 1),
        yaml.count("batch_tokens", 8192, 1),
        yaml.count("shuffle_buffer", 10_000, 1),
        yaml.count("decoder_threads", 1, 1),
        yaml.count("batches_ahead", 2, 0),
        yaml.number("short_captions", 0.5, 0, 1),
        new PictureOptions(yaml.flag("upright", false), yaml.flag("to_srgb", false)),
        yaml.number("most_bad", 0.1, 0, 1),
        yaml.path("cache", null),
        yaml.path("text_cache", null));
  }

  /**
   * Reads the caption files and writes what was left out to {@code data.json} in the run's folder.
   *
   * @param features names what computes the features, for the cache; null if there are none
   */
  public TrainingRun.Data open(RunConfig run, String features) throws IOException {
    SampleSource training = training();
    SampleSource validation = validation();
    if (training.schedules().isEmpty()) {
      throw new IOException(path + ": no sample is left; " + training.report().json());
    }
    Files.createDirectories(run.folder());
    Path report = run.folder().resolve("data.json");
    Files.writeString(report, training.report().json() + "\n");
    training.report().check(mostBad);
    BatchLoader.Settings loading =
        new BatchLoader.Settings(
            decoderThreads,
            batchesAhead,
            shortCaptions,
            run.seed(),
            mostBad,
            cache == null || features == null ? null : new FeatureCache(cache, features));
    return new TrainingRun.Data(
        first -> {
          BatchOrder order =
              new BatchOrder(training, new BatchOrder.Settings(tokens, shuffleBuffer, run.seed()));
          order.skip(first);
          return new BatchLoader(training, order, loading);
        },
        () -> firstBatches(validation, loading),
        () -> Files.writeString(report, training.report().json() + "\n"));
  }

  /**
   * All captions that are trained on, short and long ones.
   *
   * @throws IOException if a file cannot be read
   */
  public Stream<String> captions() throws IOException {
    SampleSource training = training();
    return training.schedules().stream()
        .flatMap(
            schedule ->
                IntStream.range(0, training.count(schedule))
                    .mapToObj(i -> training.sample(schedule, i)))
        .flatMap(sample -> sample.captions().stream());
  }

  private SampleSource training() throws IOException {
    return demo == null ? scan(path, image -> !heldBack(image)) : demo.training();
  }

  /** Of drawn pictures those that show what is held out. */
  private SampleSource validation() throws IOException {
    if (demo != null) {
      return demo.heldOut((int) Math.round(validationFraction * demo.count()));
    }
    return validationPath == null
        ? scan(path, this::heldBack)
        : scan(validationPath, image -> true);
  }

  private TrainingSet scan(Path captions, Predicate<String> part) throws IOException {
    Path beside = Files.isDirectory(captions) ? captions : captions.getParent();
    Path root = images == null ? beside : images;
    return TrainingSet.scan(
        new TrainingSet.Settings(captions, root, size, curation, part, pictures));
  }

  /** The same pictures are held back in every run. */
  private boolean heldBack(String image) {
    CRC32C hash = new CRC32C();
    hash.update(image.getBytes(StandardCharsets.UTF_8));
    return hash.getValue() % HASHES < validationFraction * HASHES && validationPath == null;
  }

  private List<SampleBatch> firstBatches(SampleSource validation, BatchLoader.Settings loading) {
    if (validation.schedules().isEmpty()) {
      return List.of();
    }
    BatchOrder order =
        new BatchOrder(validation, new BatchOrder.Settings(tokens, shuffleBuffer, VALIDATION_SEED));
    List<SampleBatch> batches = new ArrayList<>();
    long count = Math.min(validationBatches, order.batchesPerEpoch());
    try (BatchLoader loader = new BatchLoader(validation, order, loading)) {
      for (long i = 0; i < count; i++) {
        batches.add(loader.next());
      }
    }
    return batches;
  }

  /** What the order of samples follows from, as part of a run's identity. */
  public String identity() {
    return String.join(
        "\n",
        "data.path: " + (demo == null ? path : demo) + pictures.id(),
        "data.size: " + size.label(),
        "data.filters: " + curation.thresholds(),
        "data.batch_tokens: " + tokens,
        "data.shuffle_buffer: " + shuffleBuffer,
        "data.short_captions: " + shortCaptions,
        "data.validation: " + validationPath + " " + validationFraction);
  }
}
