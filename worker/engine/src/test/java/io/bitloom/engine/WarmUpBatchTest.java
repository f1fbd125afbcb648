package io.bitloom.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.common.schedule.ScaleSchedules;
import java.util.List;
import org.junit.jupiter.api.Test;

class WarmUpBatchTest {
  private static final ScaleSchedule SMALL = ScaleSchedules.find("1.0_0.06M").orElseThrow();
  private static final ScaleSchedule LARGE = ScaleSchedules.find("1.0_1M").orElseThrow();
  private static final List<ScaleSchedule> BOTH = List.of(LARGE, SMALL);

  @Test
  void fullBatchesComeFirstThenPowersOfTwoFromTheLargestOn() {
    assertEquals(
        List.of("1M 3", "0.06M 8", "0.06M 4", "1M 2", "0.06M 2", "1M 1", "0.06M 1"), plan(false));
  }

  @Test
  void ofFixedBatchesThereIsOneSizeEach() {
    assertEquals(List.of("1M 3", "0.06M 8"), plan(true));
  }

  private static List<String> plan(boolean onlyLargest) {
    return WarmUpBatch.plan(BOTH, schedule -> schedule == LARGE ? 3 : 8, onlyLargest).stream()
        .map(batch -> batch.schedule().size().label() + " " + batch.images())
        .toList();
  }
}
