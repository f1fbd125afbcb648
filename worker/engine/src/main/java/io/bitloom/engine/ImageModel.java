package io.bitloom.engine;

import io.bitloom.common.rules.ImagePrompt;
import io.bitloom.common.rules.SamplingParameters;
import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.engine.image.RgbImage;
import io.bitloom.engine.model.GenerationBatch;
import io.bitloom.engine.model.ImageSampling;
import io.bitloom.engine.model.InfinityConfig;
import io.bitloom.engine.model.InfinityTransformer;
import io.bitloom.engine.model.ScaleObserver;
import io.bitloom.engine.modeldir.ModelDirectory;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.PackedRows;
import io.bitloom.engine.tensor.Resize;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.engine.tensor.Weights;
import io.bitloom.engine.tensor.WeightsException;
import io.bitloom.engine.text.CachedTextEncoder;
import io.bitloom.engine.tokenizer.VisualTokenizer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.bytedeco.pytorch.Tensor;

/**
 * A loaded model: text encoder, transformer and tokenizer on one device. Everything but the
 * accessors is called on the device's thread.
 */
final class ImageModel implements AutoCloseable {
  private static final int GREEDY = 1;

  private final CachedTextEncoder textEncoder;
  private final InfinityTransformer transformer;
  private final VisualTokenizer tokenizer;
  private final TorchDevice device;
  private final boolean fixedShapes;
  private final DecodeEstimate decodedAtOnce;

  private ImageModel(
      CachedTextEncoder textEncoder,
      InfinityTransformer transformer,
      VisualTokenizer tokenizer,
      EngineConfig config) {
    this.textEncoder = textEncoder;
    this.transformer = transformer;
    this.tokenizer = tokenizer;
    this.device = config.device();
    this.fixedShapes = config.fixedBatches();
    this.decodedAtOnce = DecodeEstimate.of(tokenizer.config(), device, config.dtype());
  }

  /**
   * Loads a model.
   *
   * @throws io.bitloom.engine.tensor.WeightsException naming file and tensor, if the weights do not
   *     fit the directory's settings
   */
  static ImageModel load(ModelDirectory directory, EngineConfig config) {
    CachedTextEncoder textEncoder =
        new CachedTextEncoder(
            directory.textEncoder(config.device(), config.dtype()), config.textCacheBytes());
    try {
      return load(directory, config, textEncoder);
    } catch (RuntimeException e) {
      textEncoder.close();
      throw e;
    }
  }

  private static ImageModel load(
      ModelDirectory directory, EngineConfig config, CachedTextEncoder textEncoder) {
    TorchDevice device = config.device();
    DType dtype = config.dtype();
    try (Weights stored = directory.tokenizerWeights()) {
      InfinityTransformer transformer = directory.transformer(stored, device, dtype);
      try {
        VisualTokenizer tokenizer = tokenizer(directory, stored, device, dtype);
        return new ImageModel(textEncoder, transformer, tokenizer, config);
      } catch (RuntimeException e) {
        transformer.close();
        throw e;
      }
    }
  }

  private static VisualTokenizer tokenizer(
      ModelDirectory directory, Weights stored, TorchDevice device, DType dtype) {
    try (Weights weights = stored.to(device, dtype)) {
      VisualTokenizer tokenizer = new VisualTokenizer(directory.tokenizer(), weights);
      for (String unexpected : tokenizer.unexpected()) {
        tokenizer.close();
        throw new WeightsException(
            weights.source(),
            unexpected,
            "is not part of the architecture in " + directory.source());
      }
      return tokenizer;
    }
  }

  /** Architecture of the transformer. */
  InfinityConfig transformer() {
    return transformer.config();
  }

  /** Why a prompt cannot be drawn, for who wrote it; empty if it can. */
  Optional<String> refusal(PromptWork work) {
    return textEncoder
        .refusal(work.text())
        .or(
            () ->
                Optional.of(work.prompt().negativePrompt())
                    .filter(negative -> !negative.isEmpty())
                    .flatMap(textEncoder::refusal)
                    .map(refusal -> "negative prompt: " + refusal));
  }

  /** The text encoder with its counters, which may be read on any thread. */
  CachedTextEncoder texts() {
    return textEncoder;
  }

  /**
   * The text stage of a batch: features of all texts and negative prompts, which are encoded
   * together, or each alone where shapes are fixed, and how each image is to be drawn.
   */
  GenerationBatch encodeTexts(ScaleSchedule schedule, List<ImageRequest> batch) {
    List<ImageSampling> images =
        batch.stream()
            .map(image -> sampling(image.work().prompt(), image.index(), schedule.scales().size()))
            .toList();
    List<String> negatives =
        batch.stream().map(image -> image.work().prompt().negativePrompt()).toList();
    List<String> texts = new ArrayList<>(batch.stream().map(image -> image.work().text()).toList());
    negatives.stream().filter(negative -> !negative.isEmpty()).forEach(texts::add);
    PackedRows encoded = encode(texts);
    if (texts.size() == batch.size()) {
      return new GenerationBatch(schedule.scales(), encoded, null, images, textRoom());
    }
    PackedRows given = encoded.slice(batch.size(), texts.size());
    List<Integer> lengths = new ArrayList<>();
    int next = 0;
    for (String negative : negatives) {
      lengths.add(negative.isEmpty() ? 0 : given.lengths().get(next++));
    }
    return new GenerationBatch(
        schedule.scales(),
        encoded.slice(0, batch.size()),
        new PackedRows(given.rows(), lengths),
        images,
        textRoom());
  }

  private PackedRows encode(List<String> texts) {
    int most = transformer.config().textMaxLength();
    if (!fixedShapes) {
      return textEncoder.encode(texts, most);
    }
    List<PackedRows> each =
        texts.stream().map(text -> textEncoder.encode(List.of(text), most)).toList();
    return new PackedRows(
        Tensors.concat(each.stream().map(PackedRows::rows).toList(), 0),
        each.stream().map(text -> text.lengths().get(0)).toList());
  }

  /**
   * See {@link GenerationBatch#textRoom}; labels of classes are one row anyway. More than any text
   * has, because texts without anything to mask could be read by another kernel.
   */
  private int textRoom() {
    InfinityConfig config = transformer.config();
    return fixedShapes && config.square() == null ? config.textMaxLength() + 1 : 0;
  }

  /** A prompt's sampling parameters as the transformer takes them, one value for every scale. */
  static ImageSampling sampling(ImagePrompt prompt, int index, int scales) {
    SamplingParameters sampling = prompt.sampling();
    List<Integer> layers = sampling.guidanceLayers();
    return new ImageSampling(
        prompt.seed(),
        index,
        perScale(sampling.guidance(), scales),
        layers.isEmpty() ? Set.of(ImageSampling.LOGITS) : Set.copyOf(layers),
        perScale(sampling.temperature(), scales),
        sampling.greedy() ? GREEDY : sampling.topK() == null ? 0 : sampling.topK(),
        sampling.topP());
  }

  /** One value is for all scales; a list has one for each. */
  private static List<Double> perScale(List<Double> values, int scales) {
    return values.size() == 1 ? Collections.nCopies(scales, values.get(0)) : values;
  }

  /**
   * The transformer's stage: the sum of all scales' codes (B, d, H, W), which belongs to the open
   * scope. A device that takes work in advance need not have done it when this returns.
   *
   * @param observer is told of every scale
   */
  Tensor generate(GenerationBatch batch, ScaleObserver observer) {
    return transformer.generate(batch, observer).summedCodesBdHW();
  }

  /**
   * The tokenizer's stage, some pictures at a time ({@link DecodeEstimate}). A device that takes
   * work in advance is given all of it, and waited for once, with the pictures on the host.
   *
   * @param wanted pictures that are decoded, from the first one on
   */
  List<RgbImage> decode(ScaleSchedule schedule, Tensor summedCodesBdHW, int wanted) {
    int atOnce = decodedAtOnce(schedule, Math.toIntExact(summedCodesBdHW.size(0)));
    return tokenizer.rgb(summedCodesBdHW, wanted, atOnce).stream()
        .map(rgb -> new RgbImage(schedule.pixelWidth(), schedule.pixelHeight(), rgb))
        .toList();
  }

  /** Pictures at a time; where shapes are fixed, all parts of a batch are equal. */
  private int decodedAtOnce(ScaleSchedule schedule, int batch) {
    int most = Math.min(batch, decodedAtOnce.applyAsInt(schedule));
    while (fixedShapes && batch % most != 0) {
      most--;
    }
    return most;
  }

  /**
   * Decodes one sum of codes (1, d, H, W), resized before if the picture is to be small.
   *
   * @param longerSide pixels that the picture is to have at most
   */
  RgbImage picture(ScaleSchedule schedule, Tensor summedCodes1dHW, int longerSide) {
    try (Scope scope = Scope.open()) {
      int height = Math.toIntExact(summedCodes1dHW.size(2));
      int width = Math.toIntExact(summedCodes1dHW.size(3));
      int stride = schedule.pixelHeight() / height;
      int most = Math.max(1, longerSide / stride);
      Tensor codes = summedCodes1dHW;
      if (most < Math.max(height, width)) {
        double scale = (double) most / Math.max(height, width);
        height = Math.max(1, (int) Math.round(scale * height));
        width = Math.max(1, (int) Math.round(scale * width));
        codes = Resize.area(codes, height, width);
      }
      Tensor picture = tokenizer.pictures(codes); // (1, H·stride, W·stride, 3)
      return new RgbImage(width * stride, height * stride, Tensors.bytes(picture));
    }
  }

  @Override
  public void close() {
    textEncoder.close();
    transformer.close();
    tokenizer.close();
  }
}
