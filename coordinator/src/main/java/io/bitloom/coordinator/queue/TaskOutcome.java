package io.bitloom.coordinator.queue;

import com.google.protobuf.ByteString;

/**
 * What a prompt came to.
 *
 * @param succeeded false: a failure that no other attempt can mend
 * @param body what readers of the result need besides the prompt, opaque to the queue
 * @param resultBytes that its results take elsewhere, less than 2^32
 * @param last when it is taken, the lease has no other prompt of this job without outcome
 */
public record TaskOutcome(
    TaskRef task, boolean succeeded, ByteString body, long resultBytes, boolean last) {

  /** An outcome that has nothing elsewhere, and may not be the last. */
  public TaskOutcome(TaskRef task, boolean succeeded, ByteString body) {
    this(task, succeeded, body, 0, false);
  }

  /** The same, where its prompt has another name. */
  public TaskOutcome of(TaskRef named) {
    return named.equals(task) ? this : new TaskOutcome(named, succeeded, body, resultBytes, last);
  }
}
