package io.bitloom.worker.train.tokenizer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.common.schedule.ScaleSchedules;
import io.bitloom.common.schedule.SizeClass;
import io.bitloom.worker.image.RgbImage;
import io.bitloom.worker.tensor.TorchDevice;
import io.bitloom.worker.tokenizer.TokenizerConfig;
import io.bitloom.worker.tokenizer.quantizer.QuantizerConfig;
import io.bitloom.worker.train.data.Sample;
import io.bitloom.worker.train.data.SampleBatch;
import io.bitloom.worker.train.distributed.Processes;
import io.bitloom.worker.train.optim.AdamW;
import io.bitloom.worker.train.optim.LearningRate;
import io.bitloom.worker.train.run.StepReport;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class TokenizerTrainingTest {
  private static final ScaleSchedule SQUARE =
      ScaleSchedules.nearest(1).schedule(SizeClass.values()[0]);

  private static TokenizerTraining training(QuantizerConfig.Kind kind) {
    return new TokenizerTraining(
        new TokenizerSettings(
            new TokenizerConfig(4, 16, 24, List.of(1, 1, 1, 1, 1), 1),
            QuantizerConfig.of(kind, 4),
            AdamW.Settings.REFERENCE,
            new LearningRate(1e-3, LearningRate.Shape.CONSTANT, 0, 1, 1),
            5,
            0.9,
            100_000,
            SQUARE.scales().size(),
            1,
            0.1,
            4,
            TorchDevice.CPU,
            1,
            100),
        Processes.alone());
  }

  private static SampleBatch batch(long number) {
    byte[] rgb = new byte[3 * 256 * 256];
    for (int i = 0; i < rgb.length; i++) {
      rgb[i] = (byte) (i % 3 == 0 ? 200 : i / 3 / 256);
    }
    Sample sample = new Sample(number, "", new RgbImage(256, 256, rgb), null, null);
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

  @Test
  void aRestoredTrainingTakesTheSameNextStep() {
    try (TokenizerTraining training = training(QuantizerConfig.Kind.VQ);
        TokenizerTraining restored = training(QuantizerConfig.Kind.VQ)) {
      training.step(batch(0));
      training.step(batch(1));
      assertFalse(training.tensors().get("quantizer").names().isEmpty());
      restored.restore(training.tensors(), training.optimizerSteps());
      assertEquals(training.step(batch(2)).loss(), restored.step(batch(2)).loss());
      assertEquals(training.step(batch(3)).loss(), restored.step(batch(3)).loss());
    }
  }
}
