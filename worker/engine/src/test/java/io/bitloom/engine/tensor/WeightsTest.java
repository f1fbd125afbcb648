package io.bitloom.engine.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Set;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;

class WeightsTest {
  private static Weights weights() {
    Weights weights = new Weights("model.safetensors");
    try (Scope scope = Scope.open()) {
      weights.put("head.weight", Tensors.of(new float[] {1, 2}, 1, 2));
      weights.put("head.bias", Tensors.of(new float[] {3}, 1));
      weights.put("mask", Tensors.of(new long[] {2, 1}, 2));
    }
    return weights;
  }

  @Test
  void aMissingTensorIsNamedWithFileAndShape() {
    try (Weights weights = weights()) {
      Exception e =
          assertThrows(WeightsException.class, () -> weights.at("head.").get("scale", 4, 2));
      assertEquals(
          "model.safetensors: tensor head.scale: is missing, expected shape [4, 2]",
          e.getMessage());
    }
  }

  @Test
  void aMisshapenTensorIsNamedWithBothShapes() {
    try (Weights weights = weights()) {
      Exception e = assertThrows(WeightsException.class, () -> weights.get("head.weight", 2, 1));
      assertEquals(
          "model.safetensors: tensor head.weight: expected shape [2, 1], found [1, 2]",
          e.getMessage());
    }
  }

  @Test
  void whatNobodyLookedUpIsUnused() {
    try (Weights weights = weights()) {
      weights.at("head.").get("weight", 1, 2);
      assertTrue(weights.has("mask"));
      assertFalse(weights.has("weight"));
      assertEquals(Set.of("head.bias", "mask"), weights.unused());
      assertEquals(Set.of("bias"), weights.at("head.").unused());
    }
  }

  @Test
  void aNameMustNotOccurTwice() {
    try (Weights weights = weights();
        Scope scope = Scope.open()) {
      Tensor other = Tensors.of(new float[] {1}, 1);
      assertThrows(WeightsException.class, () -> weights.at("head.").put("bias", other));
    }
  }

  @Test
  void convertedWeightsOutliveTheirSource() {
    Weights source = weights();
    try (Weights half = source.to(TorchDevice.CPU, DType.F16)) {
      source.close();
      assertEquals(DType.F16, Tensors.dtype(half.get("head.bias", 1)));
      assertEquals(DType.I64, Tensors.dtype(half.get("mask", 2)));
      assertEquals(2 * 3 + 8 * 2, half.bytes());
    }
  }
}
