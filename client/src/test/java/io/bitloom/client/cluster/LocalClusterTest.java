package io.bitloom.client.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class LocalClusterTest {

  @Test
  void workersUseEveryProcessorOnceAndEachAtLeastOne() {
    assertEquals(List.of(2), shares(1, 2));
    assertEquals(List.of(1, 1), shares(2, 2));
    assertEquals(List.of(3, 3, 2), shares(3, 8));
    assertEquals(List.of(1, 1, 1), shares(3, 2));
  }

  private static List<Integer> shares(int workers, int processors) {
    return IntStream.rangeClosed(1, workers)
        .map(number -> LocalCluster.processorsOf(number, workers, processors))
        .boxed()
        .toList();
  }
}
