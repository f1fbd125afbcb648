package io.bitloom.engine.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;

class HeldBytesTest {
  @Test
  void storagesCountOnceAndAsLongAsAScopeHoldsThem() {
    try (Weights weights = MetaWeights.of(Map.of("weight", new long[] {1000}));
        Scope scope = Scope.open();
        HeldBytes held = new HeldBytes(TorchDevice.META, weights)) {
      Tensor kept;
      try (Scope inner = Scope.open()) {
        Tensor x = Tensors.empty(DType.F32, TorchDevice.META, 30);
        x.narrow(0, 0, 10).view(2, 5);
        weights.get("weight").narrow(0, 0, 10);
        Tensors.zeros(DType.F32, TorchDevice.CPU, 500);
        kept = inner.keep(Tensors.to(x, DType.BF16));
        assertEquals(30 * 4 + 30 * 2, held.now());
      }
      assertEquals(30 * 2, held.now());
      kept.close();
      assertEquals(0, held.now());
      assertEquals(30 * 4 + 30 * 2, held.most());
    }
  }
}
