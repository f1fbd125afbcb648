package io.bitloom.training.data;

import io.bitloom.common.schedule.SizeClass;
import io.bitloom.engine.image.decode.PictureOptions;
import io.bitloom.training.config.ConfigField;
import io.bitloom.training.config.FieldFault;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The section {@code data}: what is trained on, and how it is read.
 *
 * @param demo drawn pictures to train on instead of files; null for files
 * @param path caption file, or folder of caption files; null with drawn pictures
 * @param images folder that relative image paths start from; null for that of the caption file
 * @param size size class of the pictures
 * @param filters by the column of the caption file that they look at, in the order of the file
 * @param validationPath captions that are not trained on; null for a part of {@code path}
 * @param validationFraction part of the pictures that is not trained on, if there is no such file
 * @param validationBatches batches of a validation
 * @param batchTokens image tokens of a batch, all pictures together; at least one picture is taken
 * @param shuffleBuffer samples among which the next one is drawn
 * @param decoderThreads threads that make pictures ready
 * @param batchesAhead batches that are made ready before they are needed
 * @param shortCaptions probability that the short caption is taken where there are two
 * @param upright turns pictures as their EXIF orientation says
 * @param toSrgb converts colours of another embedded ICC profile to sRGB
 * @param mostBad largest share of the samples that may be unreadable
 * @param cache folder of the tokenizer's features; null for none
 * @param textCache folder of the text encoder's features; null for none
 */
public record DataConfig(
    Demo demo,
    @ConfigField Path path,
    @ConfigField Path images,
    @ConfigField("0.06M") SizeClass size,
    Map<String, Filter> filters,
    @ConfigField Path validationPath,
    @ConfigField(value = "0", most = 0.5) double validationFraction,
    @ConfigField(value = "4", least = 1) int validationBatches,
    @ConfigField(value = "8192", least = 1) int batchTokens,
    @ConfigField(value = "10000", least = 1) int shuffleBuffer,
    @ConfigField(value = "1", least = 1) int decoderThreads,
    @ConfigField("2") int batchesAhead,
    @ConfigField(value = "0.5", most = 1) double shortCaptions,
    @ConfigField("false") boolean upright,
    @ConfigField("false") boolean toSrgb,
    @ConfigField(value = "0.1", most = 1) double mostBad,
    @ConfigField Path cache,
    @ConfigField Path textCache) {

  /**
   * The section {@code demo}: pictures of the demo data set, drawn when they are needed.
   *
   * @param seed of the data set
   * @param count of pictures
   * @param heldOut whether they show only what is held out
   * @param readingOrder whether captions name the left or the upper thing of a pair first
   */
  public record Demo(
      @ConfigField("1") long seed,
      @ConfigField(value = "20000", least = 1) int count,
      @ConfigField("false") boolean heldOut,
      @ConfigField("false") boolean readingOrder) {
    /** The only size that pictures are drawn in. */
    public static final SizeClass SIZE = SizeClass.PIXELS_0_06M;
  }

  /**
   * Bounds of a column; a sample without the column does not pass.
   *
   * @param min smallest value that passes
   * @param max largest value that passes
   */
  public record Filter(
      @ConfigField(value = "-Infinity", least = Double.NEGATIVE_INFINITY) double min,
      @ConfigField(value = "Infinity", least = Double.NEGATIVE_INFINITY) double max) {}

  /**
   * Copies the filters.
   *
   * @throws FieldFault if a field is not for the kind of pictures
   */
  public DataConfig {
    Map<String, Filter> copy = new LinkedHashMap<>(filters == null ? Map.of() : filters);
    if (demo != null) {
      onlyForFiles("path", path != null);
      onlyForFiles("images", images != null);
      onlyForFiles("filters", filters != null);
      onlyForFiles("validation_path", validationPath != null);
      if (size != Demo.SIZE) {
        throw new FieldFault("size", "pictures are drawn in " + Demo.SIZE.label() + " only");
      }
    } else if (path == null) {
      throw new FieldFault("path", "is missing");
    }
    filters = Collections.unmodifiableMap(copy);
  }

  private static void onlyForFiles(String field, boolean there) {
    if (there) {
      throw new FieldFault(field, "is not for pictures that are drawn");
    }
  }

  /** What is done about orientations and profiles. */
  public PictureOptions pictures() {
    return new PictureOptions(upright, toSrgb);
  }

  /** Why a sample is not good enough; empty if it is. */
  Optional<String> fault(CaptionLine line) {
    for (Map.Entry<String, Filter> filter : filters.entrySet()) {
      String column = filter.getKey();
      Double value = line.columns().get(column);
      if (value == null) {
        return Optional.of(column + " is missing");
      }
      if (!(value >= filter.getValue().min())) {
        return Optional.of(column + " is below " + filter.getValue().min());
      }
      if (value > filter.getValue().max()) {
        return Optional.of(column + " is above " + filter.getValue().max());
      }
    }
    return Optional.empty();
  }

  /** What the order of samples follows from, as part of a run's identity. */
  public String identity() {
    List<String> thresholds =
        filters.entrySet().stream()
            .map(
                filter ->
                    "Threshold[column="
                        + filter.getKey()
                        + ", least="
                        + filter.getValue().min()
                        + ", most="
                        + filter.getValue().max()
                        + "]")
            .toList();
    return String.join(
        "\n",
        "data.path: " + (demo == null ? path : demo) + pictures().id(),
        "data.size: " + size.label(),
        "data.filters: " + thresholds,
        "data.batch_tokens: " + batchTokens,
        "data.shuffle_buffer: " + shuffleBuffer,
        "data.short_captions: " + shortCaptions,
        "data.validation: " + validationPath + " " + validationFraction);
  }
}
