package io.bitloom.client.sdk;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.github.resilience4j.core.IntervalFunction;
import io.grpc.Status;
import java.time.Duration;

/**
 * A stretch of time in which the coordinator cannot be reached: says how long to wait before the
 * next attempt and when to give up.
 */
final class Outage {

  private static final IntervalFunction BACKOFF =
      IntervalFunction.ofExponentialRandomBackoff(
          Duration.ofMillis(100), 2, 0.5, Duration.ofSeconds(2));

  private final Connection connection;
  private long startNanos;
  private int attempts;

  Outage(Connection connection) {
    this.connection = connection;
  }

  /** An attempt succeeded. */
  void over() {
    attempts = 0;
    connection.answered();
  }

  /**
   * Waits before the next attempt.
   *
   * @throws BitloomException for a failure that another attempt would not mend, and when patience
   *     is at its end
   */
  void waitAfter(Throwable failure) {
    boolean mendable = Status.fromThrowable(failure).getCode() == Status.Code.UNAVAILABLE;
    if (!mendable || connection.isClosed()) {
      throw connection.failure(failure);
    }
    if (attempts == 0) {
      startNanos = System.nanoTime();
    }
    attempts++;
    long pauseMillis = BACKOFF.apply(attempts);
    long goneNanos = System.nanoTime() - startNanos;
    if (goneNanos + pauseMillis * 1_000_000 > connection.patience().toNanos()) {
      throw connection.failure(failure);
    }
    try {
      Thread.sleep(pauseMillis);
    } catch (InterruptedException e) {
      throw interrupted(e);
    }
    connection.reconnect();
  }

  /** The error of a thread that was interrupted while it waited for the coordinator. */
  static BitloomException interrupted(InterruptedException e) {
    Thread.currentThread().interrupt();
    return new BitloomException(ErrorCode.CANCELLED, "interrupted", e);
  }
}
