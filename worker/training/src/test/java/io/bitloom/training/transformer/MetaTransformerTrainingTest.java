package io.bitloom.training.transformer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.common.schedule.ScaleSchedules;
import io.bitloom.common.schedule.SizeClass;
import io.bitloom.engine.image.RgbImage;
import io.bitloom.engine.model.InfinityConfig;
import io.bitloom.engine.model.InfinityLayout;
import io.bitloom.engine.model.InfinityPreset;
import io.bitloom.engine.model.MetaModels;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.MetaWeights;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.engine.tensor.Transfers;
import io.bitloom.engine.tensor.Weights;
import io.bitloom.engine.text.HashedWordEncoder;
import io.bitloom.engine.tokenizer.TokenizerConfig;
import io.bitloom.engine.tokenizer.TokenizerLayout;
import io.bitloom.engine.tokenizer.VisualTokenizer;
import io.bitloom.training.data.SampleBatch;
import io.bitloom.training.data.TrainingSample;
import io.bitloom.training.distributed.Processes;
import io.bitloom.training.optim.AdamW;
import io.bitloom.training.optim.LearningRate;
import io.bitloom.training.optim.Muon;
import io.bitloom.training.run.Readings;
import io.bitloom.training.run.StepReport;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Training steps as a GPU would do them, of models of any size, on tensors without memory: a tensor
 * of another shape, type or device than it should be, or a read before the step's only one, fails.
 */
class MetaTransformerTrainingTest {
  private static final ScaleSchedule SMALL = ScaleSchedules.nearest(1, SizeClass.PIXELS_0_06M);
  private static final ScaleSchedule LARGE = ScaleSchedules.nearest(0.75, SizeClass.PIXELS_1M);

  /** As the official scripts, but with every sample as likely with its text as without. */
  private static final Objective OBJECTIVE =
      new Objective(0.3, 13, true, 0.5, true, false, false, 100, Long.MAX_VALUE);

  private static final Muon.Settings MUON = new Muon.Settings(10, 0.95);

  /** What a step is tried with. */
  private record Variant(ScaleSchedule schedule, boolean recompute, DType precision, boolean muon) {
    private Variant(ScaleSchedule schedule, boolean recompute) {
      this(schedule, recompute, DType.BF16, false);
    }
  }

  private static TransformerTraining training(InfinityPreset preset, Variant variant) {
    InfinityConfig config = MetaModels.config(preset);
    int d = config.tokenizerChannels();
    TokenizerConfig tokenizer = TokenizerConfig.of(TokenizerConfig.preset("d" + d).orElseThrow());
    TransformerSettings settings =
        new TransformerSettings(
            config,
            OBJECTIVE,
            AdamW.Settings.REFERENCE,
            variant.muon() ? MUON : null,
            new LearningRate(1e-4, LearningRate.Shape.CONSTANT, 0, 1, 1),
            5,
            0.9,
            true,
            variant.schedule().tokens(), // a sample at a time
            variant.recompute(),
            TorchDevice.META,
            variant.precision(),
            1,
            100,
            List.of(),
            null);
    try (Weights start = MetaWeights.of(InfinityLayout.of(config));
        Weights ofTokenizer = MetaWeights.of(TokenizerLayout.of(tokenizer))) {
      return new TransformerTraining(
          settings,
          start,
          new HashedWordEncoder(config.textChannels()),
          new VisualTokenizer(tokenizer, ofTokenizer),
          null,
          null,
          Processes.alone());
    }
  }

  /** Two samples: a picture, and one whose features are known. */
  private static SampleBatch batch(InfinityPreset preset, ScaleSchedule schedule) {
    InfinityConfig config = MetaModels.config(preset);
    int cells = schedule.last().tokens() * (config.spatialPatchify() ? 4 : 1);
    float[] features = new float[config.tokenizerChannels() * cells];
    int height = schedule.pixelHeight();
    int width = schedule.pixelWidth();
    RgbImage picture = new RgbImage(width, height, new byte[3 * width * height]);
    return new SampleBatch(
        0,
        schedule,
        List.of(
            new TrainingSample(0, "a word", null, features, null),
            new TrainingSample(1, "some more words", picture, null, null)));
  }

  private static void step(InfinityPreset preset, Variant variant) {
    try (Scope scope = Scope.open();
        TransformerTraining training = training(preset, variant);
        Readings readings = new Readings()) {
      SampleBatch batch = batch(preset, variant.schedule());
      BatchLoss loss = training.learn(batch, readings);
      Weights weights = training.tensors().get("transformer");
      for (String name : weights.names()) {
        Tensor weight = weights.get(name);
        if (weight.requires_grad()) {
          assertTrue(weight.grad().defined() && weight.grad().is_meta(), name);
          assertEquals(DType.F32, Tensors.dtype(weight.grad()), name);
          assertArrayEquals(weight.shape(), weight.grad().shape(), name);
        }
      }
      assertThrows(IllegalStateException.class, readings::read); // there is nothing to read
      readings.deliver(new double[readings.count()]);
      StepReport report = training.apply(batch, loss);
      assertTrue(report.applied());
      assertEquals(2L * variant.schedule().tokens(), report.tokens());
      assertEquals(1, training.optimizerSteps());
      assertEquals(0, Transfers.ofThread().reads());
    }
  }

  @ParameterizedTest
  @EnumSource
  void everyOfficialArchitectureTakesAStep(InfinityPreset preset) {
    step(preset, new Variant(SMALL, false));
    step(preset, new Variant(SMALL, true));
  }

  @ParameterizedTest
  @EnumSource
  void theLargestPicturesCanBeLearntFrom(InfinityPreset preset) {
    step(preset, new Variant(LARGE, true));
  }

  @Test
  void soItIsInFloat32AndWithMuon() {
    step(InfinityPreset.LAYER12, new Variant(SMALL, false, DType.F32, false));
    step(InfinityPreset.LAYER12, new Variant(SMALL, true, DType.BF16, true));
  }
}
