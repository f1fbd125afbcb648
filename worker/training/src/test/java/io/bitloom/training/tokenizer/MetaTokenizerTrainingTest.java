package io.bitloom.training.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.common.schedule.ScaleSchedules;
import io.bitloom.common.schedule.SizeClass;
import io.bitloom.engine.checkpoint.SafetensorsWriter;
import io.bitloom.engine.codes.QuantizerConfig;
import io.bitloom.engine.image.RgbImage;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.engine.tensor.Transfers;
import io.bitloom.engine.tensor.Weights;
import io.bitloom.engine.tokenizer.TokenizerConfig;
import io.bitloom.training.data.SampleBatch;
import io.bitloom.training.data.TrainingSample;
import io.bitloom.training.distributed.Processes;
import io.bitloom.training.optim.AdamW;
import io.bitloom.training.optim.LearningRate;
import io.bitloom.training.run.Readings;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Steps of a tokenizer's training with all terms of the loss, on tensors without memory: a tensor
 * of another shape, type or device than it should be, or a read before the step's only one, fails.
 */
class MetaTokenizerTrainingTest {
  private static final ScaleSchedule SCHEDULE = ScaleSchedules.nearest(1, SizeClass.PIXELS_0_06M);

  private static TokenizerSettings settings(
      TokenizerConfig architecture, QuantizerConfig.Kind kind) {
    return new TokenizerSettings(
        architecture,
        QuantizerConfig.of(kind, architecture.codebookDim()),
        AdamW.Settings.REFERENCE,
        null,
        new LearningRate(1e-4, LearningRate.Shape.CONSTANT, 0, 1, 1),
        5,
        0.9,
        SCHEDULE.tokens(), // a picture at a time
        SCHEDULE.scales().size(),
        1,
        0,
        0.1,
        32,
        TorchDevice.META,
        false,
        1,
        100);
  }

  private static SampleBatch batch() {
    int height = SCHEDULE.pixelHeight();
    int width = SCHEDULE.pixelWidth();
    RgbImage picture = new RgbImage(width, height, new byte[3 * width * height]);
    return new SampleBatch(
        0,
        SCHEDULE,
        List.of(
            new TrainingSample(0, "", picture, null, null),
            new TrainingSample(1, "", picture, null, null)));
  }

  private static void step(TokenizerSettings settings, Path folder) throws IOException {
    Path file = folder.resolve("vgg.safetensors");
    try (Weights vgg = PerceptualLossTest.vgg(true)) {
      SafetensorsWriter.write(file, vgg, Map.of());
    }
    PerceptualLoss perceptual = PerceptualLoss.read(1, file, null, TorchDevice.META);
    try (Scope scope = Scope.open();
        TokenizerTraining training =
            new TokenizerTraining(settings, null, perceptual, Processes.alone());
        Readings readings = new Readings()) {
      double[] losses = training.learn(batch(), readings);
      for (String part : List.of("tokenizer", "discriminator")) {
        Weights weights = training.tensors().get(part);
        for (String name : weights.names()) {
          Tensor weight = weights.get(name);
          if (weight.requires_grad()) {
            assertTrue(weight.grad().defined() && weight.grad().is_meta(), name);
            assertArrayEquals(weight.shape(), weight.grad().shape(), name);
          }
        }
      }
      assertThrows(IllegalStateException.class, readings::read); // there is nothing to read
      readings.deliver(new double[readings.count()]);
      assertTrue(training.apply(batch(), losses).applied());
      assertEquals(1, training.optimizerSteps());
      assertEquals(0, Transfers.ofThread().reads());
    }
  }

  /** VQ and RVQ are not among them: their codebooks learn on the CPU. */
  @ParameterizedTest
  @EnumSource(names = {"BSQ", "LFQ", "FSQ"})
  void quantizersWithoutACodebookStayOnTheDevice(QuantizerConfig.Kind kind, @TempDir Path folder)
      throws IOException {
    step(settings(new TokenizerConfig(4, 16, 24, List.of(1, 1, 1, 1, 1), 1), kind), folder);
  }

  @Test
  void theReleasedArchitecturesTakeAStep(@TempDir Path folder) throws IOException {
    for (String name : List.of("d14", "d32")) {
      TokenizerConfig config = TokenizerConfig.of(TokenizerConfig.preset(name).orElseThrow());
      step(settings(config, QuantizerConfig.Kind.BSQ), folder);
    }
  }
}
