package io.bitloom.coordinator.queue;

import com.google.protobuf.ByteString;

/**
 * A failed attempt that another one may mend.
 *
 * @param body becomes the outcome's body if this was the last attempt
 * @param last when it is taken, the lease has no other prompt of this job without outcome
 */
public record TaskFailure(TaskRef task, ByteString body, boolean last) {

  /** A failure that may not be the last. */
  public TaskFailure(TaskRef task, ByteString body) {
    this(task, body, false);
  }

  /** The same, where its prompt has another name. */
  public TaskFailure of(TaskRef named) {
    return named.equals(task) ? this : new TaskFailure(named, body, last);
  }
}
