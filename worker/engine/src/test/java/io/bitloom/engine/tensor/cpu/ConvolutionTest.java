package io.bitloom.engine.tensor.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Kernels;
import io.bitloom.engine.tensor.LibTorch;
import io.bitloom.engine.tensor.Resize;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import java.util.List;
import org.bytedeco.pytorch.GeneratorOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ConvolutionTest {
  private static final Kernels KERNELS = new CpuKernels();

  private static Tensor random(long seed, long... shape) {
    return torch.randn(shape, new GeneratorOptional(torch.make_generator_cpu(seed)));
  }

  private static Tensor weight(long out, long in) {
    return Tensors.times(random(2, out, in, 3, 3), 1 / Math.sqrt(9.0 * in));
  }

  private static double distance(Tensor a, Tensor b) {
    return Tensors.doubles(Tensors.to(a, DType.F64).sub(Tensors.to(b, DType.F64)).abs().max())[0];
  }

  private static Tensor exact(Tensor x, Tensor weight, Tensor bias) {
    return CpuKernels.plainConv2d(
        Tensors.to(x, DType.F64), Tensors.to(weight, DType.F64), Tensors.to(bias, DType.F64), 1, 1);
  }

  @ParameterizedTest
  @CsvSource({"1, 32, 32, true", "2, 33, 46, true", "1, 30, 35, false", "3, 4, 300, true"})
  void winogradComputesTheConvolutionOfAnySize(int batch, int height, int width, boolean last) {
    try (Scope scope = Scope.open()) {
      Tensor x = random(1, batch, 128, height, width);
      Tensor input = last ? Tensors.channelsLast(x) : x;
      Tensor weight = weight(144, 128);
      Tensor bias = random(3, 144);
      assertTrue(ConvolutionAlgorithm.WINOGRAD.takes(ConvolutionShape.of(false, x, weight)));
      Tensor exact = exact(x, weight, bias);
      Tensor computed = Winograd.conv3x3(WinogradForm.SAME_SIZE, input, weight, bias);
      assertArrayEquals(exact.shape(), computed.shape());
      double error = distance(computed, exact);
      assertTrue(error < 2e-5, "error " + error);
      Tensor withoutBias = Winograd.conv3x3(WinogradForm.SAME_SIZE, input, weight, null);
      assertEquals(0, distance(withoutBias.add(bias.view(144, 1, 1)), computed), 2e-6);
    }
  }

  @ParameterizedTest
  @CsvSource({"1, 16, 16", "2, 33, 46", "1, 30, 35", "1, 4, 150"})
  void winogradComputesTheConvolutionOfADoubledMap(int batch, int height, int width) {
    try (Scope scope = Scope.open()) {
      Tensor x = random(1, batch, 64, height, width);
      Tensor weight = weight(80, 64);
      Tensor bias = random(3, 80);
      Tensor exact = exact(Resize.doubled(x), weight, bias);
      Tensor computed = Winograd.conv3x3(WinogradForm.DOUBLED, x, weight, bias);
      assertArrayEquals(exact.shape(), computed.shape());
      double error = distance(computed, exact);
      assertTrue(error < 2e-5, "error " + error);
    }
  }

  @ParameterizedTest
  @CsvSource({"false, F32, 4", "true, F32, 4", "true, BF16, 3"})
  void everyAlgorithmIsComparedWithFloat64(boolean doubled, DType dtype, int rows) {
    List<ConvolutionComparison> compared = ConvolutionComparison.of(doubled, dtype, 128, 128, 64);
    assertEquals(rows - (doubled ? 0 : 1), compared.size());
    double bound = dtype == DType.F32 ? 3e-5 : 0.05;
    for (ConvolutionComparison algorithm : compared) {
      assertTrue(algorithm.largest() < bound && algorithm.mean() > 0, algorithm::toString);
    }
  }

  @ParameterizedTest
  @CsvSource({"1, 1, 1", "2, 5, 3", "1, 30, 35"})
  void phasesComputeTheConvolutionOfADoubledMapAsExactlyAsTheDirectSum(
      int batch, int height, int width) {
    try (Scope scope = Scope.open()) {
      Tensor x = random(1, batch, 48, height, width);
      Tensor weight = weight(20, 48);
      Tensor bias = random(3, 20);
      Tensor exact = exact(Resize.doubled(x), weight, bias);
      Tensor computed = PhaseConvolution.apply(x, weight, bias);
      assertArrayEquals(exact.shape(), computed.shape());
      assertEquals(0, distance(computed, exact), 4e-6);
      Tensor withoutBias = PhaseConvolution.apply(x, weight, null);
      assertEquals(0, distance(withoutBias.add(bias.view(20, 1, 1)), computed), 2e-6);
    }
  }

  @ParameterizedTest
  @CsvSource({"128, 260, 260", "256, 40, 40"})
  void largeAndSmallMapsDoNotDependOnTheNumberOfThreads(int channels, int height, int width) {
    int threads = LibTorch.threads();
    try (Scope scope = Scope.open()) {
      Tensor x = Tensors.channelsLast(random(1, 1, channels, height, width));
      Tensor weight = weight(128, channels);
      Tensor bias = random(3, 128);
      for (ConvolutionAlgorithm algorithm : ConvolutionAlgorithm.values()) {
        boolean doubled = algorithm == ConvolutionAlgorithm.PHASES;
        LibTorch.threads(2);
        Tensor sideBySide = algorithm.apply(doubled, x, weight, bias);
        LibTorch.threads(1);
        Tensor alone = algorithm.apply(doubled, x, weight, bias);
        assertArrayEquals(Tensors.floats(alone), Tensors.floats(sideBySide), algorithm.name());
      }
    } finally {
      LibTorch.threads(threads);
    }
  }

  @Test
  void anImageDoesNotDependOnItsBatch() {
    try (Scope scope = Scope.open()) {
      Tensor x = Tensors.channelsLast(random(1, 3, 128, 40, 40));
      Tensor weight = weight(128, 128);
      Tensor bias = random(3, 128);
      for (ConvolutionAlgorithm algorithm : ConvolutionAlgorithm.values()) {
        Tensor together = algorithm.apply(true, x, weight, bias).narrow(0, 2, 1);
        Tensor alone = algorithm.apply(true, x.narrow(0, 2, 1), weight, bias);
        assertArrayEquals(Tensors.floats(alone), Tensors.floats(together), algorithm.name());
      }
    }
  }

  @Test
  void smallMapsStridesAndOtherKernelsTakeTheDirectWay() {
    try (Scope scope = Scope.open()) {
      Tensor wide = weight(128, 128);
      ConvolutionShape small = ConvolutionShape.of(false, random(1, 1, 128, 8, 8), wide);
      assertFalse(ConvolutionAlgorithm.WINOGRAD.takes(small));
      ConvolutionShape doubled = ConvolutionShape.of(true, random(1, 1, 128, 32, 32), wide);
      assertFalse(ConvolutionAlgorithm.WINOGRAD.takes(doubled));
      Tensor weight = weight(64, 64);
      ConvolutionShape narrow = ConvolutionShape.of(false, random(1, 1, 64, 64, 64), weight);
      assertFalse(ConvolutionAlgorithm.WINOGRAD.takes(narrow));
      Tensor x = random(1, 1, 64, 64, 64);
      Tensor bias = random(3, 64);
      assertEquals(
          0,
          distance(
              KERNELS.conv2d(x, weight, bias, 2, 0),
              CpuKernels.plainConv2d(x, weight, bias, 2, 0)));
      Tensor one = random(4, 64, 64, 1, 1);
      assertEquals(
          0,
          distance(KERNELS.conv2d(x, one, bias, 1, 0), CpuKernels.plainConv2d(x, one, bias, 1, 0)),
          1e-4);
    }
  }

  @Test
  void bfloat16RoundsInputsAndOutputsWhateverTheProcessor() {
    try (Scope scope = Scope.open()) {
      Tensor x = Tensors.to(random(1, 1, 64, 32, 32), DType.BF16);
      Tensor weight = Tensors.to(weight(64, 64), DType.BF16);
      Tensor bias = Tensors.to(random(3, 64), DType.BF16);
      Tensor computed = KERNELS.conv2d(x, weight, bias, 1, 1);
      assertEquals(DType.BF16, Tensors.dtype(computed));
      double error = distance(computed, exact(x, weight, bias));
      assertTrue(error < 0.04, "error " + error); // half a step of bfloat16 at 4 to 8 is 0.016
    }
  }

  @Test
  void gradientsFlowWhereTheyAreAskedFor() {
    try (Scope scope = Scope.open()) {
      Tensor x = random(1, 1, 64, 32, 32);
      Tensor weight = weight(64, 64).set_requires_grad(true);
      KERNELS.conv2d(x, weight, null, 1, 1).sum().backward();
      assertArrayEquals(new long[] {64, 64, 3, 3}, weight.grad().shape());
    }
  }
}
