package io.bitloom.coordinator.redis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.abort;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.bitloom.coordinator.TestCoordinator;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisException;
import io.lettuce.core.api.StatefulRedisConnection;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EmbeddedRedisIT {

  private static final int NOBODY = 65534;

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
  void aKilledServerComesBackWhereItWasWithEveryAcknowledgedWrite() throws Exception {
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
      assertFalse(redis.trouble().get().contains("/"), "everybody is told: " + redis.trouble());

      Files.delete(inTheWay);
      Files.delete(inTheWay.getParent());
      assertEquals("acknowledged", getWhenBack(redis));
      TestCoordinator.awaitTrue("no trouble", () -> redis.trouble().isEmpty());
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
  void aDirectoryMayHaveANameThatIsTooLongForASocket(@TempDir Path parent) throws IOException {
    Path deep = parent.resolve("x".repeat(100)).resolve("y".repeat(100));
    try (EmbeddedRedis redis = EmbeddedRedis.start(deep)) {
      set(redis, "works");
      assertEquals("works", get(redis));
      Path socket = new RedisServerDirectory(deep).socket();
      assertEquals("rwx------", permissions(socket.getParent()));
    }
    assertFalse(Files.exists(new RedisServerDirectory(deep).socket().getParent()));
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aFolderOrLinkThatAnotherUserMadeForTheSocketIsNotTaken(boolean link, @TempDir Path parent)
      throws IOException {
    Path deep = Files.createDirectories(parent.resolve("x".repeat(100)));
    Path squatted = new RedisServerDirectory(deep).socket().getParent();
    if (link) {
      Files.createSymbolicLink(squatted, directory);
    } else {
      Files.createDirectory(squatted);
    }
    try {
      giveToAnotherUser(squatted);
      IOException e = assertThrows(IOException.class, () -> EmbeddedRedis.start(deep));
      assertTrue(e.getMessage().contains(squatted.toString()), e.getMessage());
    } finally {
      Files.delete(squatted);
    }
  }

  private static void giveToAnotherUser(Path file) {
    try {
      Files.setAttribute(file, "unix:uid", NOBODY, LinkOption.NOFOLLOW_LINKS);
    } catch (IOException e) {
      abort("only root can make files of others: " + e);
    }
  }

  @Test
  void noPortIsOpenAndNoOtherUserReachesItsSocket() throws Exception {
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
    Path folder = directory.resolve("redis");
    Files.createDirectory(folder);
    Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));

    try (EmbeddedRedis redis = EmbeddedRedis.start(folder)) {
      long pid = redis.process().orElseThrow().pid();
      assertEquals(List.of(), listening(pid), "TCP ports of redis-server");
      assertEquals("rwx------", permissions(folder));
      Path socket = new RedisServerDirectory(folder).socket();
      assertEquals(0, run("test", "-S", socket.toString()));
      assumeTrue(run("setpriv", "--reuid=" + NOBODY, "true") == 0, "only root can be another user");
      assertEquals(0, run("setpriv", "--reuid=" + NOBODY, "test", "-d", folder.toString()));
      assertEquals(1, run("setpriv", "--reuid=" + NOBODY, "test", "-S", socket.toString()));
    }
  }

  private static int run(String... command) throws Exception {
    try {
      return new ProcessBuilder(command).redirectErrorStream(true).start().waitFor();
    } catch (IOException e) {
      return -1; // there is no such program
    }
  }

  /** The TCP sockets on which a process listens, as the system lists them. */
  private static List<String> listening(long pid) throws IOException {
    List<String> inodes = new ArrayList<>();
    try (Stream<Path> files = Files.list(Path.of("/proc/" + pid + "/fd"))) {
      for (Path file : files.toList()) {
        inodes.add(Files.readSymbolicLink(file).toString().replaceAll("\\D", ""));
      }
    }
    List<String> lines = new ArrayList<>();
    for (String table : List.of("/proc/net/tcp", "/proc/net/tcp6")) {
      for (String line : Files.readAllLines(Path.of(table))) {
        String[] columns = line.strip().split(" +");
        if (columns[3].equals("0A") && inodes.contains(columns[9])) {
          lines.add(line);
        }
      }
    }
    return lines;
  }

  private static String permissions(Path file) throws IOException {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(file));
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
