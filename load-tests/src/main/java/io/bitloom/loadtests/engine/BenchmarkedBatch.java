package io.bitloom.loadtests.engine;

import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.engine.image.PngEncoder;
import io.bitloom.engine.image.RgbImage;
import io.bitloom.engine.model.GenerationBatch;
import io.bitloom.engine.model.ImageSampling;
import io.bitloom.engine.model.ScaleObserver;
import io.bitloom.engine.tensor.PackedRows;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.Tensor;

/** A batch whose stages can be run one by one; a stage takes what the one before it made last. */
final class BenchmarkedBatch implements AutoCloseable {
  private static final double TEMPERATURE = 0.5;
  private static final double TOP_P = 0.97;
  private static final int WORDS = 1000;

  private final BenchmarkedModel model;
  private final ScaleSchedule schedule;
  private final int tokens;
  private final boolean guided;
  private final List<String> prompts;
  private final List<ImageSampling> images;

  private PackedRows features;
  private Tensor summedCodesBdHW;
  private RgbImage picture;

  BenchmarkedBatch(
      BenchmarkedModel model, ScaleSchedule schedule, int images, int tokens, double guidance) {
    this.model = model;
    this.schedule = schedule;
    this.tokens = tokens;
    this.guided = guidance != 1;
    int scales = schedule.scales().size();
    prompts = IntStream.range(0, images).mapToObj(image -> prompt(image, tokens)).toList();
    this.images =
        IntStream.range(0, images)
            .mapToObj(seed -> ImageSampling.constant(seed, 0, guidance, TEMPERATURE, TOP_P, scales))
            .toList();
  }

  private static String prompt(int image, int words) {
    return IntStream.range(0, words)
        .mapToObj(word -> "word" + (image + word * word) % WORDS)
        .collect(Collectors.joining(" "));
  }

  /** Bytes of KV cache that one image takes. */
  long kvBytesPerImage() {
    return model.transformer().kvBytesPerImage(schedule.scales(), guided);
  }

  /** Prompts to features, cut to the wanted length. */
  void encodeTexts() {
    PackedRows encoded = model.textEncoder().encode(prompts, tokens);
    close();
    features = new PackedRows(Scope.own(encoded.rows()), encoded.lengths());
  }

  /** Features to codes, the whole batch at once. */
  void generate() {
    GenerationBatch batch = new GenerationBatch(schedule.scales(), features, null, images);
    Tensor codes = model.transformer().generate(batch, ScaleObserver.NONE).summedCodesBdHW();
    closeCodes();
    summedCodesBdHW = Scope.own(codes);
  }

  /** Codes to pixels: the first picture, since workers decode one by one. */
  void decode() {
    Tensor pixels = model.tokenizer().pictures(summedCodesBdHW.narrow(0, 0, 1)); // (1, H, W, 3)
    picture = new RgbImage(schedule.pixelWidth(), schedule.pixelHeight(), Tensors.bytes(pixels));
  }

  /** Pixels to a file. */
  void writePng() {
    PngEncoder.encode(picture, Map.of());
  }

  private void closeCodes() {
    if (summedCodesBdHW != null) {
      summedCodesBdHW.close();
      summedCodesBdHW = null;
    }
  }

  @Override
  public void close() {
    closeCodes();
    if (features != null) {
      features.rows().close();
      features = null;
    }
  }
}
