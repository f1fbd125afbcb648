package io.bitloom.engine.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.DrawRules;
import io.bitloom.engine.tensor.Kernels;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.engine.tensor.cpu.CpuKernels;
import io.bitloom.engine.tensor.cuda.CudaKernels;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.bytedeco.pytorch.InferenceMode;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The backends compute the same, whatever their own ways. That of GPUs runs here on the CPU: what
 * it says to libtorch is all that can differ.
 */
class BackendsTest {
  private static final float ROUNDING = 2e-5f;
  private static final double EPS = 1e-6;
  private static final float BF16_ROUNDING = 0x1p-6f; // a last bit of values below 4

  /** Gradients are sums over tokens. */
  private static final float GRADIENT_ROUNDING = 5e-4f;

  private static final int ROWS = 5;
  private static final int TOKENS = 30;
  private static final int WIDTH = 64;

  private final Kernels cpu = new CpuKernels();
  private final Kernels cuda = new CudaKernels();
  private InferenceMode inference;
  private Scope scope;

  @BeforeEach
  void withoutGradients() {
    inference = new InferenceMode(true);
    scope = Scope.open();
    torch.manual_seed(7);
  }

  @AfterEach
  void end() {
    scope.close();
    inference.close();
  }

  private void same(Function<Kernels, Tensor> operator) {
    same(operator, ROUNDING);
  }

  private void same(Function<Kernels, Tensor> operator, float rounding) {
    Tensor expected = operator.apply(cuda);
    Tensor computed = operator.apply(cpu);
    assertArrayEquals(expected.shape(), computed.shape());
    assertArrayEquals(Tensors.floats(expected), Tensors.floats(computed), rounding);
  }

  /** The same values, and the same gradients of the inputs for a random gradient of the result. */
  private void sameWithGradients(List<Tensor> inputs, Function<Kernels, Tensor> operator) {
    inputs.forEach(input -> input.requires_grad_(true));
    Tensor weights = torch.randn_like(operator.apply(cpu).detach());
    same(
        kernels -> {
          inputs.forEach(input -> input.mutable_grad().reset());
          operator.apply(kernels).mul(weights).sum().backward();
          return Tensors.concat(inputs.stream().map(input -> input.grad().flatten()).toList(), 0);
        },
        GRADIENT_ROUNDING);
    same(kernels -> operator.apply(kernels).detach());
  }

  private static Tensor tokens() {
    return torch.randn(ROWS, TOKENS, WIDTH);
  }

  @Test
  void elementwiseOperatorsAndNormsAreTheSame() {
    Tensor x = tokens();
    Tensor other = tokens();
    Tensor scale = torch.randn(ROWS, 1, WIDTH);
    Tensor shift = torch.randn(ROWS, 1, WIDTH);
    same(kernels -> kernels.geluTanh(x));
    same(kernels -> kernels.geluTanh(x.view(-1, WIDTH), List.of(1, 140, 9)));
    same(kernels -> kernels.silu(x));
    same(kernels -> kernels.modulatedNorm(x, false, 1e-6, scale, shift, DType.F32));
    same(kernels -> kernels.modulatedNorm(x, true, 1e-6, scale, shift, DType.F32));
    same(kernels -> kernels.gatedAdd(x, other, scale));
  }

  @Test
  void selfAttentionIsTheSameWithAndWithoutEarlierTokens() {
    int heads = 4;
    int size = WIDTH / heads;
    Tensor qkv = torch.randn(ROWS, TOKENS, 3, heads, size);
    Tensor factor = torch.rand(1, 1, heads, 1);
    Tensor turns = torch.randn(1, TOKENS, 1, size / 2);
    Tensor angles =
        torch.view_as_complex(torch.stack(new TensorVector(turns.cos(), turns.sin()), -1));
    Tensor earlier = torch.randn(2, ROWS, TOKENS + 7, heads, size);
    same(
        kernels -> {
          Kernels.Heads alone = kernels.rotateAndStore(qkv.clone(), factor, angles, null);
          return kernels.attention(alone.queries(), alone.keys(), alone.values(), null, 1);
        });
    same(
        kernels -> {
          Kernels.Slot slot = new Kernels.Slot(earlier.clone(), 7);
          Kernels.Heads all = kernels.rotateAndStore(qkv.clone(), null, angles, slot);
          assertEquals(TOKENS + 7, all.keys().size(1));
          return kernels.attention(all.queries(), all.keys(), all.values(), null, 0.3);
        });
  }

  @ParameterizedTest
  @CsvSource({"1, 1, 2, 8", "2, 40, 3, 12", "4, 9, 8, 96"})
  void queriesAndKeysAreTheSame(int rows, int tokens, int heads, int size) {
    Tensor factor = torch.rand(1, 1, heads, 1);
    Tensor turns = torch.randn(1, tokens, 1, size / 2);
    Tensor angles =
        torch.view_as_complex(torch.stack(new TensorVector(turns.cos(), turns.sin()), -1));
    for (DType dtype : List.of(DType.F32, DType.BF16)) {
      Tensor qkv = torch.randn(rows, tokens, 3, heads, size);
      qkv.select(1, 0).zero_(); // no direction
      Tensor rounded = Tensors.to(qkv, dtype);
      float rounding = dtype == DType.F32 ? ROUNDING : BF16_ROUNDING;
      same(kernels -> stored(kernels, rounded, factor, angles), rounding);
      same(kernels -> stored(kernels, rounded, factor, null), rounding);
      same(kernels -> stored(kernels, rounded, null, angles), rounding);
      same(kernels -> stored(kernels, rounded, null, null), rounding);
    }
  }

  private static Tensor stored(Kernels kernels, Tensor qkv, Tensor factor, Tensor angles) {
    Tensor room =
        Tensors.zeros(
            Tensors.dtype(qkv),
            TorchDevice.CPU,
            2,
            qkv.size(0),
            qkv.size(1),
            qkv.size(3),
            qkv.size(4));
    Kernels.Heads heads =
        kernels.rotateAndStore(qkv.clone(), factor, angles, new Kernels.Slot(room, 0));
    Tensor queries = Tensors.to(heads.queries(), DType.F32);
    return Tensors.concat(
        List.of(
            queries, Tensors.to(heads.keys(), DType.F32), Tensors.to(heads.values(), DType.F32)),
        0);
  }

  @Test
  void cachesShowEveryScaleToLaterOnes() {
    int blocks = 3;
    int[] tokens = {1, 4, 6, 25};
    Kernels.CacheSize size = new Kernels.CacheSize(blocks, 3, 11, 25, 2, 8);
    List<Tensor> projections = new ArrayList<>();
    for (int count : tokens) {
      for (int block = 0; block < blocks; block++) {
        projections.add(torch.randn(3, count, 3, 2, 8));
      }
    }
    same(
        kernels -> {
          List<Kernels.BlockCache> caches = kernels.caches(size, DType.F32, TorchDevice.CPU);
          List<Tensor> seen = new ArrayList<>();
          long from = 0;
          for (int k = 0; k < tokens.length; k++) {
            int rows = k < 2 ? 3 : 2; // the last one is not needed to the end
            for (int block = 0; block < blocks; block++) {
              Tensor qkv = projections.get(k * blocks + block).narrow(0, 0, rows).clone();
              Kernels.Slot slot = caches.get(block).rows(0, rows).slot(from, tokens[k]);
              Kernels.Heads heads = kernels.rotateAndStore(qkv, null, null, slot);
              assertEquals(from + tokens[k], heads.keys().size(1));
              seen.add(heads.keys().clone().flatten());
              seen.add(heads.values().clone().flatten());
            }
            from += tokens[k];
          }
          return Tensors.concat(seen, 0);
        });
  }

  @Test
  void modulatedNormsAreRoundedOnceForTheirReader() {
    Tensor x = tokens();
    Tensor scale = torch.randn(ROWS, 1, WIDTH);
    Tensor shift = torch.randn(ROWS, 1, WIDTH);
    for (boolean rms : new boolean[] {false, true}) {
      Tensor given = cuda.modulatedNorm(x, rms, 1e-6, scale, shift, DType.BF16);
      Tensor wide = cuda.modulatedNorm(x, rms, 1e-6, scale, shift, DType.F32);
      assertEquals(DType.BF16, Tensors.dtype(given));
      assertArrayEquals(Tensors.floats(Tensors.to(wide, DType.BF16)), Tensors.floats(given), 0);
    }
  }

  @Test
  void gradientsAreTheSame() {
    try (InferenceMode withGradients = new InferenceMode(false)) {
      int heads = 4;
      int size = WIDTH / heads;
      Tensor x = tokens();
      Tensor scale = torch.randn(ROWS, 1, WIDTH);
      Tensor shift = torch.randn(ROWS, 1, WIDTH);
      for (boolean rms : new boolean[] {false, true}) {
        sameWithGradients(
            List.of(x, scale, shift),
            kernels -> kernels.modulatedNorm(x, rms, 1e-6, scale, shift, DType.BF16));
      }
      sameWithGradients(List.of(x, scale), kernels -> kernels.gatedAdd(x, x, scale));
      Tensor qkv = torch.randn(ROWS, TOKENS, 3, heads, size);
      Tensor factor = torch.rand(1, 1, heads, 1);
      Tensor turns = torch.randn(1, TOKENS, 1, size / 2);
      Tensor angles =
          torch.view_as_complex(torch.stack(new TensorVector(turns.cos(), turns.sin()), -1));
      sameWithGradients(
          List.of(qkv, factor),
          kernels -> {
            Kernels.Heads seen = kernels.rotateAndStore(qkv, factor, angles, null);
            return kernels.attention(seen.queries(), seen.keys(), seen.values(), null, 1);
          });
    }
  }

  @Test
  void linearLayersAreTheSame() {
    Tensor weight = torch.randn(96, WIDTH);
    Tensor bias = torch.randn(96);
    Tensor x = tokens();
    same(
        kernels -> {
          try (Kernels.Matrix matrix = kernels.matrix(weight)) {
            return torch.cat(
                new TensorVector(
                    matrix.times(x, bias), matrix.times(x, null), matrix.timesGelu(x, bias)),
                0);
          }
        });
  }

  @Test
  void rowsGoThroughAChainByThemselvesOrTogether() {
    Tensor x = tokens();
    Tensor perRow = torch.randn(ROWS, 1, WIDTH);
    same(
        kernels ->
            kernels.rowWise(x, (rows, first, count) -> rows.mul(perRow.narrow(0, first, count))));
  }

  @Test
  void mapsAreTheSame() {
    Tensor map = Tensors.channelsLast(torch.randn(2, WIDTH, 24, 20));
    Tensor weight = Tensors.times(torch.randn(WIDTH, WIDTH, 3, 3), 1 / Math.sqrt(9.0 * WIDTH));
    Tensor scale = torch.randn(WIDTH);
    Tensor shift = torch.randn(WIDTH);
    same(kernels -> kernels.conv2d(map, weight, shift, 1, 1));
    same(kernels -> kernels.conv2d(map, weight, null, 2, 0));
    same(kernels -> kernels.doubledConv2d(map, weight, shift));
    same(kernels -> kernels.groupNorm(map, 32, scale, shift, 1e-6));
    same(kernels -> kernels.groupNormSilu(map, 32, scale, shift, 1e-6, false));
    same(kernels -> kernels.groupNormSilu(map.clone(), 32, scale, shift, 1e-6, true));
  }

  @Test
  void aMapKeepsItsChannelsLastAndItsTypeOnGpus() {
    Tensor weight = torch.randn(WIDTH);
    Tensor filters = torch.randn(WIDTH, WIDTH, 3, 3);
    for (DType dtype : new DType[] {DType.F32, DType.BF16}) {
      Tensor map = Tensors.channelsLast(Tensors.to(torch.randn(2, WIDTH, 12, 10), dtype));
      Tensor parameter = Tensors.to(weight, dtype);
      Tensor placed = cuda.filters(Tensors.to(filters, dtype));
      for (Tensor result :
          List.of(
              placed,
              cuda.conv2d(map, placed, parameter, 1, 1),
              cuda.doubledConv2d(map, placed, parameter),
              cuda.groupNorm(map, 32, parameter, parameter, EPS),
              cuda.groupNormSilu(map, 32, parameter, parameter, EPS, false))) {
        assertTrue(result.is_contiguous(torch.MemoryFormat.ChannelsLast));
        assertEquals(dtype, Tensors.dtype(result));
      }
    }
  }

  @Test
  void groupNormOnGpusLosesNoMoreDigitsThanTheMapHas() {
    Tensor weight = torch.rand(WIDTH);
    Tensor bias = torch.randn(WIDTH);
    Tensor far = Tensors.channelsLast(Tensors.plus(torch.randn(2, WIDTH, 60, 80), 1000));
    Tensor exact = exactNorm(far, weight, bias);
    // float32 holds 1,000 to 6e-5; E[x²] − E[x]² would be off by some per cent here
    assertTrue(largest(cuda.groupNorm(far, 32, weight, bias, EPS), exact) < 1e-3);

    Tensor map = Tensors.channelsLast(Tensors.to(torch.randn(2, WIDTH, 60, 80), DType.BF16));
    Tensor narrowWeight = Tensors.to(weight, DType.BF16);
    Tensor narrowBias = Tensors.to(bias, DType.BF16);
    Tensor norm = cuda.groupNorm(map, 32, narrowWeight, narrowBias, EPS);
    Tensor expected = exactNorm(map, narrowWeight, narrowBias);
    Tensor step = Tensors.plus(Tensors.times(expected.abs(), 0x1p-8), 1e-5); // rounded once
    Tensor distance = Tensors.to(norm, DType.F64).sub(expected).abs();
    assertEquals(0, distance.gt(step).count_nonzero().item().toLong());
  }

  private static Tensor exactNorm(Tensor x, Tensor weight, Tensor bias) {
    return torch.group_norm(
        Tensors.to(x.contiguous(), DType.F64),
        32,
        new TensorOptional(Tensors.to(weight, DType.F64)),
        new TensorOptional(Tensors.to(bias, DType.F64)),
        EPS,
        true);
  }

  private static double largest(Tensor computed, Tensor exact) {
    return Tensors.to(computed, DType.F64).sub(exact).abs().max().item().toDouble();
  }

  @Test
  void theSameStatesAreDrawn() {
    Tensor logits = torch.randn(3, 500, 8);
    DrawRules rules =
        new DrawRules(
            List.of(new DrawRules.Rule(3, 0.9), new DrawRules.Rule(1, 0), new DrawRules.Rule(0, 0)),
            8,
            TorchDevice.CPU);
    Tensor starts = Tensors.of(new long[] {5, 6, 7}, 3, 1);
    same(kernels -> kernels.uniform(starts, 500));
    same(kernels -> kernels.draw(logits, rules, kernels.uniform(starts, 500)));
  }
}
