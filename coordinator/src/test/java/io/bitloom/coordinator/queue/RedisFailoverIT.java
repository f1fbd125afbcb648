package io.bitloom.coordinator.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.coordinator.queue.redis.DataHeader;
import io.bitloom.coordinator.queue.upkeep.RunningQueue;
import io.bitloom.coordinator.redis.RedisChannels;
import io.bitloom.coordinator.redis.RedisConnection;
import io.bitloom.coordinator.redis.ReplicatedCluster;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A cluster's master is killed, and its replica takes over. */
class RedisFailoverIT extends QueueFixture {

  private static final int PROMPTS = 10;

  @TempDir Path folder;
  private ReplicatedCluster cluster;

  @BeforeEach
  @Override
  void openQueue() {
    try {
      cluster = new ReplicatedCluster(folder);
    } catch (Exception e) {
      throw new AssertionError(e);
    }
    super.openQueue();
  }

  @AfterEach
  void closeCluster() {
    cluster.close();
  }

  @Override
  String uri() {
    return cluster.uri();
  }

  @Override
  int replicas() {
    return 1;
  }

  /** Repeats a call until it is answered. */
  private static <T> T patiently(String what, Supplier<T> call) throws InterruptedException {
    List<T> answer = new ArrayList<>();
    awaitTrue(
        what,
        () -> {
          try {
            answer.add(call.get());
            return true;
          } catch (BitloomException e) {
            assertEquals(ErrorCode.QUEUE_UNAVAILABLE, e.code(), e::toString);
            return false;
          }
        });
    return answer.get(0);
  }

  private static NewPrompt prompt() {
    return new NewPrompt(SQUARE, 1, bytes("p"));
  }

  private CompletableFuture<Long> append(String jobId, long offset) {
    return queue
        .prompts()
        .append(jobId, offset, Collections.nCopies(PROMPTS, prompt()))
        .toCompletableFuture();
  }

  /** Has as many appends under way as there are jobs, and kills a master in the middle. */
  @Test
  void whatWasAcknowledgedIsThereAfterEachMasterWasKilled() throws Exception {
    DataHeader header = new DataHeader(redis, keys);
    for (String place : List.of("{a}", "{b}", "{c}")) {
      Map<String, Long> acknowledged = new HashMap<>();
      for (int i = 0; i < 12; i++) {
        acknowledged.put(newJob(), 0L);
      }
      int killed = cluster.masterOf(place);
      for (int round = 0; round < 20; round++) {
        Map<String, CompletableFuture<Long>> appends = new HashMap<>();
        acknowledged.forEach((job, count) -> appends.put(job, append(job, count)));
        if (round == 10) {
          cluster.kill(killed);
        }
        appends.forEach(
            (job, append) ->
                acknowledged.put(job, append.exceptionally(e -> acknowledged.get(job)).join()));
      }
      cluster.awaitFailover(killed);
      assertEquals(0, patiently("older ones counted", () -> await(header.olderCoordinators())));
      cluster.restart(killed);
      for (Map.Entry<String, Long> job : acknowledged.entrySet()) {
        long appended = patiently("view", () -> job(job.getKey())).counts().appended();
        assertTrue(appended >= job.getValue(), appended + " of " + job.getValue());
        patiently("append", () -> await(append(job.getKey(), appended)));
        patiently(
            "seal",
            () -> await(queue.jobs().seal(job.getKey(), OptionalLong.of(appended + PROMPTS))));
      }
      awaitTrue("available", redis::available);
      cluster.awaitWhole();
    }
  }

  @Test
  void messagesAreHeardAgainWhenTheServerThatSentThemWasKilled() throws Exception {
    AtomicInteger heard = new AtomicInteger();
    await(
        redis
            .channels()
            .subscribe(
                "channel",
                new RedisChannels.Listener() {
                  @Override
                  public void message(byte[] message) {
                    heard.incrementAndGet();
                  }

                  @Override
                  public void subscribed() {}
                }));
    int killed = cluster.heardAt("channel");
    cluster.kill(killed);
    cluster.awaitFailover(killed);
    awaitTrue(
        "heard",
        () -> {
          redis.call(r -> r.publish("channel", new byte[0]));
          return heard.get() > 0;
        });
    awaitTrue("available", redis::available);
    cluster.restart(killed);
    cluster.awaitWhole();
  }

  @Test
  void whoStartsDuringAFailoverWaitsForIt() throws Exception {
    String jobId = newJob();
    int killed = cluster.masterOf("{j:" + jobId + "}");
    cluster.kill(killed);
    try (RedisConnection late = RedisConnection.connect(uri(), settings.namespace(), 1);
        JobQueue other = new RunningQueue(late, settings)) {
      assertEquals(jobId, patiently("view", () -> await(other.jobs().get(jobId))).id());
    }
    cluster.restart(killed);
    cluster.awaitWhole();
  }

  /** The master is killed while its replica lags behind, which then takes over. */
  @Test
  void whatIsAcknowledgedIsThereIfReplicasAreAskedForAndMayBeLostIfNot() throws Exception {
    String jobId = newJob();
    int master = cluster.masterOf("{j:" + jobId + "}");
    int replica = cluster.replicaOf(master);
    try (RedisConnection careless = RedisConnection.connect(uri(), settings.namespace());
        JobQueue other = new RunningQueue(careless, settings)) {
      cluster.cutOff(replica, master);
      assertThrows(BitloomException.class, () -> await(append(jobId, 0)));
      assertEquals(
          2 * PROMPTS,
          await(other.prompts().append(jobId, PROMPTS, Collections.nCopies(PROMPTS, prompt()))));
    }
    cluster.kill(master);
    cluster.rejoin(replica);
    cluster.awaitFailover(master);
    assertEquals(0, patiently("view", () -> job(jobId)).counts().appended());
  }
}
