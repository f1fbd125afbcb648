package io.bitloom.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.common.schedule.ScaleSchedules;
import io.bitloom.engine.model.InfinityConfig;
import io.bitloom.engine.model.InfinityPreset;
import io.bitloom.engine.modeldir.ModelDirectory;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.TorchDevice;
import org.junit.jupiter.api.Test;

class BatchEstimateTest {
  private final InfinityConfig demo = ModelDirectory.open(ModelDirectory.UNTRAINED).transformer();
  private final ScaleSchedule small = ScaleSchedules.find("1.0_0.06M").orElseThrow();
  private final ScaleSchedule large = ScaleSchedules.find("1.0_1M").orElseThrow();

  @Test
  void onACpuABatchIsAboutFourThousandTokens() {
    BatchEstimate estimate = BatchEstimate.of(demo, TorchDevice.CPU, DType.F32, 0);
    assertEquals(8, estimate.applyAsInt(small));
    assertEquals(1, estimate.applyAsInt(large));
  }

  @Test
  void theUsersLimitReplacesThatBoundButNotTheMemory() {
    assertEquals(20, BatchEstimate.of(demo, TorchDevice.CPU, DType.F32, 20).applyAsInt(small));
    double image = BatchEstimate.TOLERANCE * estimate(Long.MAX_VALUE).bytesPerImage(large);
    assertEquals(3, estimate((long) Math.ceil(3 * image)).applyAsInt(large));
    assertEquals(2, estimate((long) (2.9 * image)).applyAsInt(large));
    assertEquals(1, estimate(1).applyAsInt(large));
  }

  @Test
  void anImageTakesAtLeastItsCacheForBothHalves() {
    long cached = small.tokens() - small.last().tokens();
    long cache = 2L * demo.depth() * demo.embedDim() * cached * 4 * 2;
    assertTrue(estimate(1).bytesPerImage(small) > cache);
  }

  @Test
  void onAGpu1MOfTheTwoBillionComesInBatchesOfUpTo16() {
    InfinityConfig model = InfinityConfig.parse(InfinityPreset.MODEL_2B.settings(), 32);
    long gib = 1L << 30;
    assertEquals(16, gpu(model, 130 * gib).applyAsInt(large)); // H200, the model loaded
    assertEquals(12, gpu(model, 70 * gib).applyAsInt(large)); // 80 GB
    assertEquals(5, gpu(model, 30 * gib).applyAsInt(large)); // 40 GB
    assertEquals(64, gpu(model, 70 * gib).applyAsInt(small));
  }

  @Test
  void onAGpuTextsCountAndNoBlockCopiesTheCache() {
    long token = 2L * demo.embedDim() * DType.BF16.bytes();
    long cached = small.tokens() - small.last().tokens();
    long texts = demo.depth() * token * demo.textMaxLength();
    BatchEstimate cpu = new BatchEstimate(demo, DType.BF16, true, false, 1, Long.MAX_VALUE, 64);
    assertEquals(
        cpu.bytesPerImage(small) + 2 * (texts - token * cached), gpu(demo, 1).bytesPerImage(small));
  }

  private static BatchEstimate gpu(InfinityConfig model, long memory) {
    return new BatchEstimate(
        model, DType.BF16, true, true, memory, BatchEstimate.GPU_TOKENS, BatchEstimate.NO_LIMIT);
  }

  private BatchEstimate estimate(long memory) {
    return new BatchEstimate(demo, DType.F32, true, false, memory, Long.MAX_VALUE, 64);
  }
}
