package io.bitloom.training.tokenizer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.common.schedule.ScaleSchedules;
import io.bitloom.common.schedule.SizeClass;
import io.bitloom.engine.codes.QuantizerConfig;
import io.bitloom.engine.image.PngEncoder;
import io.bitloom.engine.image.RgbImage;
import io.bitloom.engine.modeldir.TokenizerFile;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.engine.tensor.Weights;
import io.bitloom.engine.tensor.WeightsException;
import io.bitloom.engine.tokenizer.TokenizerConfig;
import io.bitloom.training.data.SampleBatch;
import io.bitloom.training.data.TrainingSample;
import io.bitloom.training.distributed.Processes;
import io.bitloom.training.eval.TokenizerReconstruction;
import io.bitloom.training.optim.AdamW;
import io.bitloom.training.optim.LearningRate;
import io.bitloom.training.optim.Muon;
import io.bitloom.training.run.StepReport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class TokenizerTrainingTest {
  private static final ScaleSchedule SQUARE =
      ScaleSchedules.nearest(1).schedule(SizeClass.values()[0]);

  private static final TokenizerConfig ARCHITECTURE =
      new TokenizerConfig(4, 16, 24, List.of(1, 1, 1, 1, 1), 1);

  private static TokenizerTraining training(QuantizerConfig.Kind kind) {
    return new TokenizerTraining(settings(ARCHITECTURE, kind, false), Processes.alone());
  }

  private static TokenizerSettings settings(
      TokenizerConfig architecture, QuantizerConfig.Kind kind, boolean freezeEncoder) {
    return settings(architecture, kind, freezeEncoder, 1, false, null);
  }

  private static TokenizerSettings settings(
      TokenizerConfig architecture,
      QuantizerConfig.Kind kind,
      boolean freezeEncoder,
      double squaredWeight,
      boolean singleScale,
      Muon.Settings muon) {
    QuantizerConfig usual = QuantizerConfig.of(kind, 4);
    return new TokenizerSettings(
        architecture,
        new QuantizerConfig(
            kind,
            4,
            64,
            usual.levels(),
            usual.entropyWeight(),
            usual.codebookEntropyWeight(),
            usual.commitmentWeight(),
            usual.inverseTemperature(),
            0.2, // so that entries of codebooks soon restart
            singleScale),
        AdamW.Settings.REFERENCE,
        muon,
        new LearningRate(1e-3, LearningRate.Shape.CONSTANT, 0, 1, 1),
        5,
        0.9,
        100_000,
        SQUARE.scales().size(),
        squaredWeight,
        1,
        0.1,
        4,
        TorchDevice.CPU,
        freezeEncoder,
        1,
        100);
  }

  private static SampleBatch batch(long number) {
    byte[] rgb = new byte[3 * 256 * 256];
    for (int i = 0; i < rgb.length; i++) {
      rgb[i] = (byte) (i % 3 == 0 ? 200 : i / 3 / 256);
    }
    TrainingSample sample = new TrainingSample(number, "", new RgbImage(256, 256, rgb), null, null);
    return new SampleBatch(number, SQUARE, List.of(sample));
  }

  @Test
  void theDiscriminatorJoinsAtItsStepAndReconstructionsImprove() {
    try (TokenizerTraining training = training(QuantizerConfig.Kind.BSQ)) {
      StepReport first = training.step(batch(0));
      assertEquals(0, first.scalars().get("loss/discriminator"));
      StepReport last = first;
      for (int i = 1; i < 5; i++) {
        last = training.step(batch(i));
      }
      assertTrue(last.applied());
      assertTrue(last.loss() < first.loss(), first.loss() + " to " + last.loss());
      assertTrue(last.scalars().get("loss/discriminator") > 0);
      Map<String, Double> found = training.validate(List.of(batch(0)));
      assertTrue(found.get("psnr") > 3 && found.get("digit_entropy") <= Math.log(2) * 1.5);
      assertEquals(2, training.pictures().size());
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"BSQ", "VQ", "RVQ"})
  void aRestoredTrainingTakesTheSameNextSteps(QuantizerConfig.Kind kind) {
    restoredTakesTheSameNextSteps(settings(ARCHITECTURE, kind, false));
  }

  @Test
  void aRestoredTrainingWithMuonTakesTheSameNextSteps() {
    Muon.Settings muon = new Muon.Settings(10, 0.95);
    restoredTakesTheSameNextSteps(
        settings(ARCHITECTURE, QuantizerConfig.Kind.BSQ, false, 1, false, muon));
  }

  private static void restoredTakesTheSameNextSteps(TokenizerSettings settings) {
    try (TokenizerTraining training = new TokenizerTraining(settings, Processes.alone());
        TokenizerTraining restored = new TokenizerTraining(settings, Processes.alone())) {
      skip(training, batch(0)); // the discriminator has then learnt for as long as the tokenizer
      assertTrue(training.step(batch(1)).applied());
      restored.restore(training.tensors(), training.optimizerSteps());
      for (int i = 2; i < 4; i++) {
        StepReport expected = training.step(batch(i));
        StepReport found = restored.step(batch(i));
        assertEquals(expected.loss(), found.loss());
        assertEquals(expected.gradientNorm(), found.gradientNorm());
        assertEquals(expected.scalars(), found.scalars());
      }
    }
  }

  @Test
  void theSquaredErrorCountsByItsWeight() {
    double without = firstGradientNorm(0);
    double much = firstGradientNorm(1e4); // next to it, all other terms vanish
    assertTrue(without > 0 && without < 0.01 * much, without + " and " + much);
    assertEquals(2, firstGradientNorm(2e4) / much, 0.01);
  }

  private static double firstGradientNorm(double squaredWeight) {
    TokenizerSettings settings =
        settings(ARCHITECTURE, QuantizerConfig.Kind.BSQ, false, squaredWeight, false, null);
    try (TokenizerTraining training = new TokenizerTraining(settings, Processes.alone())) {
      return training.step(batch(0)).gradientNorm();
    }
  }

  /** A step whose loss is not finite. */
  private static void skip(TokenizerTraining training, SampleBatch batch) {
    Tensor bias = training.tensors().get("tokenizer").get("encoder.conv_out.conv.bias").detach();
    bias.fill_(new Scalar(Double.NaN));
    assertFalse(training.step(batch).applied());
    bias.fill_(new Scalar(0));
  }

  @Test
  void aWrittenTokenizerReconstructsAsItsValidationDid(@TempDir Path folder) throws IOException {
    Path picture = picture(folder);
    assertEquals(
        6.0 * SQUARE.tokens(),
        bitsOfWritten(settings(ARCHITECTURE, QuantizerConfig.Kind.VQ, false), picture, folder),
        1e-9);
    Files.delete(folder.resolve("quantizer.safetensors"));
    try (TokenizerReconstruction without =
        TokenizerReconstruction.of(folder.resolve("tokenizer.safetensors"), TorchDevice.CPU)) {
      WeightsException fault =
          assertThrows(
              WeightsException.class, () -> without.reconstruct(picture, SizeClass.values()[0]));
      assertTrue(fault.getMessage().contains("quantizer.safetensors"), fault.getMessage());
    }
  }

  @Test
  void aSingleScaleHasOnlyTheDigitsOfTheLast(@TempDir Path folder) throws IOException {
    TokenizerSettings single =
        settings(ARCHITECTURE, QuantizerConfig.Kind.RVQ, false, 1, true, null);
    int tokens = SQUARE.scales().get(SQUARE.scales().size() - 1).tokens();
    assertEquals(6.0 * tokens, bitsOfWritten(single, picture(folder), folder), 1e-9);
  }

  private static Path picture(Path folder) throws IOException {
    byte[] png = PngEncoder.encode(batch(0).samples().get(0).picture(), Map.of());
    return Files.write(folder.resolve("picture.png"), png);
  }

  /** Trains for a step, writes, reconstructs as well as the validation did, and counts bits. */
  private static double bitsOfWritten(TokenizerSettings settings, Path picture, Path folder)
      throws IOException {
    try (TokenizerTraining training = new TokenizerTraining(settings, Processes.alone())) {
      training.step(batch(0));
      Map<String, Double> expected = training.validate(List.of(batch(0)));
      training.export(folder);
      try (TokenizerReconstruction written =
          TokenizerReconstruction.of(folder.resolve("tokenizer.safetensors"), TorchDevice.CPU)) {
        TokenizerReconstruction.Outcome found = written.reconstruct(picture, SizeClass.values()[0]);
        assertEquals(expected.get("psnr"), found.psnr(), 1e-4);
        return found.bits();
      }
    }
  }

  @Test
  void aFrozenEncoderStaysAsItIsWhileTheDecoderLearns(@TempDir Path folder) throws Exception {
    TokenizerConfig shuffled = new TokenizerConfig(4, 16, 24, List.of(1, 1, 1), 1, 0, 4);
    try (TokenizerTraining first =
        new TokenizerTraining(
            settings(shuffled, QuantizerConfig.Kind.BSQ, false), Processes.alone())) {
      first.step(batch(0));
      first.export(folder);
    }
    TokenizerFile file = new TokenizerFile(folder.resolve("tokenizer.safetensors"));
    assertEquals(shuffled, file.config());
    try (Weights start = file.weights();
        TokenizerTraining second =
            new TokenizerTraining(
                settings(file.config(), QuantizerConfig.Kind.BSQ, true),
                start,
                null,
                Processes.alone())) {
      double before = second.step(batch(0)).loss();
      double after = before;
      for (int i = 1; i < 5; i++) {
        after = second.step(batch(i)).loss();
      }
      assertTrue(after < before, before + " to " + after);
      Weights trained = second.tensors().get("tokenizer");
      for (String name : trained.names()) {
        boolean same =
            Arrays.equals(
                Tensors.floats(start.get(name)), Tensors.floats(trained.get(name).detach()));
        assertEquals(name.startsWith("encoder."), same, name);
      }
    }
  }
}
