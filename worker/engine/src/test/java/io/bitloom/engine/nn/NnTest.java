package io.bitloom.engine.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.bitloom.engine.tensor.Resize;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;

class NnTest {
  private static final float EXACT = 1e-6f;

  @Test
  void linearMultipliesByTheTransposedWeight() {
    try (Scope scope = Scope.open()) {
      Tensor x = Tensors.of(new float[] {1, 2}, 1, 2);
      Tensor weight = Tensors.of(new float[] {1, 0, 0, 1, 1, 1}, 3, 2);
      Tensor bias = Tensors.of(new float[] {10, 20, 30}, 3);
      assertArrayEquals(
          new float[] {11, 22, 33}, Tensors.floats(Nn.linear(x, weight, bias)), EXACT);
      assertArrayEquals(new float[] {1, 2, 3}, Tensors.floats(Nn.linear(x, weight, null)), EXACT);
    }
  }

  @Test
  void normsFollowTheirDefinition() {
    try (Scope scope = Scope.open()) {
      Tensor x = Tensors.of(new float[] {1, 3}, 1, 2);
      Tensor two = Tensors.of(new float[] {2, 2}, 2);
      assertArrayEquals(new float[] {-1, 1}, Tensors.floats(Nn.layerNorm(x, null, null, 0)), EXACT);
      assertArrayEquals(new float[] {0, 4}, Tensors.floats(Nn.layerNorm(x, two, two, 0)), EXACT);
      float rms = (float) Math.sqrt(5);
      assertArrayEquals(
          new float[] {2 / rms, 6 / rms}, Tensors.floats(Nn.rmsNorm(x, two, 0)), EXACT);
      assertArrayEquals(
          new float[] {-1, 1},
          Tensors.floats(Nn.groupNorm(x.view(1, 2, 1, 1), 1, null, null, 0)),
          EXACT);
    }
  }

  @Test
  void convolutionPadsWithZeros() {
    try (Scope scope = Scope.open()) {
      Tensor x = Tensors.of(new float[] {1, 2, 3, 4}, 1, 1, 2, 2);
      Tensor ones = Tensors.of(new float[] {1, 1, 1, 1, 1, 1, 1, 1, 1}, 1, 1, 3, 3);
      assertArrayEquals(
          new float[] {10, 10, 10, 10}, Tensors.floats(Nn.conv2d(x, ones, null, 1, 1)), EXACT);
    }
  }

  @Test
  void gradientsFlowThroughTheLayers() {
    try (Scope scope = Scope.open()) {
      Tensor weight = Tensors.of(new float[] {2, 3}, 1, 2).set_requires_grad(true);
      Nn.linear(Tensors.of(new float[] {5, 7}, 1, 2), weight, null).sum().backward();
      assertArrayEquals(new float[] {5, 7}, Tensors.floats(weight.grad()), EXACT);
    }
  }

  @Test
  void resizingFollowsItsMode() {
    try (Scope scope = Scope.open()) {
      Tensor x = Tensors.of(new float[] {0, 4, 8, 12}, 1, 1, 2, 2);
      assertArrayEquals(new float[] {6}, Tensors.floats(Resize.area(x, 1, 1)), EXACT);
      assertArrayEquals(
          new float[] {0, 1, 3, 4, 8, 9, 11, 12}, Tensors.floats(Resize.trilinear(x, 2, 4)), EXACT);
      assertArrayEquals(
          new float[] {0, 0, 4, 4, 0, 0, 4, 4, 8, 8, 12, 12, 8, 8, 12, 12},
          Tensors.floats(Resize.doubled(x)),
          EXACT);
    }
  }

  @Test
  void pixelUnshuffleOrdersChannelsByRowThenColumn() {
    try (Scope scope = Scope.open()) {
      Tensor x = Tensors.of(new float[] {1, 2, 3, 4, 5, 6, 7, 8}, 1, 2, 2, 2);
      Tensor folded = Resize.pixelUnshuffle(x, 2);
      assertArrayEquals(new long[] {1, 8, 1, 1}, folded.shape());
      assertArrayEquals(new float[] {1, 2, 3, 4, 5, 6, 7, 8}, Tensors.floats(folded));
      assertArrayEquals(Tensors.floats(x), Tensors.floats(Resize.pixelShuffle(folded, 2)));
    }
  }
}
