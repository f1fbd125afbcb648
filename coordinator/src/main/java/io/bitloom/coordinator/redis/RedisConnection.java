package io.bitloom.coordinator.redis;

/**
 * Connections to one Redis, with a circuit breaker: while Redis is away, calls fail at once with
 * {@code QUEUE_UNAVAILABLE}; when it is back they work again.
 */
public final class RedisConnection implements AutoCloseable {

  /**
   * Connects.
   *
   * @param uri {@code redis://host:port}, as Lettuce reads it
   * @throws io.bitloom.common.error.BitloomException with {@code QUEUE_UNAVAILABLE} if Redis does
   *     not answer
   */
  public static RedisConnection connect(String uri) {
    throw new UnsupportedOperationException();
  }

  /** Whether Redis answers; turns false within 5 s of its loss. */
  public boolean available() {
    throw new UnsupportedOperationException();
  }

  @Override
  public void close() {
    throw new UnsupportedOperationException();
  }
}
