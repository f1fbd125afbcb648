package io.bitloom.engine;

import io.bitloom.common.rules.ImagePrompt;
import io.bitloom.common.rules.SamplingParameters;
import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.engine.codes.CodebookCodes;
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

  private ImageModel(
      CachedTextEncoder textEncoder,
      InfinityTransformer transformer,
      VisualTokenizer tokenizer,
      TorchDevice device) {
    this.textEncoder = textEncoder;
    this.transformer = transformer;
    this.tokenizer = tokenizer;
    this.device = device;
  }

  /**
   * Loads a model.
   *
   * @param dtype type of the linear layers, the convolutions and the KV cache
   * @param textCacheBytes most memory for the features of texts that may come again
   * @throws io.bitloom.engine.tensor.WeightsException naming file and tensor, if the weights do not
   *     fit the directory's settings
   */
  static ImageModel load(
      ModelDirectory directory, TorchDevice device, DType dtype, long textCacheBytes) {
    CachedTextEncoder textEncoder =
        new CachedTextEncoder(directory.textEncoder(device, dtype), textCacheBytes);
    try {
      return load(directory, device, dtype, textEncoder);
    } catch (RuntimeException e) {
      textEncoder.close();
      throw e;
    }
  }

  private static ImageModel load(
      ModelDirectory directory, TorchDevice device, DType dtype, CachedTextEncoder textEncoder) {
    try (Weights stored = directory.tokenizerWeights()) {
      InfinityTransformer transformer = transformer(directory, stored, device, dtype);
      try {
        VisualTokenizer tokenizer = tokenizer(directory, stored, device, dtype);
        return new ImageModel(textEncoder, transformer, tokenizer, device);
      } catch (RuntimeException e) {
        transformer.close();
        throw e;
      }
    }
  }

  /**
   * @param tokenizer weights of the tokenizer, which has a VAR's codebook
   */
  private static InfinityTransformer transformer(
      ModelDirectory directory, Weights tokenizer, TorchDevice device, DType dtype) {
    InfinityConfig config = directory.transformer();
    try (Weights weights = directory.transformerWeights()) {
      return config.square() == null
          ? InfinityTransformer.forInference(config, weights, device, dtype)
          : InfinityTransformer.forInference(
              config,
              weights,
              new CodebookCodes(
                  config.bitsPerToken(), config.square().vocabulary(), tokenizer, device),
              device,
              dtype);
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
   * together, and how each image is to be drawn.
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
    PackedRows encoded = textEncoder.encode(texts, transformer.config().textMaxLength());
    if (texts.size() == batch.size()) {
      return new GenerationBatch(schedule.scales(), encoded, null, images);
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
        images);
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
   * scope. A device that takes work in advance has done it when this returns.
   *
   * @param observer is told of every scale
   */
  Tensor generate(GenerationBatch batch, ScaleObserver observer) {
    Tensor summedCodesBdHW = transformer.generate(batch, observer).summedCodesBdHW();
    device.synchronize();
    return summedCodesBdHW;
  }

  /**
   * The tokenizer's stage, picture by picture: the convolutions round differently in batches of
   * different size, and the decoder's activations are the largest use of memory.
   */
  List<RgbImage> decode(ScaleSchedule schedule, Tensor summedCodesBdHW) {
    List<RgbImage> images = new ArrayList<>();
    for (long i = 0; i < summedCodesBdHW.size(0); i++) {
      images.add(decode(schedule, summedCodesBdHW.narrow(0, i, 1), Integer.MAX_VALUE));
    }
    return images;
  }

  /**
   * Decodes one sum of codes (1, d, H, W), resized before if the picture is to be small.
   *
   * @param longerSide pixels that the picture is to have at most
   */
  RgbImage decode(ScaleSchedule schedule, Tensor summedCodes1dHW, int longerSide) {
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
