package io.bitloom.coordinator.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.coordinator.SelfSigned;
import io.bitloom.coordinator.queue.redis.DataHeader;
import io.bitloom.coordinator.redis.RedisConnection;
import io.bitloom.coordinator.redis.RedisServers;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The queue on other Redis than one server for everybody: real servers, started here. */
class RedisTopologiesIT {

  @TempDir Path folder;
  private RedisServers servers;
  private String sentinel;
  private int replica;

  @BeforeEach
  void open() throws IOException {
    servers = new RedisServers(folder);
  }

  @AfterEach
  void close() {
    servers.close();
  }

  /** The words of {@link QueueFixture} for a Redis of this test. */
  private static final class Queue extends QueueFixture implements AutoCloseable {

    private final String uri;
    private final int replicas;

    Queue(String uri) {
      this(uri, 0);
    }

    Queue(String uri, int replicas) {
      this.uri = uri;
      this.replicas = replicas;
      openQueue();
    }

    @Override
    int replicas() {
      return replicas;
    }

    @Override
    String uri() {
      return uri;
    }

    @Override
    public void close() {
      closeQueue();
    }

    /** Takes a job through most of what can happen to it. */
    void useAll() throws InterruptedException {
      Bucket[] buckets =
          IntStream.range(0, 6).mapToObj(i -> new Bucket("m", "s" + i)).toArray(Bucket[]::new);
      String jobId = sealedJob(60, buckets);
      awaitTrue("told of all", () -> queue.ready().buckets().containsAll(Arrays.asList(buckets)));
      fail(lease(buckets[0], 4));
      await(queue.leases().expire(lease(buckets[1], 4).lease()));
      LeasedBatch released = lease(buckets[2], 4);
      await(
          queue
              .leases()
              .release(released.lease(), released.tasks().stream().map(LeasedTask::task).toList()));
      LeaseRef held = lease(buckets[3], 2).lease();
      await(queue.leases().renew("worker", List.of(held), LEASE));
      drainAll(jobId, held, buckets);
      assertEquals(60, results(jobId).stream().map(ResultRecord::offset).distinct().count());
      String other = sealedJob(30, buckets);
      await(queue.jobs().cancel(other));
      assertEquals(30, job(other).counts().cancelled());
      assertEquals(
          2,
          await(queue.jobs().list(new JobFilter(Optional.empty(), Set.of()), 10, ""))
              .jobs()
              .size());
    }

    /** Each listens to a server that its client chooses. */
    void countsOlderCoordinatorsWhereverTheyListen() throws InterruptedException {
      DataHeader header = new DataHeader(redis, keys);
      awaitTrue("none is older", () -> await(header.olderCoordinators()) == 0);
      List<RedisConnection> older = new ArrayList<>();
      for (int i = 0; i < 6; i++) {
        older.add(RedisConnection.connect(uri, "test"));
        await(
            older
                .get(i)
                .channels()
                .subscribe(keys.wakeChannel(1), new DataVersionIT.DeafListener()));
      }
      assertEquals(6, await(header.olderCoordinators()));
      older.forEach(RedisConnection::close);
      awaitTrue("all are gone", () -> await(header.olderCoordinators()) == 0);
    }

    private void drainAll(String jobId, LeaseRef held, Bucket[] buckets)
        throws InterruptedException {
      awaitTrue(
          "all but the two that are held",
          () -> {
            for (Bucket bucket : buckets) {
              tryLease(bucket, 64).ifPresent(this::succeed);
            }
            return job(jobId).counts().succeeded() == 58;
          });
      await(queue.leases().expire(held));
      drain(jobId, buckets);
    }
  }

  @Test
  void aClusterOfThreeServers() throws Exception {
    try (Queue queue = new Queue(servers.startCluster(3))) {
      queue.useAll();
      queue.countsOlderCoordinatorsWhereverTheyListen();
    }
  }

  @Test
  void theMasterOfASentinelAlsoAfterAFailover() throws Exception {
    int master = startSentinel();
    try (Queue queue = new Queue(sentinel)) {
      String jobId = queue.sealedJob(20, QueueFixture.SQUARE);
      servers.await(master, redis -> redis.waitForReplication(1, 2000) == 1);
      servers.kill(master);
      drainAfterFailover(queue, jobId);
    }
  }

  @Test
  void theMasterOfASentinelWithItsReplicaAlsoAfterAFailover() throws Exception {
    int master = startSentinel();
    try (Queue queue = new Queue(sentinel, 1)) {
      String jobId = queue.sealedJob(20, QueueFixture.SQUARE);
      servers.kill(master);
      servers.await(replica, redis -> redis.info("replication").contains("role:master"));
      servers.restart(master); // the new master needs a replica
      QueueFixture.awaitTrue(
          "acknowledged",
          () -> {
            try {
              return !queue.newJob().isEmpty();
            } catch (BitloomException e) {
              assertEquals(ErrorCode.QUEUE_UNAVAILABLE, e.code());
              return false;
            }
          });
      drainAfterFailover(queue, jobId);
    }
  }

  /** Starts a master with a replica and a sentinel, and returns the master's port. */
  private int startSentinel() throws Exception {
    int master = RedisServers.freePort();
    replica = RedisServers.freePort();
    int port = RedisServers.freePort();
    List<String> lines = List.of("appendonly yes", "repl-diskless-sync-delay 0");
    servers.start(master, lines);
    servers.start(
        replica,
        Stream.concat(lines.stream(), Stream.of("replicaof 127.0.0.1 " + master)).toList());
    servers.await(replica, redis -> redis.info("replication").contains("master_link_status:up"));
    servers.start(
        port,
        List.of(
            "sentinel monitor queue 127.0.0.1 " + master + " 1",
            "sentinel down-after-milliseconds queue 500",
            "sentinel failover-timeout queue 3000"),
        "--sentinel");
    servers.await(port, redis -> redis.info("sentinel").contains("slaves=1"));
    sentinel = "redis-sentinel://127.0.0.1:" + port + "#queue";
    return master;
  }

  private static void drainAfterFailover(Queue queue, String jobId) throws InterruptedException {
    QueueFixture.awaitTrue(
        "the new master takes calls",
        () -> {
          try {
            return queue.tryLease(QueueFixture.SQUARE, 5).map(queue::succeed).isPresent();
          } catch (BitloomException e) {
            assertEquals(ErrorCode.QUEUE_UNAVAILABLE, e.code());
            return false;
          }
        });
    queue.drain(jobId, QueueFixture.SQUARE);
    assertEquals(20, queue.results(jobId).size());
  }

  @Test
  void aServerThatKnowsUsers() throws Exception {
    int port = RedisServers.freePort();
    servers.start(
        port,
        List.of(
            "user default off",
            "user bitloom on >secret ~test-* resetchannels &test-* +@all -@dangerous +info"
                + " +client"));
    try (Queue queue = new Queue("redis://bitloom:secret@127.0.0.1:" + port)) {
      queue.useAll();
    }
    assertRefused("refuses this user: WRONGPASS", "redis://bitloom:wrong@127.0.0.1:" + port);
  }

  private static void assertRefused(String why, String uri) {
    BitloomException refused =
        assertThrows(BitloomException.class, () -> RedisConnection.connect(uri, "test"));
    assertEquals(ErrorCode.QUEUE_UNAVAILABLE, refused.code());
    assertTrue(refused.getMessage().contains(why), refused.getMessage());
    assertFalse(refused.getMessage().contains("wrong@"), refused.getMessage());
  }

  @Test
  void aServerThatSpeaksTlsAndKnowsUsers() throws Exception {
    assumeTrue(servers.speakTls(), "skipped: the redis-server of this machine has no TLS");
    SelfSigned server = SelfSigned.create(folder, "redis");
    SelfSigned client = SelfSigned.create(folder, "coordinator");
    int port = RedisServers.freePort();
    int tlsPort = RedisServers.freePort();
    servers.start(
        port,
        List.of(
            "tls-port " + tlsPort,
            "tls-cert-file " + server.certificate(),
            "tls-key-file " + server.key(),
            "tls-ca-cert-file " + client.certificate(),
            "user default off",
            "user bitloom on >secret ~test-* resetchannels &test-* +@all -@dangerous +info"
                + " +client"));
    String address = "rediss://bitloom:%s@127.0.0.1:" + tlsPort + "?ca=%s";
    String shown = "&cert=" + client.certificate() + "&key=" + client.key();
    String trusting = String.format(Locale.ROOT, address, "secret", server.certificate()) + shown;
    try (Queue queue = new Queue(trusting)) {
      queue.useAll();
    }
    assertRefused(
        "no TLS connection to Redis at 127.0.0.1:" + tlsPort + ", is its CA named",
        String.format(Locale.ROOT, address, "secret", client.certificate()) + shown);
    assertRefused(
        "refuses this user: WRONGPASS",
        String.format(Locale.ROOT, address, "wrong", server.certificate()) + shown);
    assertRefused("Redis", String.format(Locale.ROOT, address, "secret", server.certificate()));
  }

  @Test
  void aFileOfTheUriThatIsNotThereIsNamed() {
    BitloomException refused =
        assertThrows(
            BitloomException.class,
            () -> RedisConnection.connect("rediss://127.0.0.1:1?ca=/no/such.pem", "test"));
    assertEquals(ErrorCode.INVALID_FIELD, refused.code());
    assertTrue(refused.getMessage().contains("ca=/no/such.pem"), refused.getMessage());
  }

  @Test
  void aUriThatIsNoneIsRefusedWithoutItsPassword() {
    BitloomException refused =
        assertThrows(
            BitloomException.class,
            () -> RedisConnection.connect("mongo://me:secret@host:1", "test"));
    assertEquals(ErrorCode.INVALID_FIELD, refused.code());
    assertEquals(false, refused.getMessage().contains("secret"), refused.getMessage());
  }
}
