package io.bitloom.coordinator.dispatch.matching;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.bitloom.coordinator.queue.Bucket;
import io.bitloom.coordinator.queue.BucketRank;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class BucketWeightsTest {

  private static BucketRank waiting(int bucket, Map<String, Double> weights) {
    return new BucketRank(new Bucket("m", "s" + bucket), 5, weights);
  }

  @Test
  void aTenantGetsItsShareHoweverManyBucketsAnotherFloods() {
    List<BucketRank> backlog = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      backlog.add(waiting(i, i == 0 ? Map.of("flood", 1.0, "small", 2.0) : Map.of("flood", 1.0)));
    }
    BucketWeights weights = BucketWeights.of(backlog);
    assertEquals(Map.of("flood", 10, "small", 1), weights.spread());

    double all = weights.weights().values().stream().mapToDouble(w -> w).sum();
    double ofFirst = weights.of(new Bucket("m", "s0"));
    assertEquals(2.0 / 3, ofFirst / all * 2 / (2 + 1.0 / 10), 1e-9);
  }
}
