package io.bitloom.coordinator.models;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.coordinator.queue.RegistryRecords;
import io.bitloom.coordinator.queue.RegistryRecords.Kind;
import io.bitloom.v1.PoolModels;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.UnaryOperator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which versions the workers of each pool shall have. What another coordinator was told is heard
 * with the next {@link #refresh}.
 */
public final class WantedModels {

  private static final Logger log = LoggerFactory.getLogger(WantedModels.class);

  private static final int ATTEMPTS = 50;
  private static final int MOST_VERSIONS = 32;
  private static final int MOST_POOLS = 256;

  private final RegistryRecords records;
  private final List<Runnable> listeners = new CopyOnWriteArrayList<>();

  /** Empty before anything was heard. */
  private volatile Optional<Map<String, List<String>>> heard = Optional.empty();

  public WantedModels(RegistryRecords records) {
    this.records = records;
  }

  /**
   * The versions that workers of a pool shall have, as heard last; wanted last first. Empty if
   * nothing was heard yet.
   */
  public Optional<List<String>> of(String pool) {
    return heard.map(all -> all.getOrDefault(pool, List.of()));
  }

  /** Calls the listener, on any thread, when what was heard has changed. */
  public void onChange(Runnable listener) {
    listeners.add(listener);
  }

  /** Hears what all coordinators were told. */
  public CompletionStage<Map<String, List<String>>> refresh() {
    return records
        .all(Kind.POOLS)
        .thenApply(
            found -> {
              Map<String, List<String>> all = new TreeMap<>();
              found.forEach((pool, bytes) -> all.put(pool, versions(bytes)));
              heard(all);
              return all;
            });
  }

  /** {@link #refresh}, of which nobody waits for the end. */
  public void hear() {
    refresh()
        .whenComplete(
            (all, e) -> {
              if (e != null) {
                log.debug("What pools shall have is as it was: {}", e.toString());
              }
            });
  }

  private void heard(Map<String, List<String>> now) {
    boolean changed = heard.isEmpty() || !heard.get().equals(now);
    heard = Optional.of(now);
    if (changed) {
      listeners.forEach(Runnable::run);
    }
  }

  private static List<String> versions(ByteString bytes) {
    try {
      return List.copyOf(PoolModels.parseFrom(bytes).getVersionsList());
    } catch (InvalidProtocolBufferException e) {
      throw new UncheckedIOException("a record of the model registry is broken", e);
    }
  }

  /**
   * Has the workers of a pool have a version, which is the one that was wanted last then.
   *
   * @throws BitloomException {@code INVALID_FIELD} if there are too many
   */
  public CompletionStage<List<String>> load(String pool, String version) {
    return refresh()
        .thenCompose(
            all -> {
              if (!all.containsKey(pool) && all.size() >= MOST_POOLS) {
                throw BitloomException.invalid(
                    "pool", pool, "must be one of at most " + MOST_POOLS);
              }
              return change(pool, before -> withFirst(before, version), ATTEMPTS);
            });
  }

  private static List<String> withFirst(List<String> before, String version) {
    List<String> after = new ArrayList<>(before);
    after.remove(version);
    after.add(0, version);
    if (after.size() > MOST_VERSIONS) {
      throw BitloomException.invalid(
          "version", version, "must be one of at most " + MOST_VERSIONS + " of a pool");
    }
    return after;
  }

  /** Has the workers of a pool have a version no more; without effect if they shall not. */
  public CompletionStage<List<String>> unload(String pool, String version) {
    return change(
        pool, before -> before.stream().filter(other -> !other.equals(version)).toList(), ATTEMPTS);
  }

  private CompletionStage<List<String>> change(
      String pool, UnaryOperator<List<String>> change, int attempts) {
    return records
        .get(Kind.POOLS, pool)
        .thenCompose(
            found -> {
              ByteString before = found.orElse(ByteString.EMPTY);
              List<String> after = change.apply(versions(before));
              ByteString record =
                  after.isEmpty()
                      ? ByteString.EMPTY
                      : PoolModels.newBuilder()
                          .setPool(pool)
                          .addAllVersions(after)
                          .build()
                          .toByteString();
              return records
                  .revise(Kind.POOLS, pool, before, record)
                  .thenCompose(
                      done -> {
                        if (done) {
                          return refresh().thenApply(all -> after);
                        }
                        return attempts > 0
                            ? change(pool, change, attempts - 1)
                            : CompletableFuture.failedStage(
                                new BitloomException(
                                    ErrorCode.QUEUE_UNAVAILABLE,
                                    "pool " + pool + " is being changed by others all the time"));
                      });
            });
  }
}
