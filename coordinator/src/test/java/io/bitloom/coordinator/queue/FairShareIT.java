package io.bitloom.coordinator.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.coordinator.queue.upkeep.RunningQueue;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class FairShareIT extends QueueFixture {

  @Test
  void tenantsAreServedByTheirWeightsWhileOneFloods() {
    String flood = newJob("flood", 1, 9);
    for (int i = 0; i < 10; i++) {
      append(flood, i * 10_000L, 10_000, SQUARE);
    }
    String small = newJob("small", 2, 0);
    append(small, 0, 1_000, SQUARE);

    Map<String, Integer> served = serve(1_200, 16);
    assertShare(1.0 / 3, served.get(flood), 1_200);
    assertShare(2.0 / 3, served.get(small), 1_200);
  }

  @Test
  void aTenantThatWaitsInManyBucketsHasOnlyAPartOfItsWeightInEach() {
    append(newJob("flood", 2, 5), 0, 5_000, SQUARE);
    String small = newJob("small", 1, 5);
    append(small, 0, 1_000, SQUARE);

    int ofSmall = 0;
    for (int i = 0; i < 50; i++) {
      LeasedBatch batch =
          await(queue.leases().lease(SQUARE, "worker", 16, LEASE, Map.of("flood", 4, "other", 2)))
              .orElseThrow();
      ofSmall += (int) batch.tasks().stream().filter(t -> t.task().jobId().equals(small)).count();
    }
    assertShare(2.0 / 3, ofSmall, 800);
  }

  @Test
  void sharesAreOfImages() {
    String few = newJob("few", 1, 5);
    appendImages(few, 0, 500, 8);
    String many = newJob("many", 1, 5);
    appendImages(many, 0, 4_000, 1);

    int images = 0;
    int ofFew = 0;
    while (images < 2_000) {
      LeasedBatch batch = lease(SQUARE, 32);
      images += batch.images();
      ofFew +=
          batch.tasks().stream()
              .filter(task -> task.task().jobId().equals(few))
              .mapToInt(LeasedTask::images)
              .sum();
    }
    assertShare(0.5, ofFew, images);
  }

  @Test
  void aTenantThatWasIdleDoesNotCatchUp() {
    String early = newJob("early", 1, 5);
    append(early, 0, 3_000, SQUARE);
    serve(1_000, 50);
    String late = newJob("late", 1, 5);
    append(late, 0, 1_000, SQUARE);

    assertShare(0.5, serve(1_000, 50).get(late), 1_000);
  }

  @Test
  void anUrgentPromptGoesNextPastAHundredThousandOfItsOwnTenant() {
    String bulk = newJob("tenant", 1, 5);
    for (int i = 0; i < 10; i++) {
      append(bulk, i * 10_000L, 10_000, SQUARE);
    }
    lease(SQUARE, 16);
    String urgent = newJob("tenant", 1, 9);
    append(urgent, 0, 1, SQUARE);

    assertEquals(urgent, lease(SQUARE, 16).tasks().get(0).task().jobId());
  }

  @Test
  void anUrgentPromptOfAnotherTenantIsInTheNextBatch() {
    String bulk = newJob("flood", 5, 9);
    append(bulk, 0, 1_000, SQUARE);
    serve(160, 16);
    String urgent = newJob("other", 1, 0);
    append(urgent, 0, 1, SQUARE);

    assertTrue(serve(16, 16).containsKey(urgent));
  }

  @Test
  void jobsOfOneTenantAndPriorityTakeTurns() {
    String first = newJob();
    append(first, 0, 100, SQUARE);
    String second = newJob();
    append(second, 0, 100, SQUARE);

    Map<String, Integer> served = serve(80, 8);
    assertEquals(Map.of(first, 40, second, 40), served);
  }

  @Test
  void aHighPriorityIsServedFirst() {
    String low = newJob("tenant", 1, 4);
    append(low, 0, 10, SQUARE);
    String high = newJob("tenant", 1, 5);
    append(high, 0, 100, SQUARE);

    assertEquals(Map.of(high, 8), serve(8, 4));
  }

  @Test
  void aLowPriorityIsServedWhenItHasWaitedLongEnough() throws InterruptedException {
    try (JobQueue ageing = new RunningQueue(redis, withAgeing(Duration.ofMillis(300)))) {
      queue.close();
      queue = ageing;
      String low = newJob("tenant", 1, 4);
      append(low, 0, 1, SQUARE);
      String high = newJob("tenant", 1, 5);
      for (int i = 0; i < 10; i++) {
        append(high, i * 10_000L, 10_000, SQUARE);
      }

      awaitTrue("the low one has its turn", () -> serve(1, 1).containsKey(low));
      assertTrue(backlog(SQUARE).prompts() > 0, "although the high one waits too");
    }
  }

  private QueueSettings withAgeing(Duration ageing) {
    return new QueueSettings(
        settings.namespace(),
        settings.maxAttempts(),
        settings.isolateAfterFailures(),
        settings.backoff(),
        settings.maxBackoff(),
        ageing,
        settings.leaseDuration(),
        settings.reapGrace(),
        settings.sweepInterval());
  }

  @Test
  void hundredsOfTenantsAllGetTheirTurn() {
    List<String> jobIds = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      String jobId = newJob("tenant " + i, 1, 5);
      append(jobId, 0, 3, SQUARE);
      jobIds.add(jobId);
    }
    Map<String, Integer> served = serve(200, 16);
    jobIds.forEach(jobId -> assertEquals(1, served.get(jobId)));
    assertEquals(400, serve(400, 16).values().stream().mapToInt(Integer::intValue).sum());
  }

  /** Leases and commits prompts of one image; returns how many each job had. */
  private Map<String, Integer> serve(int images, int batchImages) {
    Map<String, Integer> served = new HashMap<>();
    for (int left = images; left > 0; ) {
      LeasedBatch batch = lease(SQUARE, Math.min(left, batchImages));
      batch.tasks().forEach(task -> served.merge(task.task().jobId(), 1, Integer::sum));
      left -= batch.images();
      succeed(batch);
    }
    return served;
  }

  private void appendImages(String jobId, long offset, int count, int images) {
    List<NewPrompt> prompts = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      prompts.add(new NewPrompt(SQUARE, images, bytes("p")));
    }
    await(queue.prompts().append(jobId, offset, prompts));
  }

  private static void assertShare(double expected, int served, int all) {
    double share = (double) served / all;
    assertEquals(expected, share, 0.1 * expected, "share");
  }
}
