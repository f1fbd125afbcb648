package io.bitloom.coordinator.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.config.ConfigException;
import io.bitloom.coordinator.queue.redis.DataHeader;
import io.bitloom.coordinator.queue.upkeep.RunningQueue;
import io.bitloom.coordinator.redis.RedisChannels;
import io.bitloom.coordinator.redis.RedisConnection;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Of which version data are, and who may work with them. */
class DataVersionIT extends QueueFixture {

  private static final List<String> REPLACED =
      List.of("models", "ledger", "active", "deadlines", "ended", "fleeting", "buckets");

  private String index(String name) {
    return settings.namespace() + ":{index}:" + name;
  }

  private String text(String key) {
    byte[] value = await(redis.call(r -> r.get(key)));
    return value == null ? null : new String(value, StandardCharsets.UTF_8);
  }

  private void set(String key, String value) {
    await(redis.call(r -> r.set(key, bytes(value).toByteArray())));
  }

  private String type(String key) {
    return await(redis.call(r -> r.type(key)));
  }

  static final class DeafListener implements RedisChannels.Listener {
    @Override
    public void message(byte[] message) {}

    @Override
    public void subscribed() {}
  }

  /** All that coordinators of version 1 and of now can tell of each other: who hears what. */
  private final class CoordinatorOfBefore implements AutoCloseable {
    private final RedisConnection own = RedisConnection.connect(uri(), "test");

    CoordinatorOfBefore() {
      await(own.channels().subscribe(settings.namespace() + ":wake", new DeafListener()));
    }

    @Override
    public void close() {
      own.close();
    }
  }

  /** Makes the data as version 1 left them: no version, and lists under their first names. */
  private void leaveDataOfVersion1() {
    queue.close();
    redis.close();
    redis = RedisConnection.connect(uri(), settings.namespace());
    List<String> all = await(redis.call(r -> r.keys(settings.namespace() + ":*")));
    all.forEach(key -> await(redis.call(r -> r.del(key))));
    set(index("epoch"), "data of before");
    await(redis.call(r -> r.hset(index("models"), Map.of("m", bytes("a model").toByteArray()))));
    await(redis.call(r -> r.sadd(index("buckets"), bytes("m:1").toByteArray())));
  }

  private void openAgain() {
    queue = new RunningQueue(redis, settings);
  }

  @Test
  void anEmptyRedisHasTheNewestVersionAtOnce() {
    assertEquals("2", text(index("version")));
    assertEquals("string", type(index("models")));
    await(queue.models().put("m", bytes("described")));
    assertEquals(Map.of("m", bytes("described")), await(queue.models().all()));
  }

  @Test
  void dataOfBeforeAreUpgradedWhenNoCoordinatorOfBeforeIsAlive() throws InterruptedException {
    leaveDataOfVersion1();
    try (CoordinatorOfBefore before = new CoordinatorOfBefore()) {
      openAgain();
      Thread.sleep(TimeUnit.SECONDS.toMillis(16)); // longer than the quiet time
      assertEquals(null, text(index("version")));
      assertEquals("hash", type(index("models")));
      await(queue.models().put("n", bytes("another")));
      boolean there = await(redis.call(r -> r.hexists(index("models"), "n")));
      assertTrue(there);
    }
    awaitTrue("upgraded", () -> "2".equals(text(index("version"))));
    for (String name : REPLACED) {
      assertEquals("string", type(index(name)), name);
      assertTrue(text(index(name)).contains("data version 2"), text(index(name)));
    }
    assertEquals(Map.of("m", bytes("a model"), "n", bytes("another")), await(queue.models().all()));
    boolean moved =
        await(redis.call(r -> r.sismember(index("2:buckets"), bytes("m:1").toByteArray())));
    assertTrue(moved);
    assertEquals("data of before", text(index("epoch")));
  }

  @Test
  void whoHasNotHeardOfTheUpgradeYetCatchesUpByItself() throws InterruptedException {
    leaveDataOfVersion1();
    try (CoordinatorOfBefore before = new CoordinatorOfBefore()) {
      openAgain();
      String early = newJob();
      await(new DataHeader(redis, keys).upgrade());
      assertEquals(Map.of("m", bytes("a model")), await(queue.models().all()));
      append(early, 0, 3, SQUARE);
      assertEquals(3, job(early).counts().appended());
      assertEquals(0, job(newJob()).counts().appended());
    }
  }

  @Test
  void dataOfAVersionThatIsNotKnownAreRefused() {
    queue.close();
    set(index("version"), "3");
    ConfigException refused =
        assertThrows(ConfigException.class, () -> new RunningQueue(redis, settings).close());
    assertTrue(refused.getMessage().contains(index("version")), refused.getMessage());
    assertTrue(refused.getMessage().contains("\"3\""), refused.getMessage());
    assertTrue(refused.getMessage().contains("2"), refused.getMessage());
    queue = new RunningQueue(redis, settings());
  }

  @Test
  void aRunningQueueThatFindsAVersionThatIsNotKnownSaysSo() throws Exception {
    assertFalse(queue.unusable().toCompletableFuture().isDone());
    set(index("version"), "3");
    String why = queue.unusable().toCompletableFuture().get(30, TimeUnit.SECONDS).getMessage();
    assertTrue(why.contains(index("version")) && why.contains("\"3\""), why);
  }

  @Test
  void allDataOfARedisThatLosesThemAreOfTheNewestVersionAgain() throws InterruptedException {
    List<String> all = await(redis.call(r -> r.keys(settings.namespace() + ":*")));
    all.forEach(key -> await(redis.call(r -> r.del(key))));
    awaitTrue("version", () -> "2".equals(text(index("version"))));
    assertEquals("string", type(index("ledger")));
    newJob();
  }
}
