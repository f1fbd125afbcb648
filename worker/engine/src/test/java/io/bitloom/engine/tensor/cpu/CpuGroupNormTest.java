package io.bitloom.engine.tensor.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.LibTorch;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import org.bytedeco.pytorch.GeneratorOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CpuGroupNormTest {
  private static final double EPS = 1e-6;

  private static Tensor random(long seed, long... shape) {
    return torch.randn(shape, new GeneratorOptional(torch.make_generator_cpu(seed)));
  }

  private static Tensor normalised(
      Tensor x, int groups, Tensor weight, Tensor bias, double eps, boolean silu) {
    Tensor result = torch.empty_like(x);
    CpuGroupNorm.into(result, x, groups, weight, bias, eps, silu);
    Tensor inPlace = x.clone();
    CpuGroupNorm.into(inPlace, inPlace, groups, weight, bias, eps, silu);
    assertTrue(torch.equal(inPlace, result));
    return result;
  }

  private static double largest(Tensor computed, Tensor exact) {
    return Tensors.to(computed, DType.F64).sub(exact).abs().max().item().toDouble();
  }

  private static Tensor exact(Tensor x, int groups, Tensor weight, Tensor bias, boolean silu) {
    Tensor normalised =
        torch.group_norm(
            Tensors.to(x, DType.F64).contiguous(),
            groups,
            new org.bytedeco.pytorch.TensorOptional(Tensors.to(weight, DType.F64)),
            new org.bytedeco.pytorch.TensorOptional(Tensors.to(bias, DType.F64)),
            EPS,
            true);
    return silu ? torch.silu(normalised) : normalised;
  }

  @ParameterizedTest
  @CsvSource({
    "1, 32, 32, 1, 1",
    "1, 32, 32, 3, 2",
    "2, 64, 32, 40, 40",
    "1, 24, 24, 4, 4",
    "1, 512, 32, 16, 20",
    "3, 128, 32, 33, 65"
  })
  void aMapIsNormalisedInItsGroups(int batch, int channels, int groups, int height, int width) {
    try (Scope scope = Scope.open()) {
      Tensor x = Tensors.channelsLast(random(1, batch, channels, height, width));
      Tensor weight = random(2, channels);
      Tensor bias = random(3, channels);
      for (boolean silu : new boolean[] {false, true}) {
        Tensor y = normalised(x, groups, weight, bias, EPS, silu);
        assertTrue(y.is_contiguous(torch.MemoryFormat.ChannelsLast));
        assertEquals(0, largest(y, exact(x, groups, weight, bias, silu)), 1e-5);
      }
    }
  }

  @Test
  void aMeanThatIsLargeAgainstTheDeviationCostsNoMoreDigitsThanItHas() {
    try (Scope scope = Scope.open()) {
      Tensor x = Tensors.channelsLast(random(1, 1, 32, 60, 80).add(new Scalar(1000.0)));
      Tensor weight = random(2, 32);
      Tensor bias = random(3, 32);
      Tensor exact = exact(x, 32, weight, bias, false);
      // float32 holds 1,000 to 6e-5; libtorch's own sum of squares is off by some per cent here
      double error = largest(normalised(x, 32, weight, bias, EPS, false), exact);
      assertTrue(error < 1e-3, "error " + error);
    }
  }

  @Test
  void aPictureDependsNeitherOnItsBatchNorOnTheNumberOfThreads() {
    int threads = LibTorch.threads();
    try (Scope scope = Scope.open()) {
      Tensor x = Tensors.channelsLast(random(1, 3, 64, 40, 70));
      Tensor weight = random(2, 64);
      Tensor bias = random(3, 64);
      float[] together = Tensors.floats(normalised(x, 32, weight, bias, EPS, true));
      for (int count : new int[] {1, 2, 3}) {
        LibTorch.threads(count);
        Tensor last = normalised(x.narrow(0, 2, 1), 32, weight, bias, EPS, true);
        float[] alone = Tensors.floats(last);
        int size = alone.length;
        float[] expected = java.util.Arrays.copyOfRange(together, 2 * size, 3 * size);
        assertArrayEquals(expected, alone);
      }
    } finally {
      LibTorch.threads(threads);
    }
  }

  @Test
  void bfloat16IsRoundedAtTheEndOnly() {
    try (Scope scope = Scope.open()) {
      Tensor x = Tensors.to(Tensors.channelsLast(random(1, 1, 64, 30, 30)), DType.BF16);
      Tensor weight = Tensors.to(random(2, 64), DType.BF16);
      Tensor bias = Tensors.to(random(3, 64), DType.BF16);
      Tensor y = normalised(x, 32, weight, bias, EPS, true);
      assertEquals(DType.BF16, Tensors.dtype(y));
      Tensor exact = exact(x, 32, weight, bias, true);
      Tensor step = exact.abs().mul(new Scalar(0x1p-8)).add(new Scalar(1e-5));
      Tensor beyond = Tensors.to(y, DType.F64).sub(exact).abs().gt(step);
      assertEquals(0, beyond.count_nonzero().item().toDouble());
    }
  }
}
