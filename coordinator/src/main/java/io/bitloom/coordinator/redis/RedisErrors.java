package io.bitloom.coordinator.redis;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.error.Exhausted;
import io.github.resilience4j.circuitbreaker.CallNotPermittedException;
import io.github.resilience4j.circuitbreaker.IllegalStateTransitionException;
import io.lettuce.core.RedisCommandExecutionException;
import io.lettuce.core.RedisException;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
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
          "MASTERDOWN",
          "CLUSTERDOWN",
          "TRYAGAIN",
          "MOVED", // of calls that follow it only so far
          "ASK");

  private static final String OOM = "OOM";
  private static final String WRONG_TYPE = "WRONGTYPE";
  private static final Duration RETRY_FULL = Duration.ofSeconds(5);

  /** Error replies of a Redis that answers and takes no writes, in words. */
  private static final Map<String, String> NO_WRITES =
      Map.of(
          OOM,
          "Redis is full (maxmemory)",
          "MISCONF",
          "Redis cannot write to its disk",
          "READONLY",
          "Redis is a replica, and takes no jobs",
          "NOREPLICAS",
          "Redis has too few replicas to take jobs");

  private RedisErrors() {}

  /** Whether Redis is away, or answers nothing at this time. */
  static boolean isLoss(Throwable thrown) {
    Throwable e = cause(thrown);
    if (e instanceof RedisCommandExecutionException) {
      return NOT_NOW.stream().anyMatch(word -> says(e, word));
    }
    return e instanceof RedisException
        || e instanceof IOException // a connection that was reset, as Netty tells it
        || e instanceof CancellationException
        || e instanceof CallNotPermittedException
        || e instanceof IllegalStateTransitionException; // not permitted, see RedisConnection
  }

  /** Why Redis takes no writes, if that is what it says. */
  static Optional<String> takesNoWrites(Throwable thrown) {
    Throwable e = cause(thrown);
    return e instanceof RedisCommandExecutionException
        ? NO_WRITES.keySet().stream().filter(word -> says(e, word)).findFirst().map(NO_WRITES::get)
        : Optional.empty();
  }

  /** Whether an error reply begins with a word; Redis 6 puts that of a script behind others. */
  private static boolean says(Throwable e, String word) {
    String message = String.valueOf(e.getMessage());
    return message.startsWith(word) || message.contains(": -" + word + " ");
  }

  static BitloomException translate(Throwable thrown) {
    Throwable e = cause(thrown);
    if (e instanceof BitloomException known) {
      return known;
    }
    if (isFull(e)) {
      return full(0, 0);
    }
    Optional<String> full = takesNoWrites(e);
    if (full.isPresent()) {
      return new BitloomException(ErrorCode.QUEUE_UNAVAILABLE, full.get(), e);
    }
    return isLoss(e)
        ? new BitloomException(ErrorCode.QUEUE_UNAVAILABLE, "the queue is not reachable", e)
        : new BitloomException(ErrorCode.INTERNAL, "the queue refused a call", e);
  }

  /** Whether Redis refused a call, as it is or translated, because a key is of another type. */
  static boolean isOfOtherType(Throwable thrown) {
    Throwable e = cause(thrown);
    Throwable refused = e instanceof BitloomException ? e.getCause() : e;
    return refused instanceof RedisCommandExecutionException
        && String.valueOf(refused.getMessage()).contains(WRONG_TYPE);
  }

  /** Whether Redis has no memory left for what is new. */
  static boolean isFull(Throwable thrown) {
    Throwable e = cause(thrown);
    return e instanceof RedisCommandExecutionException && says(e, OOM);
  }

  /**
   * Says that Redis is full.
   *
   * @param most bytes that it may take, 0 if that is not known
   * @param used bytes that it takes
   */
  static BitloomException full(long most, long used) {
    String numbers =
        most == 0
            ? ""
            : String.format(Locale.ROOT, ": of %,d bytes of maxmemory %,d are used", most, used);
    return BitloomException.exhausted(
        new Exhausted("redis", "maxmemory", most, used, RETRY_FULL),
        NO_WRITES.get(OOM)
            + numbers
            + "; let workers draw what waits and delete jobs that have ended, or raise it (the"
            + " coordinator's redis-memory if its Redis is embedded)");
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
