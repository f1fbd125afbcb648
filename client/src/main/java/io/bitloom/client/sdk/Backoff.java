package io.bitloom.client.sdk;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.error.Exhausted;
import io.bitloom.common.grpc.GrpcErrors;
import io.github.resilience4j.core.IntervalFunction;
import java.time.Duration;
import java.util.Optional;

/**
 * How long to wait before the next attempt while the coordinator cannot be reached, and when to
 * give up. A limit that the caller has reached is waited for in the same way.
 */
final class Backoff {

  private static final IntervalFunction PAUSES =
      IntervalFunction.ofExponentialRandomBackoff(
          Duration.ofMillis(100), 2, 0.5, Duration.ofSeconds(2));

  /**
   * An attempt that went on for so long was answered: a stream may have nothing to say for hours.
   */
  private static final Duration ANSWERED = Duration.ofMinutes(1);

  private final Connection connection;
  private final boolean retries;
  private long startNanos;
  private long attemptNanos;
  private int attempts;

  Backoff(Connection connection) {
    this(connection, true);
  }

  private Backoff(Connection connection, boolean retries) {
    this.connection = connection;
    this.retries = retries;
  }

  /** For a call that must not be repeated. */
  static Backoff withoutRetry(Connection connection) {
    return new Backoff(connection, false);
  }

  /** An attempt succeeded. */
  void succeeded() {
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
    boolean away = BrokenCall.is(failure, connection.hasAnswered());
    Optional<Exhausted> limit = GrpcErrors.fromStatus(failure).exhausted();
    boolean another = retries && (away || limit.isPresent());
    if (!another || connection.isClosed()) {
      throw connection.failure(failure);
    }
    long now = System.nanoTime();
    if (attempts == 0 || now - attemptNanos > ANSWERED.toNanos()) {
      startNanos = now;
      attempts = 0;
    }
    attempts++;
    long pauseMillis =
        limit
            .map(reached -> reached.retryAfter().toMillis())
            .orElseGet(() -> PAUSES.apply(attempts));
    long goneNanos = now - startNanos;
    if (goneNanos + pauseMillis * 1_000_000 > connection.patience().toNanos()) {
      throw connection.failure(failure);
    }
    connection.waits(failure);
    try {
      Thread.sleep(pauseMillis);
    } catch (InterruptedException e) {
      throw interrupted(e);
    }
    connection.reconnect();
    attemptNanos = System.nanoTime();
  }

  /** The error of a thread that was interrupted while it waited for the coordinator. */
  static BitloomException interrupted(InterruptedException e) {
    Thread.currentThread().interrupt();
    return new BitloomException(ErrorCode.CANCELLED, "interrupted", e);
  }
}
