package io.bitloom.worker.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.schedule.Scale;
import io.bitloom.worker.tensor.DType;
import io.bitloom.worker.tensor.Scope;
import io.bitloom.worker.tensor.Tensors;
import java.util.List;
import org.bytedeco.pytorch.GeneratorOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;

class MultiScaleResidualQuantizerTest {
  private static final List<Scale> SCALES =
      List.of(new Scale(1, 1), new Scale(2, 3), new Scale(4, 6));

  static Tensor random(long seed, long... shape) {
    return torch.randn(shape, new GeneratorOptional(torch.make_generator_cpu(seed)));
  }

  @Test
  void codesLieOnTheUnitSphereWithTheSignsOfTheBits() {
    try (Scope scope = Scope.open()) {
      var quantizer = new MultiScaleResidualQuantizer(4);
      Tensor features = Tensors.of(new float[] {0.1f, -3, 0, 2}, 1, 4, 1, 1);
      Tensor bits = quantizer.bits(features);
      assertArrayEquals(new long[] {1, 1, 1, 4}, bits.shape());
      assertArrayEquals(new byte[] {1, 0, 0, 1}, Tensors.bytes(bits));
      assertArrayEquals(
          new float[] {0.5f, -0.5f, -0.5f, 0.5f}, Tensors.floats(quantizer.codes(bits)));
    }
  }

  @Test
  void theSumOfTheCodesOfTheBitsIsWhatTheEncoderSummed() {
    try (Scope scope = Scope.open()) {
      var quantizer = new MultiScaleResidualQuantizer(8);
      var encoding = quantizer.encode(random(1, 2, 8, 4, 6), SCALES);
      assertArrayEquals(new long[] {2, 2, 3, 8}, encoding.bits().get(1).shape());
      assertArrayEquals(
          Tensors.floats(encoding.sum()), Tensors.floats(quantizer.sum(encoding.bits())), 1e-6f);
    }
  }

  @Test
  void moreScalesExplainMoreOfTheFeatures() {
    try (Scope scope = Scope.open()) {
      var quantizer = new MultiScaleResidualQuantizer(8);
      Tensor features = Tensors.times(random(2, 1, 8, 4, 6), 0.5);
      List<Scale> repeated =
          List.of(new Scale(4, 6), new Scale(4, 6), new Scale(4, 6), new Scale(4, 6));
      double one = distance(features, quantizer.encode(features, repeated.subList(0, 1)).sum());
      double four = distance(features, quantizer.encode(features, repeated).sum());
      assertTrue(four < one, four + " against " + one);
    }
  }

  private static double distance(Tensor a, Tensor b) {
    return Tensors.doubles(a.sub(b).square().mean())[0];
  }

  @Test
  void integerLabelsHaveTheFirstBitHighestAndSurviveTheRoundTrip() {
    try (Scope scope = Scope.open()) {
      var three = new MultiScaleResidualQuantizer(3);
      Tensor bits = Tensors.of(new byte[] {1, 0, 0, 0, 1, 1, 0, 0, 0}, 3, 3);
      assertArrayEquals(new long[] {4, 3, 0}, Tensors.longs(three.labels(bits)));

      var wide = new MultiScaleResidualQuantizer(64);
      Tensor many = Tensors.to(random(3, 5, 64).gt(random(4, 5, 64)), DType.U8);
      Tensor again = wide.bitsOfLabels(wide.labels(many));
      assertArrayEquals(Tensors.bytes(many), Tensors.bytes(again));
    }
  }

  @Test
  void bitsOfEqualProbabilityHaveFullCodebookEntropy() {
    try (Scope scope = Scope.open()) {
      Tensor features = Tensors.of(new float[] {1, -1, -1, 1}, 1, 2, 1, 2);
      var statistics = QuantizerStatistics.of(features, new MultiScaleResidualQuantizer(2));
      assertEquals(2 * Math.log(2), Tensors.doubles(statistics.codebookEntropy())[0], 1e-4);
      assertEquals(0, Tensors.doubles(statistics.tokenEntropy())[0], 1e-4);
      assertEquals(0, Tensors.doubles(statistics.commitment())[0], 1e-6);
    }
  }
}
