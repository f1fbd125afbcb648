package io.bitloom.engine.codes;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.schedule.Scale;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Resize;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import java.util.List;
import org.bytedeco.pytorch.GeneratorOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;

class ResidualQuantizerTest {
  private static final List<Scale> SCALES =
      List.of(new Scale(1, 1), new Scale(2, 3), new Scale(4, 6));

  static Tensor random(long seed, long... shape) {
    return torch.randn(shape, new GeneratorOptional(torch.make_generator_cpu(seed)));
  }

  @Test
  void codesLieOnTheUnitSphereWithTheSignsOfTheBits() {
    try (Scope scope = Scope.open()) {
      var quantizer = new BinarySphericalQuantizer(4);
      Tensor residual = Tensors.of(new float[] {0.1f, -3, 0, 2}, 1, 4, 1, 1);
      Tensor bits = quantizer.digits(residual);
      assertArrayEquals(new long[] {1, 1, 1, 4}, bits.shape());
      assertArrayEquals(new byte[] {1, 0, 0, 1}, Tensors.bytes(bits));
      assertArrayEquals(
          new float[] {0.5f, -0.5f, -0.5f, 0.5f}, Tensors.floats(quantizer.codes(bits)));
    }
  }

  @Test
  void theSumOfTheCodesOfTheBitsIsWhatTheEncoderSummed() {
    try (Scope scope = Scope.open()) {
      var quantizer = ResidualQuantizer.ofBits(8);
      var encoding = quantizer.encode(random(1, 2, 8, 4, 6), SCALES);
      assertArrayEquals(new long[] {2, 2, 3, 8}, encoding.digits().get(1).shape());
      assertArrayEquals(
          Tensors.floats(encoding.summedCodes()),
          Tensors.floats(quantizer.sum(encoding.digits())),
          1e-6f);
    }
  }

  @Test
  void moreScalesExplainMoreOfTheFeatures() {
    try (Scope scope = Scope.open()) {
      var quantizer = ResidualQuantizer.ofBits(8);
      Tensor features = Tensors.times(random(2, 1, 8, 4, 6), 0.5);
      List<Scale> repeated =
          List.of(new Scale(4, 6), new Scale(4, 6), new Scale(4, 6), new Scale(4, 6));
      double one =
          distance(features, quantizer.encode(features, repeated.subList(0, 1)).summedCodes());
      double four = distance(features, quantizer.encode(features, repeated).summedCodes());
      assertTrue(four < one, four + " against " + one);
    }
  }

  private static double distance(Tensor a, Tensor b) {
    return Tensors.doubles(a.sub(b).square().mean())[0];
  }

  @Test
  void integerLabelsHaveTheFirstBitHighestAndSurviveTheRoundTrip() {
    try (Scope scope = Scope.open()) {
      Tensor bits = Tensors.of(new byte[] {1, 0, 0, 0, 1, 1, 0, 0, 0}, 3, 3);
      assertArrayEquals(new long[] {4, 3, 0}, Tensors.longs(Bits.labels(bits)));

      Tensor many = Tensors.to(random(3, 5, 64).gt(random(4, 5, 64)), DType.U8);
      Tensor again = Bits.ofLabels(Bits.labels(many), 64);
      assertArrayEquals(Tensors.bytes(many), Tensors.bytes(again));
    }
  }

  @Test
  void bitsOfEqualProbabilityHaveFullCodebookEntropy() {
    try (Scope scope = Scope.open()) {
      Tensor residual = Tensors.of(new float[] {1, -1, -1, 1}, 1, 2, 1, 2);
      var quantizer = new BinarySphericalQuantizer(2);
      var quantized = quantizer.quantize(residual);
      assertEquals(2 * Math.log(2), Tensors.doubles(quantized.codebookEntropy())[0], 1e-4);
      assertEquals(0, Tensors.doubles(quantized.tokenEntropy())[0], 1e-4);
      assertEquals(0, Tensors.doubles(quantized.commitment())[0], 1e-6);
      assertArrayEquals(
          new float[] {1, 0, 0, 1}, Tensors.floats(quantizer.probabilities(residual)), 1e-4f);
    }
  }

  @Test
  void everyScaleQuantizesWhatTheScalesBeforeLeave() {
    try (Scope scope = Scope.open()) {
      var quantizer = ResidualQuantizer.ofBits(8);
      Tensor features = random(6, 2, 8, 4, 6);
      var encoding = quantizer.encode(features, SCALES);
      for (int k = 0; k < SCALES.size(); k++) {
        Tensor left = k == 0 ? features : features.sub(encoding.sums().get(k - 1));
        Tensor residual = Resize.area(left, SCALES.get(k).height(), SCALES.get(k).width());
        assertArrayEquals(
            Tensors.bytes(residual.gt(new Scalar(0)).permute(0, 2, 3, 1)),
            Tensors.bytes(encoding.digits().get(k)));
      }
    }
  }
}
