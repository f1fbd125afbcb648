package io.bitloom.coordinator.queue.upkeep;

import io.bitloom.common.config.ConfigException;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.coordinator.queue.redis.DataHeader;
import io.bitloom.coordinator.queue.redis.DataHeader.Header;
import io.bitloom.coordinator.queue.redis.Keys;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Works with data by the rules of their version, upgrades them as soon as no coordinator is alive
 * that knows an older version only, and refuses those of a version that it does not know.
 */
final class DataVersion {

  private static final Logger LOG = LoggerFactory.getLogger(DataVersion.class);

  /** In so many looks, one after the other, no older coordinator was seen: none reconnects. */
  private static final int QUIET_LOOKS = 4;

  private final DataHeader header;
  private final Keys keys;
  private final Supplier<CompletionStage<Void>> recount;
  private final CompletableFuture<ConfigException> unusable = new CompletableFuture<>();
  private volatile int quietLooks;
  private Others others = Others.AS_NEW;
  private Others told = Others.AS_NEW;

  /**
   * @param recount counts anew what older coordinators do not count; before an upgrade, so that it
   *     is right as soon as somebody goes by it, and after it, when nothing can be changed by them
   */
  DataVersion(DataHeader header, Keys keys, Supplier<CompletionStage<Void>> recount) {
    this.header = header;
    this.keys = keys;
    this.recount = recount;
  }

  /**
   * Looks for the first time, and waits for it.
   *
   * @throws ConfigException if the data are of a version that is not known
   * @throws io.bitloom.common.error.BitloomException {@code QUEUE_UNAVAILABLE}
   */
  void enter() {
    try {
      header.read().thenCompose(this::seen).toCompletableFuture().join();
    } catch (CompletionException e) {
      throw e.getCause() instanceof RuntimeException known ? known : e;
    }
    if (unusable.isDone()) {
      throw unusable.join();
    }
  }

  /** Complete when data were found that this coordinator must not work with, and why. */
  CompletionStage<ConfigException> unusable() {
    return unusable;
  }

  /** What was read of the data; to be called every few seconds. The stage never fails. */
  CompletionStage<Void> seen(Header found) {
    if (found.version().isEmpty()) {
      return older().thenCompose(older -> upgradeUnless(older, found.empty()));
    }
    if (found.version().equals(Integer.toString(DataHeader.NEWEST))) {
      keys.use(DataHeader.NEWEST);
      return older().thenAccept(older -> tell(older > 0 ? Others.OLDER_LEFT : Others.AS_NEW));
    }
    refuse(found);
    return CompletableFuture.completedStage(null);
  }

  /** What is known of other coordinators. */
  private enum Others {
    AS_NEW(""),
    OLDER(
        "A coordinator that knows data version 1 only is at work: the data stay as they are"
            + " until it is stopped"),
    OLDER_LEFT(
        "A coordinator that knows data version 1 only is running, and can do nothing with these"
            + " data: stop it"),
    UNKNOWN(
        "Redis does not tell who hears a channel (PUBSUB NUMSUB), so that it is not known whether"
            + " a coordinator of data version 1 is at work");

    private final String message;

    Others(String message) {
      this.message = message;
    }
  }

  /** How many older coordinators there are; -1: that is not known. */
  private CompletionStage<Long> older() {
    return header
        .olderCoordinators()
        .exceptionally(
            e -> {
              if (e instanceof BitloomException known && known.code() == ErrorCode.INTERNAL) {
                tell(Others.UNKNOWN);
              }
              return -1L;
            });
  }

  /** Logs what was seen twice in turn: one that starts looks as an older one for a moment. */
  private synchronized void tell(Others seen) {
    if (seen == others && seen != told && seen != Others.AS_NEW) {
      LOG.warn("{}", seen.message);
    }
    told = seen == others ? seen : told;
    others = seen;
  }

  private CompletionStage<Void> upgradeUnless(long older, boolean empty) {
    if (older > 0) {
      tell(Others.OLDER);
    }
    quietLooks = older == 0 ? quietLooks + 1 : 0;
    if (empty ? older != 0 : quietLooks < QUIET_LOOKS) {
      keys.use(1);
      return CompletableFuture.completedStage(null);
    }
    CompletionStage<Void> upgraded =
        empty
            ? header.upgrade()
            : recount
                .get()
                .thenCompose(done -> header.upgrade())
                .thenCompose(done -> recount.get());
    return upgraded.handle(
        (done, e) -> {
          if (e != null) {
            LOG.warn("The data cannot be upgraded yet: {}", e.toString());
            keys.use(1);
          } else {
            keys.use(DataHeader.NEWEST);
            tell(Others.AS_NEW);
            if (!empty) {
              LOG.info("The data are of version {} now", DataHeader.NEWEST);
            }
          }
          return null;
        });
  }

  private void refuse(Header found) {
    unusable.complete(
        new ConfigException(
            "redis",
            found.version(),
            "has data ("
                + keys.dataVersion()
                + ") of a version that this coordinator does not know: it must be "
                + DataHeader.NEWEST
                + " or older"));
  }
}
