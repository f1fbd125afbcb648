package io.bitloom.loadtests.autoscale;

import io.bitloom.coordinator.pools.PoolPolicy;
import io.bitloom.coordinator.pools.PoolTarget;
import java.time.Duration;
import java.util.function.Function;

/**
 * A way to scale a pool.
 *
 * @param name for tables
 * @param autoscaler how KEDA and Kubernetes are set for it
 * @param scaler of which they ask the number of workers, for a target
 */
record Contender(
    String name, PodAutoscaler.Settings autoscaler, Function<Duration, Scaler> scaler) {

  /** What the coordinator does by default, with the ScaledObject of the docs. */
  static final Contender DEFAULTS =
      new Contender(
          "defaults", PodAutoscaler.Settings.OURS, emptyIn -> policy(emptyIn, PoolTarget.IDLE));

  /** Work divided by what a worker draws in the time, as scalers of queues do. */
  static final Contender PROPORTIONAL =
      new Contender(
          "backlog / target",
          PodAutoscaler.Settings.USUAL,
          emptyIn -> Scaler.proportional(emptyIn.toSeconds()));

  /** The same policy, which keeps workers without work for as long as Kubernetes does by itself. */
  static final Contender LONG_HOLD =
      new Contender(
          "idle for 10 min",
          PodAutoscaler.Settings.USUAL,
          emptyIn -> policy(emptyIn, Duration.ofMinutes(10)));

  private static Scaler policy(Duration emptyIn, Duration idle) {
    return Scaler.of(new PoolPolicy(emptyIn, PoolTarget.NODE_START, idle, PoolTarget.MOST));
  }
}
