package io.bitloom.coordinator.dispatch.matching;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.common.schedule.ScaleSchedules;
import io.bitloom.common.schedule.SizeClass;
import io.bitloom.common.secret.Secret;
import io.bitloom.coordinator.TestCoordinator;
import io.bitloom.coordinator.dispatch.DispatchLoop;
import io.bitloom.coordinator.models.WorkerProfile;
import io.bitloom.coordinator.queue.Bucket;
import io.bitloom.coordinator.queue.LeasedBatch;
import io.bitloom.coordinator.telemetry.DispatchMetrics;
import io.bitloom.coordinator.telemetry.LoopMetrics;
import io.bitloom.v1.Hello;
import io.bitloom.v1.ScheduleCapacity;
import io.bitloom.v1.WorkerModel;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** How much matching asks of the queue and of workers where there are a thousand of them. */
class MatcherTest {

  private static final int MANY = 1000;
  private static final int BATCH = 8;
  private static final int HANDFUL = 8;
  private static final String MODEL = "m";
  private static final Bucket SQUARE = new Bucket(MODEL, "1.0_0.25M");
  private static final Bucket WIDE = new Bucket(MODEL, "0.5_0.25M");
  private static final Bucket FOREIGN = new Bucket("other", "1.0_0.25M");
  private static final Duration LONG = Duration.ofHours(1);

  private final QueueInMemory queue = new QueueInMemory();
  private final DispatchLoop loop = new DispatchLoop(new LoopMetrics(new SimpleMeterRegistry()));
  private final Arrivals arrivals = new Arrivals();
  private final List<Taker> takers = new ArrayList<>();
  private Matcher matcher;

  /** A worker of which all is counted that is asked. */
  private final class Taker implements BatchTaker {

    private final WorkerProfile profile;
    private final List<LeasedBatch> got = new CopyOnWriteArrayList<>();
    private int wanted = 1;
    private int held;
    private int asked;

    Taker(String id, String model) {
      profile = new WorkerProfile(hello(id, model));
    }

    @Override
    public WorkerProfile profile() {
      asked++;
      return profile;
    }

    @Override
    public boolean wantsBatch() {
      asked++;
      return wanted > 0;
    }

    @Override
    public int batches() {
      asked++;
      return held;
    }

    @Override
    public boolean take(LeasedBatch batch) {
      if (wanted == 0) {
        return false;
      }
      wanted--;
      held++;
      got.add(batch);
      return true;
    }

    @Override
    public void fail(Throwable fault) {
      throw new AssertionError(fault);
    }
  }

  private static Hello hello(String id, String model) {
    WorkerModel.Builder described = WorkerModel.newBuilder().setName(model).addSizes("0.25M");
    for (ScaleSchedule schedule : ScaleSchedules.of(SizeClass.PIXELS_0_25M)) {
      described.addCapacities(
          ScheduleCapacity.newBuilder().setSchedule(schedule.id()).setMaxImages(BATCH));
    }
    return Hello.newBuilder()
        .setWorkerId(id)
        .setInstanceSecret(Secret.draw().text())
        .addModels(described)
        .build();
  }

  @AfterEach
  void end() {
    loop.close();
  }

  private void start(Duration maxBatchDelay) {
    matcher =
        new Matcher(
            loop,
            queue,
            LONG,
            maxBatchDelay,
            arrivals,
            new Speeds(null),
            new DispatchMetrics(new SimpleMeterRegistry()));
  }

  /** Takers that want a batch each. */
  private List<Taker> join(int count, String model) throws Exception {
    List<Taker> joined =
        IntStream.range(0, count)
            .mapToObj(i -> new Taker(model + "-" + takers.size() + "-" + i, model))
            .toList();
    takers.addAll(joined);
    inLoop(() -> joined.forEach(matcher::add));
    return joined;
  }

  private void inLoop(Runnable task) throws Exception {
    loop.ask(
            () -> {
              task.run();
              return true;
            })
        .toCompletableFuture()
        .get(TestCoordinator.PATIENCE.toSeconds(), TimeUnit.SECONDS);
  }

  /** Answers leases until none is asked for; returns after how many times. */
  private int settle() throws Exception {
    int rounds = 0;
    consequences();
    while (queue.answer() > 0) {
      rounds++;
      consequences();
    }
    return rounds;
  }

  /** Lets the loop do what is to be done now, and what that causes. */
  private void consequences() throws Exception {
    for (int i = 0; i < 5; i++) {
      inLoop(() -> {});
    }
  }

  private void want(Taker taker) throws Exception {
    inLoop(
        () -> {
          taker.wanted++;
          changed(taker);
        });
  }

  private void changed(Taker taker) {
    matcher.changed(taker.profile);
  }

  private int asked() {
    return takers.stream().mapToInt(taker -> taker.asked).sum();
  }

  private static long served(List<Taker> of) {
    return of.stream().filter(taker -> !taker.got.isEmpty()).count();
  }

  @Test
  void aSinglePromptCostsAFewLeasesHoweverManyWait() throws Exception {
    start(Duration.ZERO);
    join(MANY, MODEL);
    for (int prompt = 1; prompt <= 3; prompt++) {
      queue.put(SQUARE, 1, 5);
      settle();
      assertEquals(prompt, served(takers));
      assertTrue(queue.asked().size() <= prompt * HANDFUL, queue.asked().size() + " leases");
    }
  }

  @Test
  void aDeepBucketServesAllWhoWaitInAFewRounds() throws Exception {
    start(Duration.ZERO);
    join(MANY, MODEL);
    queue.put(SQUARE, 2 * MANY * BATCH, 5);
    int rounds = settle();
    assertEquals(MANY, served(takers));
    assertEquals(MANY, queue.asked().size());
    assertTrue(rounds <= 10, rounds + " rounds");
  }

  @Test
  void manyDeepBucketsServeAllWhoWaitInAFewRounds() throws Exception {
    start(Duration.ZERO);
    join(MANY, MODEL);
    ScaleSchedules.of(SizeClass.PIXELS_0_25M)
        .forEach(schedule -> queue.put(new Bucket(MODEL, schedule.id()), MANY * BATCH, 5));
    int rounds = settle();
    assertEquals(MANY, served(takers));
    assertTrue(rounds <= 10, rounds + " rounds");
  }

  @Test
  void whatBecomesOfOneWorkerCostsNothingForTheOthers() throws Exception {
    start(Duration.ZERO);
    List<Taker> others = join(MANY, MODEL);
    Taker busy = join(1, FOREIGN.model()).get(0);
    queue.put(FOREIGN, 100 * BATCH, 5);
    settle();
    int before = others.stream().mapToInt(taker -> taker.asked).sum();
    for (int i = 0; i < 50; i++) {
      want(busy);
      settle();
    }
    assertEquals(51, busy.got.size());
    assertEquals(before, others.stream().mapToInt(taker -> taker.asked).sum());
  }

  @Test
  void theWorkOfAThousandLeasesGrowsWithTheirNumberAndNotWithItsSquare() throws Exception {
    start(Duration.ZERO);
    join(MANY, MODEL);
    int before = asked();
    queue.put(SQUARE, 2 * MANY * BATCH, 5);
    settle();
    assertEquals(MANY, served(takers));
    assertTrue(asked() - before <= 20 * MANY, asked() - before + " questions");
  }

  @Test
  void nobodyGetsALowPriorityWhileAHighOneIsAskedFor() throws Exception {
    start(Duration.ZERO);
    queue.put(SQUARE, 100 * BATCH, 9);
    queue.put(WIDE, 2 * MANY * BATCH, 5);
    join(MANY, MODEL);
    settle();
    assertEquals(MANY, served(takers));
    List<Bucket> drawn =
        takers.stream().flatMap(taker -> taker.got.stream()).map(b -> b.lease().bucket()).toList();
    assertEquals(100, Collections.frequency(drawn, SQUARE));
    assertEquals(MANY - 100, Collections.frequency(drawn, WIDE));
    assertTrue(queue.asked().indexOf(WIDE) >= 100, "after " + queue.asked().indexOf(WIDE));
  }

  @Test
  void whoHasNothingToDoGoesFirstThenWhoHasLeastThenWhoWaitsLongest() throws Exception {
    start(Duration.ZERO);
    List<Taker> all = join(6, MODEL);
    int[] held = {2, 1, 0, 1, 0, 2};
    inLoop(
        () -> {
          for (int i = 0; i < held.length; i++) {
            all.get(i).held = held[i];
            changed(all.get(i));
          }
        });
    queue.put(SQUARE, 6 * BATCH, 5);
    settle();
    assertEquals(
        Stream.of(2, 4, 1, 3, 0, 5).map(i -> all.get(i).profile.workerId()).toList(),
        queue.askedFor());
  }

  @Test
  void whoComesWhileABucketIsAskedForGetsItsBatchAfterTheReplies() throws Exception {
    start(Duration.ZERO);
    queue.put(SQUARE, MANY * BATCH, 5);
    join(LeaseWindow.FEW + 1, MODEL);
    consequences();
    assertEquals(LeaseWindow.FEW, queue.asked().size());
    settle();
    assertEquals(LeaseWindow.FEW + 1, served(takers));
  }

  @Test
  void whoWaitsForAHighPriorityGetsALowOneWhenNothingIsLeft() throws Exception {
    start(Duration.ZERO);
    queue.put(SQUARE, LeaseWindow.FEW * BATCH, 9);
    queue.put(WIDE, BATCH, 5);
    join(LeaseWindow.FEW + 1, MODEL);
    consequences();
    assertEquals(Collections.nCopies(LeaseWindow.FEW, SQUARE), queue.asked());
    settle();
    assertEquals(LeaseWindow.FEW + 1, served(takers));
    assertEquals(WIDE, queue.asked().get(LeaseWindow.FEW));
  }

  /** Prompts and wishes come while leases are under way, in any order. */
  @Test
  void nobodyWaitsForWhatIsThere() throws Exception {
    for (int seed = 0; seed < 20; seed++) {
      nobodyWaitsForWhatIsThere(new Random(seed));
    }
  }

  private void nobodyWaitsForWhatIsThere(Random random) throws Exception {
    start(Duration.ZERO);
    takers.clear();
    join(30, MODEL);
    join(10, FOREIGN.model());
    for (int step = 0; step < 100; step++) {
      Bucket bucket = List.of(SQUARE, WIDE, FOREIGN).get(random.nextInt(3));
      queue.put(bucket, 1 + random.nextInt(20 * BATCH), random.nextInt(3));
      for (int i = 0; i < random.nextInt(20); i++) {
        Taker taker = takers.get(random.nextInt(takers.size()));
        inLoop(() -> taker.held = random.nextInt(2));
        want(taker);
      }
      consequences();
      queue.answer(random.nextInt(5));
      if (random.nextInt(5) == 0) {
        settle();
        checkNobodyWaitsInVain();
      }
    }
  }

  private void checkNobodyWaitsInVain() {
    for (Bucket ready : queue.ready().buckets()) {
      assertEquals(
          List.of(),
          takers.stream()
              .filter(taker -> taker.wanted > 0 && taker.profile.capacity(ready) > 0)
              .map(taker -> taker.profile.workerId())
              .toList());
    }
  }

  @Test
  void afterAnErrorAllWhoWaitAreLookedAtAgain() throws Exception {
    start(Duration.ZERO);
    join(MANY, MODEL);
    queue.put(SQUARE, MANY * BATCH, 5);
    consequences();
    assertTrue(queue.fail() > 0);
    serveAll();
  }

  @Test
  void aPartialBatchIsLookedAtAgainWhenItsWaitEnds() throws Exception {
    start(Duration.ofMillis(20));
    join(MANY, MODEL);
    Arrivals.Call call = arrivals.begin();
    call.into(SQUARE);
    queue.put(SQUARE, MANY * BATCH, 5);
    serveAll();
  }

  @Test
  void aPartialBatchIsLookedAtAgainWhenNothingMoreIsAboutToCome() throws Exception {
    start(LONG);
    join(MANY, MODEL);
    Arrivals.Call call = arrivals.begin();
    call.into(SQUARE);
    queue.put(SQUARE, MANY * BATCH, 5);
    settle();
    assertEquals(0, served(takers));
    call.end();
    settle();
    assertEquals(MANY, served(takers));
  }

  @Test
  void whoIsBusyNeedNotWaitOnceABatchWasFull() throws Exception {
    start(LONG);
    List<Taker> busy = join(MANY, MODEL);
    inLoop(
        () ->
            busy.forEach(
                taker -> {
                  taker.held = 1;
                  changed(taker);
                }));
    queue.put(SQUARE, 2 * MANY * BATCH, 5);
    settle();
    assertEquals(0, served(takers));
    join(1, MODEL);
    settle();
    assertEquals(MANY + 1, served(takers));
  }

  @Test
  void whatWasLeasedForAWorkerThatLeftIsHandedBack() throws Exception {
    start(Duration.ZERO);
    List<Taker> all = join(MANY, MODEL);
    queue.put(SQUARE, MANY * BATCH, 5);
    Taker first = all.get(0);
    inLoop(
        () -> {
          first.wanted = 0;
          matcher.remove(first);
        });
    settle();
    assertEquals(BATCH, queue.released().size());
    assertEquals(MANY - 1, served(takers));
  }

  /** Answers leases until everybody has a batch. */
  private void serveAll() throws InterruptedException {
    TestCoordinator.awaitTrue(
        "everybody is served",
        () -> {
          queue.answer();
          return served(takers) == takers.size();
        });
  }
}
