package io.bitloom.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.common.schedule.ScaleSchedules;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class BatchCapacityTest {
  private final ScaleSchedule square = ScaleSchedules.find("1.0_0.06M").orElseThrow();
  private final ScaleSchedule wide = ScaleSchedules.find("0.5_0.06M").orElseThrow();
  private final BatchCapacity capacity = new BatchCapacity(schedule -> 8);

  @Test
  void runningOutOfMemoryHalvesTheLimitOfThatScheduleForGood() {
    capacity.exhausted(square, 8);
    assertEquals(4, capacity.maxImages(square));
    capacity.exhausted(square, 3);
    assertEquals(1, capacity.maxImages(square));
    assertEquals(8, capacity.maxImages(wide));
  }

  @Test
  void changesOfLimitAndWarmthAreReportedOnce() {
    List<ScaleSchedule> changed = new ArrayList<>();
    capacity.onChange(changed::add);
    assertFalse(capacity.isWarm(square));
    capacity.drawn(square);
    capacity.drawn(square);
    assertTrue(capacity.isWarm(square));
    capacity.exhausted(wide, 8);
    assertEquals(List.of(square, wide), changed);
  }

  @Test
  void whatLibtorchThrowsWhenMemoryRunsOutIsToldFromOtherFailures() {
    long tooMuch = 1L << 50;
    assertTrue(
        BatchCapacity.isExhaustion(
            failureOf(() -> Tensors.empty(DType.U8, TorchDevice.CPU, tooMuch))));
    assertTrue(BatchCapacity.isExhaustion(new IllegalStateException(new OutOfMemoryError())));
    assertFalse(
        BatchCapacity.isExhaustion(
            failureOf(
                () -> Tensors.of(new float[4], 2, 2).matmul(Tensors.of(new float[3], 3, 1)))));
  }

  private static RuntimeException failureOf(Runnable work) {
    try {
      work.run();
    } catch (RuntimeException failure) {
      return failure;
    }
    throw new AssertionError("expected a failure");
  }
}
