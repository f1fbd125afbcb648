package io.bitloom.coordinator.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.coordinator.queue.redis.SweepTurn;
import io.bitloom.coordinator.queue.upkeep.RunningQueue;
import io.bitloom.coordinator.redis.EmbeddedRedis;
import io.bitloom.coordinator.redis.RedisConnection;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SweepTurnIT extends QueueFixture {

  private static final Duration OFTEN = Duration.ofMillis(100);
  private static final Pattern READS_OF_JOBS = Pattern.compile("cmdstat_hgetall:calls=(\\d+)");

  @TempDir Path directory;

  private SweepTurn turn(Duration lasts) {
    return new SweepTurn(redis, keys, lasts);
  }

  @Test
  void oneCoordinatorAtATimeHasTheTurnAndLosesItWhenItIsSilent() throws InterruptedException {
    await(redis.call(r -> r.del(keys.sweeper())));
    SweepTurn first = turn(Duration.ofMillis(200));
    SweepTurn second = turn(Duration.ofSeconds(30));
    assertTrue(await(first.take()).now());
    assertFalse(await(second.take()).now());
    awaitTrue("the silent one lost it", () -> await(second.take()).now());
    assertFalse(await(first.take()).now());
    assertTrue(await(second.take()).now(), "it stays with whom it is");
  }

  @Test
  void aLossIsSweptAtOnceAlthoughADeadOneHasTheTurn() throws InterruptedException {
    await(redis.call(r -> r.del(keys.sweeper())));
    SweepTurn dead = turn(Duration.ofHours(1));
    SweepTurn alive = turn(Duration.ofHours(1));
    assertTrue(await(dead.take()).now());
    Thread.sleep(5);
    SweepTurn.Answer together = await(alive.takeAfterLoss(Duration.ofMillis(1)));
    assertFalse(together.now(), "another began just now");
    assertTrue(together.askAgain().orElseThrow().compareTo(Duration.ofSeconds(1)) <= 0);
    assertEquals(
        new SweepTurn.Answer(false, Optional.empty()),
        await(alive.takeAfterLoss(Duration.ofMinutes(1))),
        "that sweep began after this loss");
    long lost = System.nanoTime();
    awaitTrue(
        "somebody begins",
        () -> await(alive.takeAfterLoss(Duration.ofNanos(System.nanoTime() - lost))).now());
    assertFalse(await(dead.take()).now());
  }

  @Test
  void whatACrashLeftIsMendedThoughTheDeadSweeperHasTheTurnForAnHour() throws InterruptedException {
    String jobId = sealedJob(2, SQUARE);
    LeasedBatch batch = lease(SQUARE, 2);
    await(buckets.release(batch.lease(), batch.tasks().stream().map(LeasedTask::task).toList()));
    assertEquals(2, job(jobId).counts().running());
    queue.close(); // its turn stays with it
    try (JobQueue next = new RunningQueue(redis, settings)) {
      awaitTrue("mended", () -> job(jobId).counts().running() == 0);
    }
  }

  @Test
  void fourCoordinatorsReadJobsNoMoreOftenThanOne() throws Exception {
    try (EmbeddedRedis own = EmbeddedRedis.start(directory.resolve("redis"));
        RedisConnection connection = RedisConnection.connect(own.uri(), settings.namespace())) {
      QueueSettings often = withSweep(settings, OFTEN);
      List<JobQueue> queues = new ArrayList<>();
      try {
        queues.add(new RunningQueue(connection, often));
        for (int i = 0; i < 20; i++) {
          await(queues.get(0).jobs().create(new NewJob("tenant", "", 1, 5, bytes("spec"))));
        }
        long byOne = readsInAWhile(connection);
        assertTrue(byOne > 0);
        for (int i = 0; i < 3; i++) {
          queues.add(new RunningQueue(connection, often));
        }
        Thread.sleep(1500); // each has one sweep begin at its start
        long byFour = readsInAWhile(connection);
        assertTrue(byFour > 0);
        assertTrue(byFour < 2 * byOne, byFour + " reads by four, " + byOne + " by one");
      } finally {
        queues.forEach(JobQueue::close);
      }
    }
  }

  private static long readsInAWhile(RedisConnection redis) throws InterruptedException {
    await(redis.call(r -> r.configResetstat()));
    Thread.sleep(2000);
    return READS_OF_JOBS
        .matcher(await(redis.call(r -> r.info("commandstats"))))
        .results()
        .map(MatchResult::group)
        .mapToLong(found -> Long.parseLong(found.substring(found.indexOf('=') + 1)))
        .sum();
  }
}
