package io.bitloom.coordinator.redis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.IllegalStateTransitionException;
import io.lettuce.core.RedisCommandExecutionException;
import java.net.SocketException;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Test;

class RedisErrorsTest {

  private static ErrorCode code(Throwable thrown) {
    BitloomException translated = RedisErrors.translate(new CompletionException(thrown));
    return translated.code();
  }

  @Test
  void aConnectionThatWasResetIsALossOfRedis() {
    assertEquals(ErrorCode.QUEUE_UNAVAILABLE, code(new SocketException("Connection reset")));
  }

  @Test
  void aServerThatIsLoadingIsALossAndAWrongCallIsNot() {
    assertEquals(
        ErrorCode.QUEUE_UNAVAILABLE,
        code(new RedisCommandExecutionException("LOADING Redis is loading the dataset")));
    assertEquals(
        ErrorCode.INTERNAL, code(new RedisCommandExecutionException("ERR wrong number of keys")));
  }

  /** The breaker throws this where a call and a ping change its state at the same time. */
  @Test
  void aCallThatTheBreakerTripsOverWasNotMade() {
    CircuitBreaker closed = CircuitBreaker.ofDefaults("redis");
    IllegalStateTransitionException tripped =
        assertThrows(IllegalStateTransitionException.class, closed::transitionToHalfOpenState);
    assertEquals(ErrorCode.QUEUE_UNAVAILABLE, code(tripped));
  }
}
