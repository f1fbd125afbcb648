package io.bitloom.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.common.schedule.ScaleSchedules;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.engine.tokenizer.TokenizerConfig;
import org.junit.jupiter.api.Test;

class DecodeEstimateTest {
  private static final TokenizerConfig D32 =
      TokenizerConfig.of(TokenizerConfig.preset("infinity_vae_d32").orElseThrow());
  private static final ScaleSchedule SMALL = ScaleSchedules.find("1.0_0.06M").orElseThrow();
  private static final ScaleSchedule LARGE = ScaleSchedules.find("1.0_1M").orElseThrow();

  @Test
  void aCpuDecodesPicturesOneByOne() {
    DecodeEstimate cpu = DecodeEstimate.of(D32, TorchDevice.CPU, DType.F32);
    assertEquals(1, cpu.applyAsInt(SMALL));
    assertEquals(1, cpu.applyAsInt(LARGE));
  }

  @Test
  void aGpuTakesAsManyAsKeepItBusyAndFit() {
    DecodeEstimate ample = estimate(Long.MAX_VALUE);
    assertEquals(4, ample.applyAsInt(LARGE));
    assertEquals(64, ample.applyAsInt(SMALL));
    double picture = BatchEstimate.TOLERANCE * ample.bytesPerPicture(LARGE);
    assertEquals(3, estimate((long) Math.ceil(3 * picture)).applyAsInt(LARGE));
    assertEquals(2, estimate((long) (2.9 * picture)).applyAsInt(LARGE));
    assertEquals(1, estimate(1).applyAsInt(LARGE));
  }

  @Test
  void thePeakIsAtFullResolutionWhereTheChannelsHalve() {
    // in and normalised 256 channels each, out 128, two bytes a value
    assertEquals((2 * 256 + 128) * 2L * 1024 * 1024, estimate(1).bytesPerPicture(LARGE));
    assertTrue(estimate(1).bytesPerPicture(SMALL) < estimate(1).bytesPerPicture(LARGE) / 15);
  }

  private static DecodeEstimate estimate(long memory) {
    return new DecodeEstimate(D32, DType.BF16, memory, 4L << 20);
  }
}
