package io.bitloom.coordinator.pools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.bitloom.coordinator.pools.PoolPolicy.Demand;
import io.bitloom.coordinator.pools.PoolPolicy.State;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class PoolPolicyTest {

  private static final Demand NONE = new Demand(0, 0, false);

  /** A worker draws 1000 GPU-seconds in the time that is left. */
  private final PoolPolicy policy =
      new PoolPolicy(
          Duration.ofSeconds(1300).plus(PoolPolicy.MARGIN),
          Duration.ofSeconds(300),
          Duration.ofSeconds(60),
          50);

  private State state = State.initial(0, NONE);

  private int at(int seconds, double work, int busy) {
    state = policy.next(state, seconds * 1000L, new Demand(work, busy, false));
    return state.held();
  }

  @Test
  void noWorkerIsWantedForNothingAndOneForAnything() {
    assertEquals(0, at(0, 0, 0));
    assertEquals(1, at(1, 0.1, 0));
    assertEquals(1, at(2, 1000, 0));
    assertEquals(2, at(3, 1001, 0));
  }

  @Test
  void workThatNobodyHasMeasuredWantsOneWorker() {
    assertEquals(1, policy.next(state, 0, new Demand(0, 0, true)).held());
  }

  @Test
  void whatIsWantedIsDoneInTimeAfterTheStartWhateverTheBacklogShrinksTo() {
    assertEquals(20, at(0, 20_000, 0));
    assertEquals(20, at(300, 20_000, 0));
    assertEquals(20, at(800, 10_000, 20));
    assertEquals(20, at(1200, 1_300, 20));
    assertEquals(20, at(1290, 200, 20));
  }

  @Test
  void workersWithoutWorkGoAfterAWhileAndNotBefore() {
    assertEquals(20, at(0, 20_000, 0));
    assertEquals(20, at(1300, 10, 20));
    assertEquals(20, at(1315, 0, 0));
    assertEquals(20, at(1359, 0, 0));
    assertEquals(0, at(1360, 0, 0));
  }

  @Test
  void workThatComesAgainMeanwhileKeepsThem() {
    assertEquals(20, at(0, 20_000, 0));
    assertEquals(20, at(1299, 20, 20));
    assertEquals(20, at(1330, 0, 0));
    assertEquals(20, at(1340, 15_000, 20));
    assertEquals(20, at(1390, 0, 0));
  }

  @Test
  void asManyStayAsWereAtWorkOfLate() {
    assertEquals(20, at(0, 20_000, 0));
    assertEquals(20, at(1300, 20, 20));
    assertEquals(20, at(1310, 10, 3));
    assertEquals(20, at(1330, 10, 7));
    assertEquals(20, at(1350, 10, 2));
    assertEquals(7, at(1360, 10, 5));
  }

  @Test
  void aStepIsLargeEnoughForKubernetesToTakeIt() {
    assertEquals(20, at(0, 20_000, 0));
    assertEquals(23, at(10, 20_001, 0));
    assertEquals(23, at(20, 22_500, 0));
    assertEquals(26, at(30, 23_001, 0));
  }

  @Test
  void moreThanTheMostIsNotWanted() {
    assertEquals(50, at(0, 1e9, 0));
    assertEquals(50, at(10, 2e9, 50));
  }

  @Test
  void aLowerMostIsKeptAtOnce() {
    assertEquals(50, at(0, 1e9, 0));
    PoolPolicy smaller =
        new PoolPolicy(Duration.ofMinutes(30), Duration.ofMinutes(5), Duration.ofMinutes(1), 10);
    assertEquals(10, smaller.next(state, 1000, new Demand(1e9, 50, false)).held());
  }

  @Test
  void aPoolThatNobodyHasLookedAtKeepsWhoWorks() {
    Demand little = new Demand(30, 12, false);
    assertEquals(12, policy.next(State.initial(0, little), 0, little).held());
  }

  @Test
  void timeMustBeLeftToDraw() {
    assertThrows(
        IllegalArgumentException.class,
        () ->
            new PoolPolicy(
                Duration.ofSeconds(390), Duration.ofSeconds(300), Duration.ofSeconds(60), 1));
  }
}
