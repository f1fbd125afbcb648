package io.bitloom.coordinator.dispatch.matching;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.bitloom.coordinator.queue.Bucket;
import io.bitloom.coordinator.queue.BucketBacklog;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class BucketWeightsTest {

  private static BucketBacklog waiting(int bucket, Map<String, Double> weights) {
    return new BucketBacklog(
        new Bucket("m", "s" + bucket), 1, 1, 0, 0, 0, Duration.ZERO, 5, Map.of(), weights);
  }

  @Test
  void aTenantGetsItsShareHoweverManyBucketsAnotherFloods() {
    List<BucketBacklog> backlog = new ArrayList<>();
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
