package io.bitloom.coordinator.redis;

import static io.bitloom.coordinator.TestCoordinator.awaitTrue;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.bitloom.common.config.ConfigException;
import io.bitloom.coordinator.CoordinatorProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A Redis that others have set up is looked at before it gets jobs. */
class RedisAsFoundIT {

  private static final List<String> DURABLE = List.of("appendonly yes", "appendfsync always");
  private static final Path EVICTING = Path.of("../../shared/cases/redis-evicting.conf");

  @TempDir Path folder;
  private RedisServers servers;
  private int port;

  @BeforeEach
  void start() throws IOException {
    servers = new RedisServers(folder);
    port = RedisServers.freePort();
  }

  @AfterEach
  void stop() {
    servers.close();
  }

  /** Starts a server whose configuration has lines besides those that make it durable. */
  private String server(String... lines) throws Exception {
    List<String> all = new ArrayList<>(DURABLE);
    all.addAll(Arrays.asList(lines));
    servers.start(port, all);
    return "redis://127.0.0.1:" + port;
  }

  private static RedisConnection connect(String uri) {
    return RedisConnection.connect(uri, "test", 0, Duration.ZERO);
  }

  private static String refusal(String uri) {
    String message = assertThrows(ConfigException.class, () -> connect(uri).close()).getMessage();
    assertTrue(message.startsWith("redis at 127.0.0.1:"), message);
    return message;
  }

  /** The settings that are warned of. */
  private static List<String> warnings(String uri) {
    try (RedisConnection connection = connect(uri)) {
      assertTrue(connection.available(), connection.trouble().toString());
      return connection.findings().stream().map(RedisFinding::setting).toList();
    }
  }

  @Test
  void aDurablePrimaryIsTrusted() throws Exception {
    assertEquals(List.of(), warnings(server()));
  }

  @ParameterizedTest
  @ValueSource(strings = {"allkeys-lru", "allkeys-lfu", "allkeys-random"})
  void oneThatThrowsJobsAwayIsRefused(String policy) throws Exception {
    String refusal = refusal(server("maxmemory 6mb", "maxmemory-policy " + policy));
    assertTrue(refusal.contains("maxmemory-policy must be noeviction"), refusal);
    assertTrue(refusal.endsWith("not \"" + policy + "\""), refusal);
  }

  @ParameterizedTest
  @ValueSource(strings = {"volatile-lru", "volatile-lfu", "volatile-ttl"})
  void oneThatThrowsAwayWhatExpiresIsTakenSinceNothingDoes(String policy) throws Exception {
    assertEquals(List.of(), warnings(server("maxmemory 60mb", "maxmemory-policy " + policy)));
  }

  @Test
  void aPolicyThatNeverAppliesIsNoMatter() throws Exception {
    assertEquals(List.of(), warnings(server("maxmemory-policy allkeys-lru")));
  }

  @ParameterizedTest
  @CsvSource({
    "appendonly no,            'save \"\"',      appendonly, nothing is kept on disk",
    "appendonly no,            save 60 1,      appendonly, after the last snapshot",
    "appendfsync no,           'save \"\"',      appendfsync, half a minute",
    "appendfsync no,           save 3600 1,    appendfsync, half a minute"
  })
  void oneThatMayLoseAcknowledgedJobsIsWarnedOf(
      String line, String save, String setting, String harm) throws Exception {
    try (RedisConnection connection = connect(server(line, save))) {
      assertTrue(connection.available());
      assertEquals(1, connection.findings().size());
      assertEquals(setting, connection.findings().get(0).setting());
      String found = connection.findings().get(0).toString();
      assertTrue(found.contains(harm), found);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "rename-command CONFIG \"\"",
        "user default on nopass ~* &* +@all -config",
        "user default on nopass ~* &* +@all -@admin +info"
      })
  void whereConfigIsForbiddenInfoIsBelievedAndTheRestIsWarnedOf(String line) throws Exception {
    String uri = server(line, "maxmemory 60mb", "maxmemory-policy noeviction");
    assertEquals(List.of("appendfsync"), warnings(uri));
    servers.kill(port);
    String refusal = refusal(server(line, "maxmemory 6mb", "maxmemory-policy allkeys-lru"));
    assertTrue(refusal.contains("maxmemory-policy"), refusal);
  }

  @Test
  void whereNothingCanBeReadTheWarningIsOfThePolicyToo() throws Exception {
    List<String> warned =
        warnings(
            server(
                "user default on nopass ~* &* +@all -config -info",
                "maxmemory 6mb",
                "maxmemory-policy allkeys-lru"));
    assertTrue(warned.contains("maxmemory-policy"), warned.toString());
  }

  @Test
  void aReplicaIsRefusedAndSoIsTheReplicaOfAReplica() throws Exception {
    server();
    for (int i = 0; i < 2; i++) {
      int primary = port;
      port = RedisServers.freePort();
      String refusal = refusal(server("replicaof 127.0.0.1 " + primary));
      assertTrue(refusal.contains("role must be that of a primary"), refusal);
    }
  }

  @Test
  void onceConnectedAChangeForTheWorseIsSeenAfterAReconnectAndItsEndToo() throws Exception {
    String uri = server();
    int other = RedisServers.freePort();
    servers.start(other, DURABLE);
    try (RedisConnection connection = connect(uri)) {
      for (List<String> change :
          List.of(
              List.of("maxmemory-policy", "allkeys-lru", "noeviction"),
              List.of("replicaof", "127.0.0.1 " + other, "no one"),
              List.of("maxmemory-policy", "allkeys-random", "noeviction"))) {
        set(change.get(0), change.get(1));
        awaitTrue(
            change.toString(),
            () -> connection.trouble().filter(why -> !why.contains("answer")).isPresent());
        set(change.get(0), change.get(2));
        awaitTrue("trusted again", connection::available);
      }
    }
  }

  /** Changes a server that runs, and cuts its connections. */
  private void set(String name, String value) throws Exception {
    servers.await(
        port,
        redis -> {
          if (name.equals("replicaof")) {
            String[] primary = value.split(" ");
            if (value.equals("no one")) {
              redis.replicaofNoOne();
            } else {
              redis.replicaof(primary[0], Integer.parseInt(primary[1]));
            }
          } else {
            redis.configSet("maxmemory", "60mb");
            redis.configSet(name, value);
          }
          redis.clientKill(io.lettuce.core.KillArgs.Builder.typeNormal().skipme());
          return true;
        });
  }

  @Test
  void aSentinelAndANodeOfAClusterAreNotServers() throws Exception {
    server();
    int sentinel = RedisServers.freePort();
    servers.start(sentinel, List.of("sentinel monitor q 127.0.0.1 " + port + " 1"), "--sentinel");
    String ofSentinel = refusal("redis://127.0.0.1:" + sentinel);
    assertTrue(ofSentinel.contains("use redis-sentinel://"), ofSentinel);
    String cluster = servers.startCluster(3);
    String ofNode = refusal(cluster.replace("redis-cluster", "redis").replaceAll(",.*", ""));
    assertTrue(ofNode.contains("redis-cluster://"), ofNode);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 5000})
  void aClusterWithASlotThatNobodyHasIsRefused(int first) throws Exception {
    String cluster = servers.startCluster(3);
    int node = Integer.parseInt(cluster.replaceAll(".*127.0.0.1:(\\d+),.*", "$1"));
    servers.await(
        node,
        redis -> {
          redis.clusterDelSlots(first);
          return redis.clusterInfo().contains("cluster_slots_assigned:16383");
        });
    String refusal = refusal("redis-cluster://127.0.0.1:" + node);
    assertTrue(refusal.contains("cluster_slots_assigned must be 16384"), refusal);
  }

  @Test
  void aClusterThatLostAServerIsRefused() throws Exception {
    String cluster = servers.startCluster(3);
    int lost = Integer.parseInt(cluster.replaceAll(".*,127.0.0.1:", ""));
    int node = Integer.parseInt(cluster.replaceAll(".*127.0.0.1:(\\d+),.*", "$1"));
    servers.kill(lost);
    servers.await(node, redis -> redis.clusterInfo().contains("cluster_state:fail"));
    String refusal = refusal("redis-cluster://127.0.0.1:" + node);
    assertTrue(
        refusal.contains("cluster_slots_ok must be 16384") || refusal.contains("has slots"),
        refusal);
  }

  @Test
  void theCoordinatorEndsWithUsageAndOneLineThatShowsNoPassword() throws Exception {
    server("maxmemory 6mb", "maxmemory-policy allkeys-lru", "requirepass p#ss/w@rd");
    endsWithOneLine();
  }

  @Test
  void theCaseOfTheFixturesIsRefusedByName() throws Exception {
    if (!Files.exists(EVICTING)) {
      System.out.println("skipped: there is no " + EVICTING);
    }
    assumeTrue(Files.exists(EVICTING));
    List<String> lines =
        Files.readAllLines(EVICTING).stream().filter(line -> !line.startsWith("port ")).toList();
    servers.start(port, lines);
    endsWithOneLine();
  }

  private void endsWithOneLine() throws Exception {
    List<String> options = new ArrayList<>(CoordinatorProcess.usualOptions(folder));
    options.add("--redis=redis://:p%23ss%2Fw%40rd@127.0.0.1:" + port);
    try (CoordinatorProcess coordinator = CoordinatorProcess.launch(folder, List.of(), options)) {
      assertEquals(2, coordinator.exitCode());
      String output = coordinator.output();
      assertTrue(output.contains("maxmemory-policy must be noeviction"), output);
      assertTrue(output.contains("127.0.0.1:" + port), output);
      assertFalse(output.contains("ss/w") || output.contains("%23ss"), output);
      assertFalse(output.contains("\tat "), output);
    }
  }
}
