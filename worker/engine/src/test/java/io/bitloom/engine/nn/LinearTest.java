package io.bitloom.engine.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.LibTorch;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class LinearTest {
  private Scope scope;
  private Tensor weight;
  private Tensor bias;

  @BeforeEach
  void makeLayer() {
    scope = Scope.open();
    LibTorch.start();
    torch.manual_seed(1);
    weight = torch.randn(96, 160);
    bias = torch.randn(96);
  }

  @AfterEach
  void closeScope() {
    scope.close();
  }

  @Test
  void aFrozenLayerComputesWhatATrainableOneDoes() {
    Tensor x = torch.randn(2, 7, 160);
    try (Linear frozen = Linear.frozen(weight, bias);
        Linear trainable = Linear.trainable(weight, bias, DType.F32, null);
        Linear withoutBias = Linear.frozen(weight, null)) {
      float[] expected = Tensors.floats(trainable.apply(x));
      assertArrayEquals(expected, Tensors.floats(frozen.apply(x)), 1e-4f);
      assertArrayEquals(expected, Tensors.floats(withoutBias.apply(x, bias)), 1e-4f);
    }
  }

  @Test
  void aRowDoesNotDependOnTheOthers() {
    Tensor x = torch.randn(300, 160);
    try (Linear layer = Linear.frozen(weight, bias)) {
      Tensor all = layer.apply(x);
      for (long rows : new long[] {1, 2, 3, 17, 64, 150}) {
        Tensor some = layer.apply(x.narrow(0, 5, rows));
        assertTrue(some.equal(all.narrow(0, 5, rows)), rows + " rows");
      }
    }
  }

  @Test
  void aBfloat16LayerRoundsInputWeightAndOutput() {
    Tensor x = torch.randn(3, 160);
    Tensor half = Tensors.to(weight, DType.BF16);
    try (Linear layer = Linear.frozen(half, Tensors.to(bias, DType.BF16))) {
      Tensor y = layer.apply(x);
      assertEquals(DType.BF16, Tensors.dtype(y));
      Tensor rounded = Tensors.to(Tensors.to(x, DType.BF16), DType.F64);
      Tensor exact =
          Nn.linear(
              rounded,
              Tensors.to(half, DType.F64),
              Tensors.to(Tensors.to(bias, DType.BF16), DType.F64));
      float[] expected = Tensors.floats(exact);
      float[] actual = Tensors.floats(y);
      for (int i = 0; i < expected.length; i++) {
        assertEquals(expected[i], actual[i], Math.abs(expected[i]) / 128 + 1e-3);
      }
    }
  }

  @Test
  void elementwiseFunctionsGiveAnImageTheSameValuesInAnyBatch() {
    int before = LibTorch.threads();
    LibTorch.threads(5);
    try (org.bytedeco.pytorch.NoGradGuard guard = new org.bytedeco.pytorch.NoGradGuard()) {
      Tensor x = torch.randn(3, 143, 96);
      Tensor gelu = Nn.geluTanh(x);
      Tensor silu = Nn.silu(x);
      for (long i = 0; i < 3; i++) {
        Tensor one = x.narrow(0, i, 1).contiguous();
        assertTrue(Nn.geluTanh(one).equal(gelu.narrow(0, i, 1)));
        assertTrue(Nn.silu(one).equal(silu.narrow(0, i, 1)));
      }
      assertArrayEquals(Tensors.floats(torch.silu(x)), Tensors.floats(silu), 1e-6f);
    } finally {
      LibTorch.threads(before);
    }
  }

  /** 1 + 2⁻¹⁰ is no bfloat16, but 1 is. */
  @Test
  void aTrainableWeightIsRoundedAgainAfterEveryChangeAndItsGradientsAddUpInFloat32() {
    try (Scope scope = Scope.open()) {
      Tensor weight = Tensors.of(new float[] {1 + 1f / 1024, 2}, 1, 2).requires_grad_(true);
      Tensor x = Tensors.of(new float[] {1, 1}, 1, 2);
      try (Linear layer = Linear.trainable(weight, null, DType.BF16, null)) {
        try (NoGradGuard noGradients = new NoGradGuard()) {
          assertEquals(3, layer.apply(x).item_double()); // as the first pass of recomputation
        }
        for (int part = 0; part < 3; part++) {
          Tensors.times(layer.apply(x), 1 + part / 128.0).sum().backward();
        }
        assertEquals(DType.F32, Tensors.dtype(weight.grad()));
        float sum = 3 + 3 / 128f; // which is no bfloat16 either
        assertArrayEquals(new float[] {sum, sum}, Tensors.floats(weight.grad()));
        try (NoGradGuard noGradients = new NoGradGuard()) {
          weight.add_(new Scalar(4));
        }
        assertEquals(11, layer.apply(x).item_double());
      }
    }
  }
}
