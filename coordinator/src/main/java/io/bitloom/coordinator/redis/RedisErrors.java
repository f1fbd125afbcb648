package io.bitloom.coordinator.redis;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.github.resilience4j.circuitbreaker.CallNotPermittedException;
import io.lettuce.core.RedisCommandExecutionException;
import io.lettuce.core.RedisException;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionException;
import javax.net.ssl.SSLException;

/** Tells a Redis that is away, or not ready to work, from a call that is wrong. */
final class RedisErrors {

  /** Error replies that pass by themselves or by an operator's hand, not by another call. */
  private static final List<String> NOT_NOW =
      List.of(
          "LOADING",
          "BUSY",
          "OOM",
          "MISCONF",
          "MASTERDOWN",
          "READONLY",
          "NOREPLICAS",
          "CLUSTERDOWN",
          "TRYAGAIN");

  private RedisErrors() {}

  static boolean isLoss(Throwable thrown) {
    Throwable e = cause(thrown);
    if (e instanceof RedisCommandExecutionException) {
      String message = String.valueOf(e.getMessage());
      return NOT_NOW.stream().anyMatch(message::startsWith);
    }
    return e instanceof RedisException
        || e instanceof IOException // a connection that was reset, as Netty tells it
        || e instanceof CancellationException
        || e instanceof CallNotPermittedException;
  }

  static BitloomException translate(Throwable thrown) {
    Throwable e = cause(thrown);
    if (e instanceof BitloomException known) {
      return known;
    }
    return isLoss(e)
        ? new BitloomException(ErrorCode.QUEUE_UNAVAILABLE, "the queue is not reachable", e)
        : new BitloomException(ErrorCode.INTERNAL, "the queue refused a call", e);
  }

  /** Why there is no connection: TLS, the user, or simply no answer. */
  static BitloomException notLetIn(RedisAddress address, RedisException e) {
    String why = "Redis does not answer at " + address;
    for (Throwable cause = e; cause != null; cause = cause.getCause()) {
      if (cause instanceof SSLException) {
        why =
            String.format(
                Locale.ROOT,
                "no TLS connection to Redis at %s, is its CA named (?ca=FILE)? %s",
                address,
                cause.getMessage());
      } else if (cause instanceof RedisCommandExecutionException) {
        why =
            String.format(
                Locale.ROOT, "Redis at %s refuses this user: %s", address, cause.getMessage());
      }
    }
    return new BitloomException(ErrorCode.QUEUE_UNAVAILABLE, why, e);
  }

  static Throwable cause(Throwable e) {
    return e instanceof CompletionException && e.getCause() != null ? e.getCause() : e;
  }
}
