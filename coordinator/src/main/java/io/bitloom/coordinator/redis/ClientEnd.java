package io.bitloom.coordinator.redis;

import io.lettuce.core.AbstractRedisClient;
import io.lettuce.core.resource.ClientResources;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Ends clients of Redis with their connections and threads. Lettuce's own {@code shutdown} and
 * {@code close} wait for as long as it takes, and a coordinator that stops must stop.
 */
final class ClientEnd {

  private static final Logger LOG = LoggerFactory.getLogger(ClientEnd.class);

  /** For how long Lettuce is to let its threads finish what they are at. */
  private static final Duration GRACE = Duration.ofSeconds(1);

  private static final Duration PATIENCE = Duration.ofSeconds(5);

  private ClientEnd() {}

  /** Ends a client and all its connections. */
  static void of(AbstractRedisClient client) {
    await("a client", client.shutdownAsync(0, GRACE.toMillis(), TimeUnit.MILLISECONDS));
  }

  /** Ends a client, all its connections and its threads. */
  static void of(AbstractRedisClient client, ClientResources resources) {
    of(client);
    await("its threads", resources.shutdown(0, GRACE.toMillis(), TimeUnit.MILLISECONDS));
  }

  private static void await(String what, Future<?> end) {
    try {
      end.get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException | TimeoutException e) {
      LOG.warn("Redis: {} did not end within {} and is left behind", what, PATIENCE, e);
    }
  }
}
