package io.bitloom.coordinator.redis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.coordinator.TestCoordinator;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisException;
import io.lettuce.core.api.StatefulRedisConnection;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EmbeddedRedisIT {

  @TempDir Path directory;

  @Test
  void dataSurvivesACleanStopAndTheNextStart() throws IOException {
    try (EmbeddedRedis redis = EmbeddedRedis.start(directory)) {
      set(redis, "kept");
    }
    assertTrue(new RedisServerDirectory(directory).server().isEmpty());
    try (EmbeddedRedis redis = EmbeddedRedis.start(directory)) {
      assertEquals("kept", get(redis));
    }
  }

  @Test
  void aServerWithoutACoordinatorIsAdopted() throws Exception {
    RedisServerDirectory left = new RedisServerDirectory(directory);
    left.launch();
    long pid = left.server().orElseThrow().pid();

    try (EmbeddedRedis redis = EmbeddedRedis.start(directory)) {
      assertEquals(pid, redis.process().orElseThrow().pid());
      set(redis, "works");
    }
    assertTrue(left.server().isEmpty(), "stopped with the coordinator that adopted it");
  }

  @Test
  void severalCoordinatorsShareAServerUntilTheLastOneCloses() throws IOException {
    EmbeddedRedis first = EmbeddedRedis.start(directory);
    EmbeddedRedis second = EmbeddedRedis.start(directory);
    assertEquals(first.uri(), second.uri());

    set(first, "shared");
    first.close();
    assertEquals("shared", get(second));
    second.close();
    assertTrue(new RedisServerDirectory(directory).server().isEmpty());
  }

  @Test
  void aKilledServerComesBackOnItsPortWithEveryAcknowledgedWrite() throws Exception {
    try (EmbeddedRedis redis = EmbeddedRedis.start(directory)) {
      set(redis, "acknowledged");
      long pid = redis.process().orElseThrow().pid();
      redis.process().orElseThrow().destroyForcibly();

      assertEquals("acknowledged", getWhenBack(redis));
      assertNotEquals(pid, redis.process().orElseThrow().pid());
    }
  }

  @Test
  void aServerThatCannotBeStartedAgainIsStartedWhenThatIsPossible() throws Exception {
    try (EmbeddedRedis redis = EmbeddedRedis.start(directory)) {
      set(redis, "acknowledged");
      // Nothing can be written there, as on a full disk.
      Path inTheWay = Files.createDirectories(directory.resolve(".redis.conf.part/full"));

      redis.process().orElseThrow().destroyForcibly();
      TestCoordinator.awaitTrue("trouble", () -> redis.trouble().isPresent());
      assertTrue(redis.trouble().get().contains("redis.conf"), redis.trouble().get());

      Files.delete(inTheWay);
      Files.delete(inTheWay.getParent());
      assertEquals("acknowledged", getWhenBack(redis));
      TestCoordinator.awaitTrue("no trouble", () -> redis.trouble().isEmpty());
    }
  }

  @Test
  void aPortThatNowBelongsToAnotherServerIsNotTrusted(@TempDir Path elsewhere) throws IOException {
    try (EmbeddedRedis other = EmbeddedRedis.start(elsewhere)) {
      Files.writeString(directory.resolve("redis.conf"), "port " + other.port() + "\n");

      try (EmbeddedRedis mine = EmbeddedRedis.start(directory)) {
        assertNotEquals(other.port(), mine.port());
        set(mine, "mine");
        assertEquals(null, get(other));
      }
      assertTrue(other.process().isPresent());
    }
  }

  @Test
  void aDirectoryMayHaveAnyName(@TempDir Path parent) throws IOException {
    try (EmbeddedRedis redis = EmbeddedRedis.start(parent.resolve("a \"b\" 'c' ü"))) {
      set(redis, "works");
      assertEquals("works", get(redis));
    }
  }

  @Test
  void nobodyBeyondThisMachineCanConnect() throws IOException {
    try (EmbeddedRedis redis = EmbeddedRedis.start(directory)) {
      List<InetAddress> others =
          NetworkInterface.networkInterfaces()
              .flatMap(NetworkInterface::inetAddresses)
              .filter(address -> !address.isLoopbackAddress())
              .toList();
      others.forEach(address -> assertFalse(accepts(address, redis.port()), address + " is open"));
      assertTrue(accepts(InetAddress.getByName("127.0.0.1"), redis.port()));
    }
  }

  private static boolean accepts(InetAddress address, int port) {
    try (Socket socket = new Socket()) {
      socket.connect(new InetSocketAddress(address, port), 500);
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  private static void set(EmbeddedRedis redis, String value) {
    try (RedisClient client = RedisClient.create(redis.uri())) {
      client.connect().sync().set("key", value);
    }
  }

  private static String get(EmbeddedRedis redis) {
    try (RedisClient client = RedisClient.create(redis.uri())) {
      return client.connect().sync().get("key");
    }
  }

  private static String getWhenBack(EmbeddedRedis redis) throws InterruptedException {
    AtomicReference<String> value = new AtomicReference<>();
    TestCoordinator.awaitTrue(
        "back",
        () -> {
          try {
            value.set(get(redis));
            return true;
          } catch (RedisException e) {
            return false;
          }
        });
    return value.get();
  }

  @Test
  void itTakesNoMoreMemoryThanItMayAlsoIfItRanBefore() throws Exception {
    EmbeddedRedis first = EmbeddedRedis.start(directory);
    String half = maxMemory(first);
    assertTrue(Long.parseLong(half) > 1 << 20, half);
    try (EmbeddedRedis second = EmbeddedRedis.start(directory, 64 << 20)) {
      assertEquals(Long.toString(64 << 20), maxMemory(second));
    } finally {
      first.close();
    }
  }

  private static String maxMemory(EmbeddedRedis redis) {
    try (RedisClient client = RedisClient.create(redis.uri());
        StatefulRedisConnection<String, String> connection = client.connect()) {
      assertEquals(
          "noeviction", connection.sync().configGet("maxmemory-policy").get("maxmemory-policy"));
      return connection.sync().configGet("maxmemory").get("maxmemory");
    }
  }
}
