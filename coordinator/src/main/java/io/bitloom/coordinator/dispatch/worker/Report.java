package io.bitloom.coordinator.dispatch.worker;

import io.bitloom.v1.PromptOutcome;

/**
 * What a worker reported of a prompt that it held until then.
 *
 * @param drawing of the batch in which it was drawn
 */
record Report(Drawing drawing, OpenLease.Task task, PromptOutcome outcome) {

  OpenLease lease() {
    return drawing.lease();
  }
}
