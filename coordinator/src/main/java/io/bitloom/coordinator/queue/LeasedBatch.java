package io.bitloom.coordinator.queue;

import java.time.Duration;
import java.util.List;

/**
 * Prompts that one worker may draw until the lease expires.
 *
 * @param tasks at least one, all of the lease's bucket
 * @param waits how long what is here has waited; nothing of prompts that were tried before
 */
public record LeasedBatch(LeaseRef lease, List<LeasedTask> tasks, List<Wait> waits) {

  /**
   * How long the first prompt that a lease takes of a job has been in its bucket; those behind it
   * came at the same time or later. May be said longer by as much as a prompt before it has waited.
   */
  public record Wait(String tenant, Duration time) {}

  /** A batch of which it is not known how long it has waited. */
  public LeasedBatch(LeaseRef lease, List<LeasedTask> tasks) {
    this(lease, tasks, List.of());
  }

  /** Images that the whole batch asks for. */
  public int images() {
    return tasks.stream().mapToInt(LeasedTask::images).sum();
  }
}
