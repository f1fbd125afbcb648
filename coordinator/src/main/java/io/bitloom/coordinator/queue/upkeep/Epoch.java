package io.bitloom.coordinator.queue.upkeep;

import io.bitloom.coordinator.queue.Subscription;
import io.bitloom.coordinator.queue.redis.Keys;
import io.bitloom.coordinator.redis.RedisConnection;
import io.lettuce.core.SetArgs;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Notices when Redis has lost all that it knew: it was emptied, or came back without its data. The
 * data has a name, which the first coordinator gives it; when there is another name, or none, these
 * are other data.
 */
public final class Epoch {

  private static final Logger LOG = LoggerFactory.getLogger(Epoch.class);

  private final RedisConnection redis;
  private final Keys keys;
  private final List<Runnable> listeners = new CopyOnWriteArrayList<>();
  private volatile String known = "";

  public Epoch(RedisConnection redis, Keys keys) {
    this.redis = redis;
    this.keys = keys;
  }

  /** Calls the listener after every loss, in the order in which listeners were added. */
  public Subscription onLoss(Runnable listener) {
    listeners.add(listener);
    return () -> listeners.remove(listener);
  }

  /** Compares the name that the data has with the one that it had. */
  public void look() {
    name()
        .whenComplete(
            (name, e) -> {
              if (e == null) {
                seen(name);
              } else {
                LOG.debug("cannot tell whether the data is there: {}", e.toString());
              }
            });
  }

  private CompletionStage<String> name() {
    return redis
        .call(r -> r.get(keys.epoch()))
        .thenCompose(
            found ->
                found == null
                    ? nameData().thenCompose(done -> name())
                    : CompletableFuture.completedStage(new String(found, StandardCharsets.UTF_8)));
  }

  private CompletionStage<String> nameData() {
    byte[] name = UUID.randomUUID().toString().getBytes(StandardCharsets.UTF_8);
    return redis.call(r -> r.set(keys.epoch(), name, SetArgs.Builder.nx()));
  }

  private void seen(String name) {
    String before;
    synchronized (this) {
      before = known;
      known = name;
    }
    if (!before.isEmpty() && !before.equals(name)) {
      LOG.error("Redis has lost its data: the jobs that were in it are gone");
      listeners.forEach(Runnable::run);
    }
  }
}
