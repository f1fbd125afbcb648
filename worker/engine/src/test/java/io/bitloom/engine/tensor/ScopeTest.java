package io.bitloom.engine.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;

class ScopeTest {
  @Test
  void closingFreesWhatWasNotKept() {
    Tensor dropped;
    Tensor kept;
    try (Scope outer = Scope.open()) {
      try (Scope inner = Scope.open()) {
        dropped = Tensors.of(new float[] {1}, 1);
        kept = inner.keep(Tensors.of(new float[] {2}, 1));
      }
      assertTrue(dropped.isNull());
      assertArrayEquals(new float[] {2}, Tensors.floats(kept));
    }
    assertTrue(kept.isNull());
  }

  @Test
  void aTensorKeptWithoutASurroundingScopeBelongsToTheCaller() {
    Tensor kept;
    try (Scope scope = Scope.open()) {
      kept = scope.keep(Tensors.of(new float[] {2}, 1));
    }
    assertFalse(kept.isNull());
    kept.close();
    assertTrue(kept.isNull());
  }

  @Test
  void theResultOfAnInPlaceOperatorOutlivesTheHandleItRefersTo() {
    try (Scope outer = Scope.open()) {
      Tensor kept;
      try (Scope inner = Scope.open()) {
        Tensor x = Tensors.of(new float[] {1, 2}, 2);
        kept = inner.keep(x.add_(x));
      }
      assertArrayEquals(new float[] {2, 4}, Tensors.floats(kept));
    }
  }

  @Test
  void anOwnedTensorLivesUntilItIsClosed() {
    Tensor weight;
    try (Scope scope = Scope.open()) {
      weight = Scope.own(Tensors.of(new float[] {3}, 1));
    }
    assertArrayEquals(new float[] {3}, Tensors.floats(weight));
    weight.close();
    assertTrue(weight.isNull());
  }
}
