package io.bitloom.training.transformer;

import io.bitloom.common.schedule.Scale;
import io.bitloom.common.schedule.ScaleSchedule;
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
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;

/**
 * Pictures of a run's prompts, which show how far the training is.
 *
 * @param weights of the transformer as it is now
 */
record PromptPictures(
    InfinityConfig architecture, Weights weights, VisualTokenizer tokenizer, TorchDevice device) {
  private static final double GUIDANCE = 3;
  private static final double TOP_P = 0.97;

  /** A picture of each prompt, always with the same random numbers. */
  List<RgbImage> draw(TextEncoder texts, ScaleSchedule schedule, List<String> prompts) {
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
                  Collections.nCopies(scales.size(), GUIDANCE),
                  Set.of(ImageSampling.LOGITS),
                  Collections.nCopies(scales.size(), 1.0),
                  0,
                  TOP_P);
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
}
