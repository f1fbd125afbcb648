package io.bitloom.coordinator.queue.upkeep;

import io.bitloom.coordinator.queue.Subscription;
import io.bitloom.coordinator.queue.redis.DataHeader;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Notices when Redis has lost all that it knew: it was emptied, or came back without its data. When
 * the data has another name, or none, these are other data.
 */
final class Epoch {

  private static final Logger LOG = LoggerFactory.getLogger(Epoch.class);

  private final DataHeader header;
  private final Consumer<DataHeader.Header> version;
  private final List<Runnable> listeners = new CopyOnWriteArrayList<>();
  private volatile String known = "";

  /**
   * @param version hears what is written of the data whenever it is looked at
   */
  Epoch(DataHeader header, Consumer<DataHeader.Header> version) {
    this.header = header;
    this.version = version;
  }

  /** Calls the listener after every loss, in the order in which listeners were added. */
  Subscription onLoss(Runnable listener) {
    listeners.add(listener);
    return () -> listeners.remove(listener);
  }

  /** Compares the name that the data has with the one that it had. */
  void look() {
    header
        .read()
        .whenComplete(
            (found, e) -> {
              if (e == null) {
                version.accept(found);
                seen(found.name());
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
