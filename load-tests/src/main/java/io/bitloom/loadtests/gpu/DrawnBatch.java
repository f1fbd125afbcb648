package io.bitloom.loadtests.gpu;

import io.bitloom.common.rules.ImagePrompt;
import io.bitloom.common.rules.SamplingParameters;
import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.engine.checkpoint.RuleTensor;
import io.bitloom.engine.model.GenerationBatch;
import io.bitloom.engine.model.ImageSampling;
import io.bitloom.engine.model.InfinityConfig;
import io.bitloom.engine.model.ScaleObserver;
import io.bitloom.engine.modeldir.ModelDirectory;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.PackedRows;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.Tensor;

/**
 * A batch of images, from features of texts to pixels in the JVM. Texts have {@link #TOKENS} rows
 * of random features: what encodes them is not part of it.
 */
final class DrawnBatch {
  /** Length of the prompts. */
  static final int TOKENS = 40;

  private final DrawingModel model;
  private final ScaleSchedule schedule;
  private final List<ImageSampling> images;

  /**
   * @param sampling guidance and temperature of every scale
   */
  DrawnBatch(DrawingModel model, ScaleSchedule schedule, int size, SamplingParameters sampling) {
    this.model = model;
    this.schedule = schedule;
    int scales = schedule.scales().size();
    images =
        IntStream.range(0, size)
            .mapToObj(
                seed ->
                    new ImageSampling(
                        seed,
                        0,
                        perScale(sampling.guidance(), scales),
                        Set.of(ImageSampling.LOGITS),
                        perScale(sampling.temperature(), scales),
                        0,
                        sampling.topP()))
            .toList();
  }

  /** What a preset stands for, with a model at a size. */
  static SamplingParameters sampling(
      ModelDirectory directory, String size, SamplingParameters.Preset preset) {
    ImagePrompt prompt =
        ImagePrompt.builder("a prompt")
            .size(size)
            .aspectRatio("1:1")
            .sampling(SamplingParameters.builder().preset(preset).build())
            .build();
    return directory.resolve(prompt, "sitting", 0).prompt().sampling();
  }

  /** One value is for all scales; a list has one for each. */
  static List<Double> perScale(List<Double> values, int scales) {
    return values.size() == 1 ? Collections.nCopies(scales, values.get(0)) : values;
  }

  /** Features of some prompts of an infinity model, on a device. */
  static PackedRows texts(InfinityConfig config, int prompts, TorchDevice device) {
    long[] shape = {(long) prompts * TOKENS, config.textChannels()};
    Tensor features = new RuleTensor("prompts", shape, 0, 1).generate(1);
    return new PackedRows(
        Tensors.to(features, device, DType.F32), Collections.nCopies(prompts, TOKENS));
  }

  /** Guidance of every scale. */
  List<Double> guidance() {
    return images.get(0).guidance();
  }

  /**
   * Draws the batch.
   *
   * @return seconds until the transformer's last operator was queued, until it was computed, and
   *     until all pictures, decoded as a worker does, were in the JVM's memory
   */
  double[] draw() {
    try (Scope scope = Scope.open()) {
      PackedRows texts = texts(model.transformer().config(), images.size(), model.device());
      model.device().synchronize();
      GenerationBatch batch = new GenerationBatch(schedule.scales(), texts, null, images);
      long start = System.nanoTime();
      Tensor codes = model.transformer().generate(batch, ScaleObserver.NONE).summedCodesBdHW();
      final double queued = (System.nanoTime() - start) / 1e9;
      model.device().synchronize();
      final double generated = (System.nanoTime() - start) / 1e9;
      model.tokenizer().rgb(codes, images.size(), model.decodedAtOnce(schedule));
      return new double[] {queued, generated, (System.nanoTime() - start) / 1e9};
    }
  }
}
