package io.bitloom.coordinator.dispatch.matching;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.secret.Secret;
import io.bitloom.coordinator.models.WorkerProfile;
import io.bitloom.coordinator.queue.Bucket;
import io.bitloom.v1.Hello;
import io.bitloom.v1.ScheduleCapacity;
import io.bitloom.v1.WorkerModel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class BatchFormerTest {

  private static final Bucket SQUARE = new Bucket("m", "1.0_0.25M");
  private static final Bucket WIDE = new Bucket("m", "0.5_0.25M");
  private static final Bucket SMALL = new Bucket("m", "1.0_0.06M");
  private static final Bucket FOREIGN = new Bucket("other", "1.0_0.25M");

  private static final long START = 1_000_000_000_000L;
  private static final long DELAY = Duration.ofMillis(50).toNanos();
  private static final long AGEING = Duration.ofMinutes(1).toNanos();

  private final Set<Bucket> arriving = new HashSet<>();
  private final Set<Bucket> closed = new HashSet<>();
  private final BatchFormer former =
      new BatchFormer(
          Duration.ofNanos(DELAY),
          Duration.ofNanos(AGEING),
          arriving::contains,
          bucket -> !closed.contains(bucket));

  private static WorkerProfile worker(String... warmSchedules) {
    WorkerModel.Builder model =
        WorkerModel.newBuilder().setName("m").addSizes("0.25M").addSizes("0.06M");
    for (String schedule : List.of("1.0_0.25M", "0.5_0.25M")) {
      model.addCapacities(
          ScheduleCapacity.newBuilder()
              .setSchedule(schedule)
              .setMaxImages(8)
              .setWarm(List.of(warmSchedules).contains(schedule)));
    }
    return new WorkerProfile(
        Hello.newBuilder()
            .setWorkerId("w")
            .addModels(model)
            .setInstanceSecret(Secret.draw().text())
            .build());
  }

  private static BatchFormer.Draw draw(Bucket bucket, int maxImages) {
    return new BatchFormer.Draw(bucket, maxImages);
  }

  private static BatchFormer.Wait nothing() {
    return new BatchFormer.Wait(Map.of(), Set.of());
  }

  private static BatchFormer.Wait waitUntil(Bucket bucket, long nanos) {
    return new BatchFormer.Wait(Map.of(bucket, nanos), Set.of());
  }

  private static BatchFormer.Wait waitToOpen(Bucket... buckets) {
    return new BatchFormer.Wait(Map.of(), Set.of(buckets));
  }

  private BatchFormer.Decision idleDecision(long now, Bucket... ready) {
    return former.decide(worker(), true, List.of(ready), now);
  }

  /** Serves full batches and returns the buckets in the order of service. */
  private List<Bucket> serve(WorkerProfile worker, int batches, Bucket... ready) {
    List<Bucket> served = new ArrayList<>();
    for (int i = 0; i < batches; i++) {
      BatchFormer.Draw draw =
          (BatchFormer.Draw) former.decide(worker, true, List.of(ready), START + i);
      former.drawn(draw.bucket(), draw.maxImages(), draw.maxImages(), START + i);
      served.add(draw.bucket());
    }
    return served;
  }

  @Test
  void aWorkerGetsNothingThatItCannotDraw() {
    assertEquals(nothing(), idleDecision(START, FOREIGN));
    assertEquals(draw(SQUARE, 8), idleDecision(START, FOREIGN, SQUARE));
  }

  @Test
  void aScheduleOfAnAnnouncedSizeThatIsNotListedCountsAsOneImage() {
    assertEquals(draw(SMALL, 1), idleDecision(START, SMALL));
  }

  @Test
  void anIdleWorkerGetsAPartialBatchAtOnce() {
    former.ready(SQUARE, START);
    assertEquals(draw(SQUARE, 8), idleDecision(START, SQUARE));
  }

  @Test
  void aPartialBatchWaitsForWhatIsAboutToArriveButNotLonger() {
    former.ready(SQUARE, START);
    arriving.add(SQUARE);
    assertEquals(waitUntil(SQUARE, START + DELAY), idleDecision(START + 1, SQUARE));
    assertEquals(draw(SQUARE, 8), idleDecision(START + DELAY, SQUARE));
  }

  @Test
  void aBusyWorkerLeavesAPartialBatchTimeToFill() {
    former.ready(SQUARE, START);
    assertEquals(
        waitUntil(SQUARE, START + DELAY), former.decide(worker(), false, List.of(SQUARE), START));
  }

  @Test
  void aBatchOfOneImageWaitsForNothing() {
    former.ready(SMALL, START);
    arriving.add(SMALL);
    assertEquals(draw(SMALL, 1), former.decide(worker(), false, List.of(SMALL), START));
  }

  @Test
  void afterAFullBatchTheNextOneDoesNotWait() {
    former.ready(SQUARE, START);
    former.drawn(SQUARE, 8, 8, START);
    assertEquals(draw(SQUARE, 8), former.decide(worker(), false, List.of(SQUARE), START + 1));
  }

  @Test
  void aBucketThatWaitsDoesNotHoldUpOneThatNeedNot() {
    former.ready(SQUARE, START);
    former.ready(WIDE, START + 1);
    arriving.add(SQUARE);
    assertEquals(draw(WIDE, 8), idleDecision(START + 2, SQUARE, WIDE));
  }

  @Test
  void aBucketThatMayNotBeAskedIsPassedOverForItsEqualsOnly() {
    former.rank(SQUARE, 5, 1, START);
    former.rank(WIDE, 5, 1, START);
    former.rank(SMALL, 4, 1, START);
    closed.add(SQUARE);
    assertEquals(draw(WIDE, 8), idleDecision(START, SMALL, SQUARE, WIDE));
    closed.add(WIDE);
    assertEquals(waitToOpen(SQUARE, WIDE), idleDecision(START, SMALL, SQUARE, WIDE));
    assertEquals(draw(SMALL, 1), idleDecision(START, SMALL));
  }

  @Test
  void aBucketThatWasPassedOverIsMadeGood() {
    former.ready(SQUARE, START);
    former.ready(WIDE, START);
    closed.add(SQUARE);
    assertEquals(List.of(WIDE, WIDE, WIDE), serve(worker(), 3, SQUARE, WIDE));
    closed.clear();
    assertEquals(List.of(SQUARE, SQUARE, SQUARE), serve(worker(), 3, SQUARE, WIDE));
  }

  @Test
  void bucketsShareWorkersByWorkAndNotByBatches() {
    List<Bucket> served = serve(worker(), 100, SQUARE, SMALL);
    long squares = served.stream().filter(SQUARE::equals).count();
    // 8 images of 2521 tokens against 1 image of 521.
    assertTrue(squares >= 2 && squares <= 4, squares + " of 100");
  }

  @Test
  void aBucketThatComesLaterHasNothingToCatchUp() {
    serve(worker(), 50, SQUARE);
    former.ready(WIDE, START + 50);
    List<Bucket> served = serve(worker(), 20, SQUARE, WIDE);
    long wide = served.stream().filter(WIDE::equals).count();
    assertTrue(wide >= 9 && wide <= 11, wide + " of 20");
  }

  @Test
  void aWarmScheduleGoesFirstButDoesNotStarveTheOthers() {
    List<Bucket> served = serve(worker("1.0_0.25M"), 20, WIDE, SQUARE);
    assertEquals(List.of(SQUARE, SQUARE, SQUARE, SQUARE), served.subList(0, 4));
    assertTrue(served.contains(WIDE));
  }

  @Test
  void priorityBeatsWarmthAndFairness() {
    former.rank(SQUARE, 5, 1, START);
    former.rank(WIDE, 9, 1, START);
    assertEquals(List.of(WIDE, WIDE, WIDE), serve(worker("1.0_0.25M"), 3, SQUARE, WIDE));
  }

  @Test
  void withTimeALowPriorityIsServedToo() {
    former.rank(SQUARE, 4, 1, START);
    former.rank(WIDE, 5, 1, START);
    assertEquals(List.of(WIDE), serve(worker(), 1, SQUARE, WIDE));
    long later = START + 2 * AGEING;
    former.drawn(WIDE, 8, 8, later);
    assertEquals(draw(SQUARE, 8), idleDecision(later, SQUARE, WIDE));
  }

  @Test
  void prioritiesMustBeKnownBeforeBucketsAreCompared() {
    former.ready(SQUARE, START);
    assertTrue(former.ranked(List.of(SQUARE), START));
    former.ready(WIDE, START);
    former.rank(SQUARE, 5, 1, START);
    assertFalse(former.ranked(List.of(SQUARE, WIDE), START));
    former.rank(WIDE, 5, 1, START);
    assertTrue(former.ranked(List.of(SQUARE, WIDE), START));
    former.empty(WIDE, START);
    former.ready(WIDE, START);
    assertFalse(former.ranked(List.of(SQUARE, WIDE), START));
  }

  @Test
  void bucketsAreServedByTheWeightOfWhatWaitsInThem() {
    former.ready(SQUARE, START);
    former.ready(WIDE, START);
    former.rank(SQUARE, 5, 1, START);
    former.rank(WIDE, 5, 3, START);
    List<Bucket> served = serve(worker(), 400, SQUARE, WIDE);
    assertEquals(300, served.stream().filter(WIDE::equals).count(), 12);
  }
}
