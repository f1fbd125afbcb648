package io.bitloom.coordinator.tracing;

import io.bitloom.common.trace.SpanRef;
import io.bitloom.coordinator.queue.TaskRef;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Since when prompts with a trace wait for a worker, as far as this coordinator put them there; the
 * queue does not keep it. Of more than there is room for, those that wait longest are forgotten.
 */
final class WaitingSince {

  private static final int MOST = 1 << 14;

  /**
   * A prompt that waits.
   *
   * @param since as {@link io.bitloom.common.trace.TraceClock} says
   * @param last the span of the lease before; empty before the first
   */
  record Wait(long since, Optional<SpanRef> last) {}

  private final Map<TaskRef, Wait> waits =
      new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<TaskRef, Wait> eldest) {
          return size() > MOST;
        }
      };

  synchronized void put(TaskRef task, Wait wait) {
    waits.put(task, wait);
  }

  synchronized Optional<Wait> take(TaskRef task) {
    return Optional.ofNullable(waits.remove(task));
  }
}
