package io.bitloom.coordinator.queue;

import com.google.protobuf.ByteString;

/**
 * One prompt of a lease.
 *
 * @param attempt 1 on the first try
 * @param images how many images it asks for
 * @param group which has its payload
 */
public record LeasedTask(TaskRef task, int attempt, int images, PayloadGroup group) {

  /** As given to {@link NewPrompt}. */
  public ByteString payload() {
    return group.payload(task.offset());
  }
}
