package io.bitloom.coordinator.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.coordinator.redis.RedisConnection;
import io.bitloom.coordinator.redis.RedisServers;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is acknowledged is on a replica, if that is asked for. */
class ReplicasIT extends QueueFixture {

  @TempDir Path folder;
  private RedisServers servers;
  private int master;
  private int replica;

  /** Before the queue is opened, see {@link #uri}. */
  private void startServers() throws Exception {
    servers = new RedisServers(folder);
    master = RedisServers.freePort();
    replica = RedisServers.freePort();
    List<String> lines = List.of("appendonly yes", "repl-diskless-sync-delay 0");
    servers.start(master, lines);
    servers.start(replica, List.of("appendonly yes", "replicaof 127.0.0.1 " + master));
    awaitReplica();
  }

  private void awaitReplica() throws InterruptedException {
    servers.await(master, redis -> redis.info("replication").contains("state=online"));
  }

  @BeforeEach
  @Override
  void openQueue() {
    try {
      startServers();
    } catch (Exception e) {
      throw new AssertionError(e);
    }
    super.openQueue();
  }

  @AfterEach
  void closeServers() {
    servers.close();
  }

  @Override
  String uri() {
    return "redis://127.0.0.1:" + master;
  }

  @Override
  int replicas() {
    return 1;
  }

  private void hang(Runnable meanwhile) throws Exception {
    servers.signal(replica, "STOP");
    try {
      meanwhile.run();
    } finally {
      servers.signal(replica, "CONT");
    }
  }

  private static void assertNotOnReplicas(Supplier<CompletionStage<?>> call) {
    BitloomException refused = assertThrows(BitloomException.class, () -> await(call.get()));
    assertEquals(ErrorCode.QUEUE_UNAVAILABLE, refused.code());
    assertTrue(refused.getMessage().startsWith("0 of 1 replicas have"), refused.getMessage());
  }

  /** Repeats a call until it is answered. */
  private static void acknowledged(Supplier<CompletionStage<?>> call) throws InterruptedException {
    awaitTrue(
        "acknowledged",
        () -> {
          try {
            await(call.get());
            return true;
          } catch (BitloomException e) {
            assertEquals(ErrorCode.QUEUE_UNAVAILABLE, e.code(), e::toString);
            return false;
          }
        });
  }

  private CompletionStage<Long> append(String jobId) {
    return queue
        .prompts()
        .append(jobId, 0, Collections.nCopies(8, new NewPrompt(SQUARE, 1, bytes("p"))));
  }

  @Test
  void nothingIsAcknowledgedThatTheReplicaDoesNotHaveAlsoIfTheCallIsRepeated() throws Exception {
    String jobId = newJob();
    hang(
        () -> {
          assertNotOnReplicas(() -> append(jobId));
          assertNotOnReplicas(() -> append(jobId)); // which finds that all are there
          assertNotOnReplicas(() -> queue.jobs().pause(jobId));
          assertNotOnReplicas(() -> queue.jobs().resume(jobId));
        });
    acknowledged(() -> append(jobId));
    hang(() -> assertNotOnReplicas(() -> queue.jobs().seal(jobId, OptionalLong.of(8))));
    acknowledged(() -> queue.jobs().seal(jobId, OptionalLong.of(8)));
    LeasedBatch held = leaseWhatTheSweeperTells();
    hang(() -> assertNotOnReplicas(() -> commit(held)));
    acknowledged(() -> commit(held));
    assertEquals(8, results(jobId).size());
    assertEquals(8, job(jobId).counts().succeeded());
  }

  private LeasedBatch leaseWhatTheSweeperTells() throws InterruptedException {
    List<LeasedBatch> batches = new ArrayList<>();
    awaitTrue(
        "told of all",
        () -> {
          tryLease(SQUARE, 8).ifPresent(batches::add);
          return !batches.isEmpty();
        });
    return batches.get(0);
  }

  private CompletionStage<List<TaskVerdict>> commit(LeasedBatch held) {
    return queue.leases().commit(held.lease(), successes(held));
  }

  @Test
  void whatIsReadAndWhatIsGivenOutNeedsNoReplica() throws Exception {
    String jobId = sealedJob(4, SQUARE);
    hang(
        () -> {
          assertEquals(4, job(jobId).counts().appended());
          assertEquals(4, lease(SQUARE, 4).tasks().size());
        });
    assertTrue(redis.available());
  }

  @Test
  void aConnectionThatIsMadeAnewIsNotBelieved() throws Exception {
    String jobId = newJob();
    servers.await(
        master,
        redis -> {
          redis.clientKill(io.lettuce.core.KillArgs.Builder.typeNormal().skipme());
          return true;
        });
    acknowledged(() -> append(jobId));
    acknowledged(() -> queue.jobs().get(jobId));
    hang(() -> assertNotOnReplicas(() -> queue.jobs().seal(jobId, OptionalLong.of(8))));
  }

  @Test
  void nothingIsSentWhereNobodyAsksForReplicas() throws Exception {
    closeQueue();
    servers.await(
        master,
        redis -> {
          redis.configResetstat();
          return true;
        });
    redis = RedisConnection.connect(uri(), settings.namespace());
    queue = new io.bitloom.coordinator.queue.upkeep.RunningQueue(redis, settings);
    hang(() -> sealedJob(4, SQUARE));
    servers.await(
        master,
        redis -> {
          assertFalse(redis.info("commandstats").contains("cmdstat_wait"));
          return true;
        });
  }
}
