package io.bitloom.coordinator.queue;

import java.util.List;

/**
 * Prompts that one worker may draw until the lease expires.
 *
 * @param tasks at least one, all of the lease's bucket
 */
public record LeasedBatch(LeaseRef lease, List<LeasedTask> tasks) {

  /** Images that the whole batch asks for. */
  public int images() {
    return tasks.stream().mapToInt(LeasedTask::images).sum();
  }
}
