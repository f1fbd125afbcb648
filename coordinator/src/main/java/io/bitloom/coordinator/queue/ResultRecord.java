package io.bitloom.coordinator.queue;

import com.google.protobuf.ByteString;
import java.time.Instant;

/**
 * The one outcome of one prompt.
 *
 * @param cursor the place behind it among the job's results
 * @param offset place of the prompt in its job
 * @param attempt the attempt that brought it; 0 if it was cancelled before the first
 * @param payload as given to {@link NewPrompt}
 * @param body as given to {@link TaskOutcome} or {@link TaskFailure}; empty if lost or cancelled
 * @param commitTime by the clock of Redis
 */
public record ResultRecord(
    Cursor cursor,
    long offset,
    Status status,
    int attempt,
    ByteString payload,
    ByteString body,
    Instant commitTime) {

  /** The same at another place. */
  public ResultRecord at(Cursor place) {
    return new ResultRecord(place, offset, status, attempt, payload, body, commitTime);
  }

  /** How it ended. */
  public enum Status {
    SUCCEEDED,
    /** Counts as failed. */
    FAILED,
    /** Every attempt ended without a word of its worker. Counts as failed. */
    LOST,
    /** Its job was cancelled before it was drawn. */
    CANCELLED,
    /** Its job's completion window passed before it was drawn. Counts as cancelled. */
    EXPIRED;

    /** Whether it counts as failed. */
    public boolean failed() {
      return this == FAILED || this == LOST;
    }
  }
}
