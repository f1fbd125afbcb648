package io.bitloom.coordinator.queue.upkeep;

import io.bitloom.coordinator.queue.Subscription;
import io.bitloom.coordinator.queue.redis.DataName;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Notices when Redis has lost all that it knew: it was emptied, or came back without its data. When
 * the data has another name, or none, these are other data.
 */
final class Epoch {

  private static final Logger LOG = LoggerFactory.getLogger(Epoch.class);

  private final DataName dataName;
  private final List<Runnable> listeners = new CopyOnWriteArrayList<>();
  private volatile String known = "";

  Epoch(DataName dataName) {
    this.dataName = dataName;
  }

  /** Calls the listener after every loss, in the order in which listeners were added. */
  Subscription onLoss(Runnable listener) {
    listeners.add(listener);
    return () -> listeners.remove(listener);
  }

  /** Compares the name that the data has with the one that it had. */
  void look() {
    dataName
        .get()
        .whenComplete(
            (name, e) -> {
              if (e == null) {
                seen(name);
              } else {
                LOG.debug("cannot tell whether the data is there: {}", e.toString());
              }
            });
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
