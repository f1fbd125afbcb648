package io.bitloom.engine.model;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Kernels;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.TorchDevice;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class KvCacheTest {
  private final InfinityConfig config = TinyInfinity.config();

  @ParameterizedTest
  @EnumSource(names = {"F32", "BF16"})
  void theMemoryThatIsReservedIsThatOfTheFormula(DType dtype) {
    try (Scope scope = Scope.open()) {
      int rows = 2; // one image with guidance
      KvCache cache = new KvCache(config, TinyInfinity.SCALES, rows, dtype, TorchDevice.CPU);
      long reserved = 0;
      for (int block = 0; block < config.depth(); block++) {
        Kernels.Slot slot = cache.layer(block).slot(1);
        reserved += slot.keysValues2RTHc().storage().nbytes();
      }
      long cachedTokens = 1 + 4 + 6; // not the 24 of the last scale
      long formula = 2L * config.depth() * config.embedDim() * cachedTokens * dtype.bytes() * 2;
      assertEquals(formula, reserved);
      assertEquals(formula, KvCache.bytesPerImage(config, TinyInfinity.SCALES, dtype, true));
    }
  }

  @Test
  void aGpuReservesTheLastScaleOfOneBlockBesides() {
    try (Scope scope = Scope.open()) {
      int rows = 2;
      KvCache cache = new KvCache(config, TinyInfinity.SCALES, rows, DType.BF16, TorchDevice.META);
      long reserved = cache.layer(0).slot(1).keysValues2RTHc().storage().nbytes();
      long lastScale = 2L * config.embedDim() * 24 * DType.BF16.bytes() * rows;
      assertEquals(
          KvCache.bytesPerImage(config, TinyInfinity.SCALES, DType.BF16, true) + lastScale,
          reserved);
    }
  }
}
