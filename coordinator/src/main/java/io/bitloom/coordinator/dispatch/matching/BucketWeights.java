package io.bitloom.coordinator.dispatch.matching;

import io.bitloom.coordinator.queue.Bucket;
import io.bitloom.coordinator.queue.BucketRank;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;

/**
 * How the weights of tenants count across buckets. A tenant's weight is divided among the buckets
 * in which it waits, and a bucket weighs as much as the parts in it together: by these a tenant
 * gets its share of all work, be its prompts in one bucket or in twenty.
 *
 * @param weights of buckets in which prompts wait
 * @param spread in how many buckets each tenant waits
 */
record BucketWeights(Map<Bucket, Double> weights, Map<String, Integer> spread) {

  static final BucketWeights UNKNOWN = new BucketWeights(Map.of(), Map.of());

  static BucketWeights of(Collection<BucketRank> ranks) {
    Map<String, Integer> spread = new HashMap<>();
    ranks.forEach(
        rank -> rank.weights().keySet().forEach(name -> spread.merge(name, 1, Integer::sum)));
    Map<Bucket, Double> weights = new HashMap<>();
    for (BucketRank rank : ranks) {
      rank.weights()
          .forEach(
              (tenant, weight) ->
                  weights.merge(rank.bucket(), weight / spread.get(tenant), Double::sum));
    }
    return new BucketWeights(weights, spread);
  }

  /** Weight of a bucket; 1 if nothing is known of it. */
  double of(Bucket bucket) {
    return weights.getOrDefault(bucket, 1.0);
  }
}
