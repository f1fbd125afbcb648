package io.bitloom.common.resilience;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.grpc.GrpcErrors;
import io.github.resilience4j.core.IntervalFunction;
import io.github.resilience4j.retry.Retry;
import io.github.resilience4j.retry.RetryConfig;
import java.time.Duration;
import java.util.function.BooleanSupplier;

/** How calls to what can be away (Redis, a result store, a coordinator) are repeated. */
public final class RetryPolicy {

  private RetryPolicy() {}

  /**
   * Repeats a call for as long as its error is one that time can heal, with waits that double and
   * are spread at random, so that many callers do not come back at once.
   *
   * @param name for logs and metrics
   * @param firstWait before the second call
   * @param longestWait between two calls
   * @param wanted asked before every repetition; false ends it with the last error
   */
  public static Retry whileUnavailable(
      String name, Duration firstWait, Duration longestWait, BooleanSupplier wanted) {
    IntervalFunction waits =
        IntervalFunction.ofExponentialRandomBackoff(
            firstWait.toMillis(), 2, 0.5, longestWait.toMillis());
    return Retry.of(
        name,
        RetryConfig.custom()
            .maxAttempts(Integer.MAX_VALUE)
            .intervalFunction(waits)
            .retryOnException(error -> unavailable(error) && wanted.getAsBoolean())
            .build());
  }

  /** Whether the same call can succeed later. */
  public static boolean unavailable(Throwable error) {
    return GrpcErrors.unwrap(error) instanceof BitloomException known
        && known.code().fault() == ErrorCode.Fault.RESOURCE;
  }
}
