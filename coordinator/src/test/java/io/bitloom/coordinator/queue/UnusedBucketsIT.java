package io.bitloom.coordinator.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.coordinator.queue.redis.UnusedBuckets;
import io.bitloom.coordinator.queue.upkeep.RunningQueue;
import io.bitloom.coordinator.redis.RedisConnection;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

class UnusedBucketsIT extends QueueFixture {

  private void drop(Duration unused) {
    await(dropping(unused));
  }

  private CompletionStage<Void> dropping(Duration unused) {
    return new UnusedBuckets(index(), buckets, keys).drop(unused);
  }

  private List<Bucket> listed() {
    return await(queue.backlog().buckets()).stream().map(BucketBacklog::bucket).toList();
  }

  private long keysOf(Bucket bucket) {
    return await(redis.call(r -> r.exists(keys.bucket(bucket))));
  }

  @Test
  void whatNobodyUsesAnyMoreIsForgottenAndWhatIsUsedStays() throws InterruptedException {
    drain(sealedJob(3, SQUARE), SQUARE);
    String waiting = newJob();
    append(waiting, 0, 1, TALL);
    Bucket held = new Bucket("demo", "held");
    String other = newJob();
    append(other, 0, 1, held);
    lease(held, 1);
    assertEquals(3, listed().size());
    drop(Duration.ofHours(1));
    assertEquals(3, listed().size(), "it may be used again soon");

    awaitTrue(
        "forgotten",
        () -> {
          drop(Duration.ZERO);
          return !listed().contains(SQUARE);
        });
    assertEquals(0, keysOf(SQUARE));
    assertEquals(2, listed().size());
    assertEquals(1, lease(TALL, 1).tasks().size());
  }

  @Test
  void whatWaitsForAnotherAttemptOrIsPausedIsNotForgotten() {
    String failing = newJob();
    append(failing, 0, 1, SQUARE);
    fail(lease(SQUARE, 1));
    String paused = newJob();
    append(paused, 0, 1, TALL);
    await(queue.jobs().pause(paused));
    drop(Duration.ZERO);
    assertEquals(2, listed().size());
  }

  @Test
  void tokensAndNumbersOfNotificationsGoOnWhereABucketIsMadeAnew() throws InterruptedException {
    long token = 0;
    long wake = 0;
    for (int round = 0; round < 5; round++) {
      String jobId = sealedJob(2, SQUARE);
      assertTrue(listed().contains(SQUARE), "it is listed by who believes it to be listed");
      awaitTrue("ready", () -> queue.ready().buckets().contains(SQUARE));
      LeasedBatch batch = lease(SQUARE, 1);
      assertTrue(batch.lease().token() > token, "a token was given twice");
      token = batch.lease().token();
      long now = await(buckets.rank(SQUARE, true)).wake();
      assertTrue(now > wake, "a notification looks older than one before it");
      wake = now;
      succeed(batch);
      drain(jobId, SQUARE);
      awaitTrue(
          "forgotten",
          () -> {
            drop(Duration.ZERO);
            return keysOf(SQUARE) == 0;
          });
      assertTrue(tryLease(SQUARE, 1).isEmpty());
      assertFalse(queue.ready().buckets().contains(SQUARE), "nobody asks a bucket that is gone");
    }
  }

  @Test
  void whoMakesABucketAnewWhileItIsForgottenLosesNothing() throws Exception {
    AtomicBoolean ended = new AtomicBoolean();
    CompletableFuture<Void> dropping =
        CompletableFuture.runAsync(
            () -> {
              while (!ended.get()) {
                drop(Duration.ZERO);
              }
            });
    try (JobQueue second = new RunningQueue(redis, settings)) {
      long token = 0;
      for (int i = 0; i < 150; i++) {
        JobQueue by = i % 2 == 0 ? queue : second;
        String jobId = newJob();
        await(by.prompts().append(jobId, 0, List.of(new NewPrompt(SQUARE, 1, payload(0)))));
        awaitTrue("both hear of it", () -> second.ready().buckets().contains(SQUARE));
        awaitTrue("listed", () -> listed().contains(SQUARE));
        LeasedBatch batch = lease(SQUARE, 8);
        assertTrue(batch.lease().token() > token);
        token = batch.lease().token();
        assertEquals(List.of(jobId), batch.tasks().stream().map(t -> t.task().jobId()).toList());
        succeed(batch);
        await(queue.jobs().cancel(jobId));
        second.leases().lease(SQUARE, "worker", 8, LEASE);
      }
    } finally {
      ended.set(true);
      dropping.get();
    }
  }

  @Test
  void aBucketThatIsUsedAndNotListedIsListedByTheNextSweep() throws InterruptedException {
    String jobId = newJob();
    append(jobId, 0, 1, SQUARE);
    await(redis.call(r -> r.del(keys.buckets())));
    assertEquals(List.of(), listed());
    try (RedisConnection own = RedisConnection.connect(uri(), settings.namespace());
        JobQueue next = new RunningQueue(own, withSweep(settings, Duration.ofMillis(100)))) {
      awaitTrue("listed", () -> listed().contains(SQUARE));
      // Also by one that has listed it itself.
      await(redis.call(r -> r.del(keys.buckets())));
      awaitTrue("listed again", () -> listed().contains(SQUARE));
    }
  }
}
