package io.bitloom.coordinator.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.coordinator.redis.RedisServers;
import io.bitloom.coordinator.redis.ReplicatedCluster;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Who watches a job on a Redis Cluster of version 7. */
class ShardChannelsIT extends QueueFixture {

  private static final int PARTS = 3;
  private static final int RUN = 4;

  @TempDir Path folder;
  private ReplicatedCluster cluster;

  @Override
  QueueSettings settings() {
    return super.settings().spread(PARTS, RUN);
  }

  @BeforeEach
  @Override
  void openQueue() {
    Optional<RedisServers> servers = installed();
    assumeTrue(servers.isPresent(), "skipped: this machine has no redis-server of version 7");
    try {
      cluster = new ReplicatedCluster(servers.get());
    } catch (Exception e) {
      throw new AssertionError(e);
    }
    super.openQueue();
  }

  private Optional<RedisServers> installed() {
    try {
      return RedisServers.installed(folder);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @AfterEach
  @Override
  void closeQueue() {
    if (cluster != null) {
      super.closeQueue();
      cluster.close();
    }
  }

  /** What is appended while a master is killed is there, or refused. */
  @Override
  int replicas() {
    return 1;
  }

  @Override
  String uri() {
    return cluster.uri();
  }

  /** Appends a run, which is in one part, and says whether the watcher was told of it. */
  private boolean tells(String jobId, AtomicInteger heard) {
    int before = heard.get();
    try {
      append(jobId, job(jobId).counts().appended(), RUN, SQUARE);
    } catch (BitloomException e) {
      assertEquals(ErrorCode.QUEUE_UNAVAILABLE, e.code(), e::toString);
      return false; // a master is away
    }
    for (int i = 0; i < 100 && heard.get() == before; i++) {
      try {
        Thread.sleep(10);
      } catch (InterruptedException e) {
        throw new CompletionException(e);
      }
    }
    return heard.get() > before;
  }

  @Test
  void changesOfEveryPartAreHeardAtItsServersOnlyAlsoAfterTheseWereKilled() throws Exception {
    assertTrue(redis.channels().sharded());
    String jobId = newJob();
    AtomicInteger heard = new AtomicInteger();
    Subscription watch = await(queue.jobs().onChanged(jobId, heard::incrementAndGet));
    for (int part = 0; part < 2 * PARTS; part++) {
      assertTrue(tells(jobId, heard), "told of what is appended to part " + part % PARTS);
    }
    assertEquals(PARTS, cluster.serversThatUsed("spublish"));
    for (String place : new String[] {"{a}", "{b}", "{c}"}) {
      int killed = cluster.masterOf(place);
      cluster.kill(killed);
      cluster.awaitFailover(killed);
      cluster.restart(killed);
      cluster.awaitWhole();
      for (int part = 0; part < PARTS; part++) {
        awaitTrue("told again", () -> tells(jobId, heard));
      }
    }
    watch.close();
  }
}
