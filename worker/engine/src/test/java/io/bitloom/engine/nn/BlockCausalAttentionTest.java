package io.bitloom.engine.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.bitloom.engine.tensor.BlockCausal;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Kernels;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.engine.tensor.cpu.CpuKernels;
import io.bitloom.engine.tensor.cuda.CudaKernels;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;

/** A call with a mask and a call for each scale are two ways to the same values and gradients. */
class BlockCausalAttentionTest {
  private static final float ROUNDING = 2e-5f;
  private static final float BF16_ROUNDING = 0.1f; // of numbers up to some units

  /** Queries, keys and values (B, L, H, c), and what the loss multiplies the result by. */
  private record Problem(Tensor q, Tensor k, Tensor v, Tensor weights, BlockCausal scales) {
    static Problem random(SplittableRandom random) {
      List<Integer> ends = new ArrayList<>();
      int end = 0;
      for (int k = random.nextInt(1, 8); k > 0; k--) {
        end += random.nextInt(1, 20);
        ends.add(end);
      }
      int heads = random.nextInt(1, 4);
      Tensor q = torch.randn(2, end, heads, 8);
      Tensor k = torch.randn(2, end, heads, 8);
      Tensor v = torch.randn(2, end, heads, 8);
      return new Problem(q, k, v, torch.randn(2, end, heads * 8L), new BlockCausal(ends));
    }

    /** The result and the gradients of q, k and v, in the type of v. */
    List<Tensor> solve(Kernels kernels, DType dtype) {
      Tensor q = this.q.clone().requires_grad_(true);
      Tensor k = this.k.clone().requires_grad_(true);
      Tensor v = this.v.clone().requires_grad_(true);
      Tensor found = kernels.blockCausalAttention(q, k, Tensors.to(v, dtype), scales, 0.4);
      assertEquals(dtype, Tensors.dtype(found));
      found.mul(weights).sum().backward();
      return List.of(found, q.grad(), k.grad(), v.grad());
    }
  }

  private static void same(DType dtype, float delta) {
    SplittableRandom random = new SplittableRandom(3);
    torch.manual_seed(3);
    for (int i = 0; i < 20; i++) {
      try (Scope scope = Scope.open()) {
        Problem problem = Problem.random(random);
        try (BlockCausal scales = problem.scales()) {
          List<Tensor> masked = problem.solve(new CpuKernels(), dtype);
          List<Tensor> perScale = problem.solve(new CudaKernels(), dtype);
          for (int j = 0; j < masked.size(); j++) {
            assertArrayEquals(
                Tensors.floats(masked.get(j)),
                Tensors.floats(perScale.get(j)),
                delta,
                j + " of " + scales.ends());
          }
        }
      }
    }
  }

  @Test
  void bothWaysHaveTheSameValuesAndGradients() {
    same(DType.F32, ROUNDING);
  }

  @Test
  void inBfloat16TheyDifferByItsRounding() {
    same(DType.BF16, BF16_ROUNDING);
  }

  @Test
  void aTokenSeesItsOwnAndEarlierScales() {
    double no = Double.NEGATIVE_INFINITY;
    try (Scope scope = Scope.open();
        BlockCausal scales = new BlockCausal(List.of(1, 3, 4))) {
      assertEquals(4, scales.tokens());
      double[][] rows = {{0, no, no, no}, {0, 0, 0, no}, {0, 0, 0, no}, {0, 0, 0, 0}};
      assertArrayEquals(
          Stream.of(rows).flatMapToDouble(Arrays::stream).toArray(),
          Tensors.doubles(scales.mask(TorchDevice.CPU)));
    }
  }

  @Test
  void scalesWithoutTokensAreRefused() {
    assertThrows(IllegalArgumentException.class, () -> new BlockCausal(List.of()));
    assertThrows(IllegalArgumentException.class, () -> new BlockCausal(List.of(0, 4)));
    assertThrows(IllegalArgumentException.class, () -> new BlockCausal(List.of(4, 4)));
  }
}
