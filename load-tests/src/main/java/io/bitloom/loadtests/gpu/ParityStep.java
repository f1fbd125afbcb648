package io.bitloom.loadtests.gpu;

import com.google.gson.JsonObject;
import io.bitloom.common.schedule.Scale;
import io.bitloom.common.schedule.ScaleSchedules;
import io.bitloom.common.schedule.SizeClass;
import io.bitloom.engine.checkpoint.RuleTensor;
import io.bitloom.engine.model.Generation;
import io.bitloom.engine.model.GenerationBatch;
import io.bitloom.engine.model.ImageSampling;
import io.bitloom.engine.model.InfinityConfig;
import io.bitloom.engine.model.ScaleObserver;
import io.bitloom.engine.model.Trace;
import io.bitloom.engine.modeldir.ModelDirectory;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.PackedRows;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.engine.tensor.Weights;
import io.bitloom.engine.tokenizer.VisualTokenizer;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/**
 * Whether a device draws what the CPU draws in float32: greedily, with guidance, with a small model
 * of every kind; and whether the tokenizer's networks give the same.
 */
final class ParityStep {
  private static final String DRAWN = "Parity of what is drawn";
  private static final String TOKENIZER = "Parity of the tokenizer";
  private static final String FIRST_LOGITS = "logits/0";
  private static final double GUIDANCE = 3;
  private static final int IMAGES = 2;
  private static final int FIRST_SCALES = 3;
  private static final int SIDE = 64; // pixels of the pictures that are encoded, and tokens · 16

  /** The part of all bits that has to be the same; {@code CudaTest} has the same bounds. */
  private static final Map<DType, Double> BITS = Map.of(DType.F32, 0.99, DType.BF16, 0.9);

  private ParityStep() {}

  static void run(Sitting sitting) throws IOException {
    for (DType dtype : List.of(DType.F32, DType.BF16)) {
      for (SittingModel model : SittingModel.OF_PARITY) {
        JsonObject identity = new Row().with("model", model).with("type", dtype).json();
        sitting.measure(DRAWN, identity, () -> drawn(sitting, model, dtype));
      }
      Set<SittingModel> tokenizers = new LinkedHashSet<>(Set.of(SittingModel.TINY));
      tokenizers.addAll(sitting.plan().models());
      for (SittingModel model : tokenizers) {
        JsonObject identity = new Row().with("model", model).with("type", dtype).json();
        sitting.measure(TOKENIZER, identity, () -> tokenizer(sitting, model, dtype));
      }
    }
  }

  /**
   * What a model draws on a device.
   *
   * @param tokens bits, or entries of the codebook, of every scale
   * @param logits of the first scale, which no drawing has changed yet
   */
  private record Drawn(List<long[]> tokens, float[] logits) {}

  private static JsonObject drawn(Sitting sitting, SittingModel model, DType dtype)
      throws IOException {
    ModelDirectory directory = sitting.directory(model);
    Drawn expected = draw(directory, TorchDevice.CPU, DType.F32);
    Drawn computed = draw(directory, sitting.plan().device(), dtype);
    int scales = expected.tokens().size();
    double agreement = agreement(expected, computed, scales);
    return new Row()
        .with("bits alike", agreement)
        .with("in the first three scales", agreement(expected, computed, FIRST_SCALES))
        .with("expected at least", BITS.get(dtype))
        .with("holds", agreement >= BITS.get(dtype))
        .with("largest error of the first logits", largest(expected.logits(), computed.logits()))
        .with("their largest", largest(expected.logits(), new float[expected.logits().length]))
        .json();
  }

  private static Drawn draw(ModelDirectory directory, TorchDevice device, DType dtype) {
    try (Scope scope = Scope.open();
        DrawingModel model = DrawingModel.load(directory, device, dtype)) {
      InfinityConfig config = model.transformer().config();
      SizeClass size = directory.sizes().get(0);
      List<Scale> scales = ScaleSchedules.nearest(1, size).scales();
      PackedRows texts =
          config.square() == null
              ? DrawnBatch.texts(config, IMAGES, device)
              : new PackedRows(Tensors.of(new float[] {1, 3}, IMAGES, 1), List.of(1, 1));
      GenerationBatch batch =
          new GenerationBatch(scales, texts, null, Collections.nCopies(IMAGES, greedy(scales)));
      List<float[]> logits = new ArrayList<>();
      Trace trace =
          Trace.to(
              Set.of(FIRST_LOGITS),
              (name, tensor) -> {
                if (name.equals(FIRST_LOGITS)) {
                  logits.add(Tensors.floats(tensor));
                }
              });
      Generation generation = model.transformer().generate(batch, ScaleObserver.NONE, trace);
      List<long[]> tokens = generation.bits().stream().map(bits -> Tensors.longs(bits)).toList();
      return new Drawn(tokens, logits.get(0));
    }
  }

  private static ImageSampling greedy(List<Scale> scales) {
    List<Double> guidance = Collections.nCopies(scales.size(), GUIDANCE);
    List<Double> temperature = Collections.nCopies(scales.size(), 1.0);
    return new ImageSampling(0, 0, guidance, Set.of(ImageSampling.LOGITS), temperature, 1, 0);
  }

  private static double agreement(Drawn expected, Drawn computed, int scales) {
    long all = 0;
    long alike = 0;
    for (int k = 0; k < scales; k++) {
      long[] one = expected.tokens().get(k);
      long[] other = computed.tokens().get(k);
      all += one.length;
      for (int i = 0; i < one.length; i++) {
        alike += one[i] == other[i] ? 1 : 0;
      }
    }
    return (double) alike / all;
  }

  private static JsonObject tokenizer(Sitting sitting, SittingModel model, DType dtype)
      throws IOException {
    ModelDirectory directory = sitting.directory(model);
    List<float[]> expected = pass(directory, TorchDevice.CPU, DType.F32);
    List<float[]> computed = pass(directory, sitting.plan().device(), dtype);
    float[] features = expected.get(1);
    int alike = 0;
    for (int i = 0; i < features.length; i++) {
      alike += (features[i] > 0) == (computed.get(1)[i] > 0) ? 1 : 0;
    }
    return new Row()
        .with("largest error decoded", largest(expected.get(0), computed.get(0)))
        .with("largest decoded", largest(expected.get(0), new float[expected.get(0).length]))
        .with("largest error of features", largest(features, computed.get(1)))
        .with("largest feature", largest(features, new float[features.length]))
        .with("features of one sign", (double) alike / features.length)
        .json();
  }

  /** A decoded and an encoded picture. */
  private static List<float[]> pass(ModelDirectory directory, TorchDevice device, DType dtype) {
    try (Scope scope = Scope.open();
        Weights stored = directory.tokenizerWeights();
        Weights weights = stored.to(device, dtype);
        VisualTokenizer tokenizer = new VisualTokenizer(directory.tokenizer(), weights)) {
      int channels = directory.tokenizer().codebookDim();
      long places = SIDE / directory.tokenizer().patchSize();
      Tensor codes =
          new RuleTensor("codes", new long[] {1, channels, places, places}, 0, 1)
              .generate(1)
              .sign()
              .div(new Scalar(Math.sqrt(channels)));
      Tensor decoded = tokenizer.decode(Tensors.to(codes, device, DType.F32));
      Tensor picture =
          new RuleTensor("picture", new long[] {1, 3, SIDE, SIDE}, 128, 127).generate(1);
      Tensor features = tokenizer.features(Tensors.to(picture, device, DType.U8));
      return List.of(Tensors.floats(decoded), Tensors.floats(features));
    }
  }

  private static double largest(float[] expected, float[] computed) {
    double largest = 0;
    for (int i = 0; i < expected.length; i++) {
      double error = Math.abs((double) expected[i] - computed[i]);
      largest = error <= largest ? largest : error; // NaN stays
    }
    return largest;
  }
}
