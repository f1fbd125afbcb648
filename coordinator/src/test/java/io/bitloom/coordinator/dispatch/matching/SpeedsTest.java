package io.bitloom.coordinator.dispatch.matching;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.schedule.ScaleSchedules;
import io.bitloom.coordinator.queue.Bucket;
import java.util.Map;
import org.junit.jupiter.api.Test;

class SpeedsTest {

  private static final Bucket SMALL = new Bucket("m", "1.0_0.06M");
  private static final Bucket LARGE = new Bucket("m", "1.0_1M");
  private static final double TOKENS = (double) tokens("1.0_1M") / tokens("1.0_0.06M");

  private static int tokens(String schedule) {
    return ScaleSchedules.find(schedule).orElseThrow().tokens();
  }

  @Test
  void whatAPoolHasDrawnCountsFirst() {
    Speeds.Table table = new Speeds.Table(Map.of(SMALL, 2.0), Map.of(SMALL, 1.0, LARGE, 10.0));
    assertEquals(2, table.of(SMALL).orElseThrow());
  }

  @Test
  void aScheduleThatAPoolHasNotDrawnIsEstimatedFromItsOthersBeforeThoseOfAll() {
    Speeds.Table table = new Speeds.Table(Map.of(SMALL, 2.0), Map.of(SMALL, 1.0, LARGE, 10.0));
    assertEquals(2 * TOKENS, table.of(LARGE).orElseThrow(), 1e-9);
  }

  @Test
  void whereAPoolHasDrawnNothingOfAModelAllWorkersCount() {
    Bucket other = new Bucket("n", "1.0_0.06M");
    Speeds.Table table = new Speeds.Table(Map.of(other, 2.0), Map.of(SMALL, 1.0));
    assertEquals(1, table.of(SMALL).orElseThrow());
    assertEquals(TOKENS, table.of(LARGE).orElseThrow(), 1e-9);
    assertTrue(new Speeds.Table(Map.of(), Map.of(other, 2.0)).of(SMALL).isEmpty());
  }
}
