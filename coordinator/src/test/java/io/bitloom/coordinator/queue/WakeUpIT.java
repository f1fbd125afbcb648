package io.bitloom.coordinator.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.coordinator.queue.upkeep.RunningQueue;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class WakeUpIT extends QueueFixture {

  @Override
  QueueSettings settings() {
    QueueSettings s = super.settings();
    return new QueueSettings(
        s.namespace(),
        s.maxAttempts(),
        s.isolateAfterFailures(),
        Duration.ofMillis(300),
        Duration.ofMillis(300),
        s.ageing(),
        s.leaseDuration(),
        s.reapGrace(),
        s.sweepInterval());
  }

  @Test
  void everyCoordinatorIsToldWhenAnEmptyBucketGetsPrompts() throws InterruptedException {
    try (JobQueue other = new RunningQueue(redis, settings)) {
      Queue<Bucket> told = new ConcurrentLinkedQueue<>();
      other.ready().onReady(told::add);
      append(newJob(), 0, 3, SQUARE);

      awaitTrue("told", () -> told.contains(SQUARE));
      assertTrue(other.ready().buckets().contains(SQUARE));
      assertEquals(List.of(SQUARE), List.copyOf(told));
    }
  }

  @Test
  void whatIsNoNotificationIsPassedOver() throws InterruptedException {
    for (String message : List.of("", "stop", "no-colon 1 0", "a:b one 0", "a:b 1", "%zz:b 1 0")) {
      await(redis.call(r -> r.publish(keys.wakeChannel(), bytes(message).toByteArray())));
    }
    append(newJob(), 0, 1, SQUARE);
    awaitTrue("ready", () -> queue.ready().buckets().contains(SQUARE));
  }

  @Test
  void aBucketLeavesTheReadyOnesWhenItsLastPromptIsLeased() throws InterruptedException {
    append(newJob(), 0, 3, SQUARE);
    awaitTrue("ready", () -> queue.ready().buckets().contains(SQUARE));
    lease(SQUARE, 2);
    assertTrue(queue.ready().buckets().contains(SQUARE));
    lease(SQUARE, 2);
    assertTrue(queue.ready().buckets().isEmpty());
  }

  @Test
  void aBucketBecomesReadyWhenABackoffIsOverAndNotBefore() throws InterruptedException {
    append(newJob(), 0, 1, SQUARE);
    awaitTrue("ready", () -> queue.ready().buckets().contains(SQUARE));
    LeasedBatch batch = lease(SQUARE, 1);
    fail(batch);
    assertEquals(Optional.empty(), tryLease(SQUARE, 1));
    assertTrue(queue.ready().buckets().isEmpty());

    awaitTrue("ready again", () -> queue.ready().buckets().contains(SQUARE));
    assertEquals(2, lease(SQUARE, 1).tasks().get(0).attempt());
  }

  @Test
  void whoeverAsksForAllReadyBucketsAfterBeingToldMissesNothing() throws InterruptedException {
    String jobId = newJob();
    AtomicInteger leased = new AtomicInteger();
    try (Subscription told =
        queue
            .ready()
            .onReady(
                bucket ->
                    queue
                        .leases()
                        .lease(bucket, "worker", 1000, LEASE)
                        .thenAccept(
                            batch ->
                                leased.addAndGet(batch.map(b -> b.tasks().size()).orElse(0))))) {
      for (int i = 0; i < 500; i++) {
        queue.prompts().append(jobId, i, List.of(new NewPrompt(SQUARE, 1, payload(i))));
        if (i % 7 == 0) {
          Thread.sleep(1);
        }
      }
      awaitTrue("all leased, " + leased, () -> leased.get() == 500);
    }
  }
}
