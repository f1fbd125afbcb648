package io.bitloom.training.transformer;

import io.bitloom.common.schedule.Scale;
import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.engine.codes.ResidualQuantizer;
import io.bitloom.engine.image.RgbImage;
import io.bitloom.engine.model.Generation;
import io.bitloom.engine.model.GenerationBatch;
import io.bitloom.engine.model.ImageSampling;
import io.bitloom.engine.model.InfinityConfig;
import io.bitloom.engine.model.InfinityTransformer;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.PackedRows;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.engine.tensor.Weights;
import io.bitloom.engine.text.TextEncoder;
import io.bitloom.engine.tokenizer.VisualTokenizer;
import io.bitloom.training.data.FeatureCache;
import io.bitloom.training.data.TrainingSample;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;

/** What the transformer is trained with and does not change: tokenizer and text encoder. */
public final class FrozenParts implements AutoCloseable {
  private static final double PREVIEW_GUIDANCE = 3;
  private static final double PREVIEW_TOP_P = 0.97;

  private final TextEncoder textEncoder;
  private final VisualTokenizer tokenizer;
  private final boolean patchify;
  private final TorchDevice device;
  private final FeatureCache cache;

  /**
   * Takes over both models.
   *
   * @param patchify whether the transformer sees 2×2 features as one token
   * @param cache where features of pictures are kept; null for nowhere
   */
  public FrozenParts(
      TextEncoder textEncoder,
      VisualTokenizer tokenizer,
      boolean patchify,
      TorchDevice device,
      FeatureCache cache) {
    this.textEncoder = textEncoder;
    this.tokenizer = tokenizer;
    this.patchify = patchify;
    this.device = device;
    this.cache = cache;
  }

  ResidualQuantizer quantizer() {
    return tokenizer.quantizer();
  }

  /** The scales as the tokenizer counts them. */
  List<Scale> tokenizerScales(ScaleSchedule schedule) {
    return patchify ? schedule.scales().stream().map(Scale::doubled).toList() : schedule.scales();
  }

  TextEncoder textEncoder() {
    return textEncoder;
  }

  /**
   * The tokenizer's features of samples (B, d, H, W), from the cache where it has them. Pictures
   * are encoded one by one, so that a picture's features do not depend on its batch.
   */
  Tensor features(List<TrainingSample> samples, ScaleSchedule schedule) {
    List<Scale> scales = tokenizerScales(schedule);
    Scale full = scales.get(scales.size() - 1);
    List<Tensor> features = new ArrayList<>();
    try (Scope scope = Scope.open();
        NoGradGuard noGradients = new NoGradGuard()) {
      for (TrainingSample sample : samples) {
        float[] known = sample.features() == null ? encode(sample) : sample.features();
        long d = tokenizer.config().codebookDim();
        features.add(Tensors.of(known, 1, d, full.height(), full.width()));
      }
      return scope.keep(
          Tensors.concat(features, 0).to(device.torch(), DType.F32.torch())); // (B, d, H, W)
    }
  }

  private float[] encode(TrainingSample sample) {
    RgbImage picture = sample.picture();
    try (Scope scope = Scope.open()) {
      Tensor pixels =
          Tensors.of(picture.rgb(), 1, picture.height(), picture.width(), 3)
              .permute(0, 3, 1, 2); // (1, 3, H·p, W·p)
      float[] features =
          Tensors.floats(tokenizer.features(pixels.to(device.torch(), DType.U8.torch())));
      if (sample.key() != null) {
        cache.put(sample.key(), features);
      }
      return features;
    } catch (IOException e) {
      throw new UncheckedIOException("the feature cache cannot be written", e);
    }
  }

  /** A picture of each prompt, square and always with the same random numbers. */
  List<RgbImage> draw(
      InfinityConfig architecture,
      Weights weights,
      TextEncoder texts,
      ScaleSchedule schedule,
      List<String> prompts) {
    List<Scale> scales = schedule.scales();
    List<RgbImage> pictures = new ArrayList<>();
    try (NoGradGuard noGradients = new NoGradGuard();
        InfinityTransformer model =
            InfinityTransformer.forInference(
                architecture, weights.renamed(name -> name), device, DType.F32)) {
      for (int i = 0; i < prompts.size(); i++) {
        try (Scope scope = Scope.open()) {
          ImageSampling sampling =
              new ImageSampling(
                  i,
                  0,
                  Collections.nCopies(scales.size(), PREVIEW_GUIDANCE),
                  Set.of(ImageSampling.LOGITS),
                  Collections.nCopies(scales.size(), 1.0),
                  0,
                  PREVIEW_TOP_P);
          PackedRows text = texts.encode(List.of(prompts.get(i)), architecture.textMaxLength());
          Generation drawn =
              model.generate(
                  new GenerationBatch(scales, text, null, List.of(sampling)), (scale, sum) -> {});
          Tensor bytes = tokenizer.pictures(drawn.summedCodesBdHW()); // (1, H, W, 3)
          pictures.add(
              new RgbImage(schedule.pixelWidth(), schedule.pixelHeight(), Tensors.bytes(bytes)));
        }
      }
    }
    return pictures;
  }

  @Override
  public void close() {
    tokenizer.close();
    textEncoder.close();
  }
}
