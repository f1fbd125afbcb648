package io.bitloom.coordinator.queue.redis;

import io.bitloom.coordinator.redis.RedisConnection;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletionStage;

/**
 * What is written of all that the queue keeps in Redis: its name, which the first coordinator gives
 * it, and its version. Under another name these are other data.
 *
 * <p>Version 1 has no version written. In version 2 jobs have their outcomes in pages, and the
 * lists of {@link Keys} without which nothing can be done have other names.
 */
public final class DataHeader {

  /** The newest version, which new data get. */
  public static final int NEWEST = 2;

  /** What a coordinator of version 1 finds in the place of lists. */
  private static final String FOR_OLDER =
      "Bitloom data version 2: this coordinator is too old for them";

  private final RedisConnection redis;
  private final Keys keys;

  public DataHeader(RedisConnection redis, Keys keys) {
    this.redis = redis;
    this.keys = keys;
  }

  /**
   * What is written.
   *
   * @param version as it is written; empty: there is none, which is version 1 if there are data
   * @param empty whether there were no data
   */
  public record Header(String version, String name, boolean empty) {}

  /** Reads it. Data without a name get one. */
  public CompletionStage<Header> read() {
    return redis
        .eval(
            Script.HEADER.lua(),
            new String[] {keys.dataVersion(), keys.epoch()},
            new Arguments().add(UUID.randomUUID().toString()).toArray())
        .thenApply(Reply::new)
        .thenApply(reply -> new Header(reply.nextString(), reply.nextString(), reply.nextFlag()));
  }

  /**
   * Makes data of version 1 those of version 2; nothing happens if they are. Whoever still works
   * with version 1 then fails, so there should be nobody, see {@link #olderCoordinators}.
   */
  public CompletionStage<Void> upgrade() {
    Keys before = keys.of(1);
    Keys after = keys.of(NEWEST);
    List<String> names = new ArrayList<>(List.of(keys.dataVersion()));
    List<String> oldNames = before.versionedLists();
    for (int i = 0; i < oldNames.size(); i++) {
      names.add(oldNames.get(i));
      names.add(after.versionedLists().get(i));
    }
    return redis
        .eval(
            Script.UPGRADE.lua(),
            names.toArray(String[]::new),
            new Arguments().add(FOR_OLDER).toArray())
        .thenApply(done -> null);
  }

  /**
   * How many coordinators work with this Redis that know version 1 only. They hear one channel,
   * those of now two over the same connection, the older one first. So one that is cut off, or was
   * killed, counts in both numbers or in none, and one that starts or ends counts as older for a
   * moment rather than hiding one that is.
   */
  public CompletionStage<Long> olderCoordinators() {
    String all = keys.wakeChannel(1);
    String ofNow = keys.wakeChannel(NEWEST);
    return redis.listeners(all, ofNow).thenApply(heard -> heard.get(all) - heard.get(ofNow));
  }
}
