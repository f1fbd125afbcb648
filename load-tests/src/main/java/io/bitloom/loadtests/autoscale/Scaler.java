package io.bitloom.loadtests.autoscale;

import io.bitloom.coordinator.pools.PoolPolicy;
import io.bitloom.coordinator.pools.PoolPolicy.Demand;
import io.bitloom.coordinator.pools.PoolPolicy.State;

/** What an autoscaler asks for the number of workers. */
interface Scaler {

  /** The metric, of which one worker is worth 1. */
  double workers(int seconds, Demand demand);

  /** The coordinator's own policy. */
  static Scaler of(PoolPolicy policy) {
    return new Scaler() {
      private State state = State.initial(0, new Demand(0, 0, false));

      @Override
      public double workers(int seconds, Demand demand) {
        state = policy.next(state, seconds * 1000L, demand);
        return state.held();
      }
    };
  }

  /** As a scaler of queues does: work, divided by what a worker draws in the time. */
  static Scaler proportional(double emptyInSeconds) {
    return (seconds, demand) -> demand.seconds() / emptyInSeconds;
  }
}
