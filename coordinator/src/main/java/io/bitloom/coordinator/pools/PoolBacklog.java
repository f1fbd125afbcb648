package io.bitloom.coordinator.pools;

import io.bitloom.coordinator.dispatch.matching.Speeds;
import io.bitloom.coordinator.models.ClusterWorkers;
import io.bitloom.coordinator.models.ModelRegistry;
import io.bitloom.coordinator.pools.PoolPolicy.Demand;
import io.bitloom.coordinator.queue.Backlog;
import io.bitloom.coordinator.queue.BucketBacklog;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;

/**
 * What waits for pools, in GPU-seconds of their own workers. Prompts of paused jobs are not in it:
 * buckets do not count them.
 */
final class PoolBacklog {

  private final Backlog backlog;
  private final Speeds speeds;
  private final ModelRegistry models;

  PoolBacklog(Backlog backlog, Speeds speeds, ModelRegistry models) {
    this.backlog = backlog;
    this.speeds = speeds;
    this.models = models;
  }

  /** What is to be done, and in which time by whom. */
  private record Work(List<BucketBacklog> buckets, Function<String, Speeds.Table> speeds) {}

  /** Who is there, and which models pools had last. */
  private record Pools(ClusterWorkers workers, Map<String, Set<String>> lastModels) {}

  /** What there is of all buckets and all pools at one moment. */
  record Moment(Work work, Pools pools) {

    int connected(PoolTarget target) {
      return pools.workers().ofPool(target.pool());
    }

    /** What a pool has to do. */
    Demand of(PoolTarget target) {
      Set<String> connected = pools.workers().modelsOf(target.pool());
      Set<String> ofPool =
          connected.isEmpty()
              ? pools.lastModels().getOrDefault(target.pool(), Set.of())
              : connected;
      Speeds.Table table = work.speeds().apply(target.pool());
      double seconds = 0;
      long leases = 0;
      boolean unmeasured = false;
      for (BucketBacklog bucket : work.buckets()) {
        if (target.takes(bucket.bucket(), ofPool)) {
          OptionalDouble speed = table.of(bucket.bucket());
          unmeasured |= speed.isEmpty() && images(bucket) > 0;
          seconds += images(bucket) * speed.orElse(0);
          leases += bucket.leases();
        }
      }
      int busy = (int) Math.min(leases, connected(target));
      return new Demand(seconds, busy, unmeasured);
    }

    /**
     * Images that are to be drawn. How many those ask for that were leased is not counted anywhere:
     * as many as those that wait.
     */
    private static double images(BucketBacklog bucket) {
      double ofPrompt = bucket.prompts() == 0 ? 1 : (double) bucket.images() / bucket.prompts();
      return bucket.images() + (bucket.retries() + bucket.leased()) * ofPrompt;
    }
  }

  CompletionStage<Moment> now() {
    CompletionStage<Work> work = backlog.buckets().thenCombine(speeds.tables(), Work::new);
    CompletionStage<Pools> pools =
        models.clusterWorkers().thenCombine(models.lastModelsOfPools(), Pools::new);
    return work.thenCombine(pools, Moment::new);
  }
}
