package io.bitloom.coordinator.dispatch.worker;

import io.bitloom.v1.PromptOutcome;

/**
 * What a worker reported of a prompt that it held until then.
 *
 * @param drawing of the batch in which it was drawn
 * @param came when, by {@link io.bitloom.common.trace.TraceClock}; 0 if nobody asks
 */
record Report(Drawing drawing, OpenLease.Task task, PromptOutcome outcome, long came) {

  OpenLease lease() {
    return drawing.lease();
  }
}
