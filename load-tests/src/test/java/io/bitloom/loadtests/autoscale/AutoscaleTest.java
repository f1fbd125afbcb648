package io.bitloom.loadtests.autoscale;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The coordinator's policy in simulated time. */
class AutoscaleTest {

  private static final Duration HALF_AN_HOUR = Duration.ofMinutes(30);
  private static final int SEEDS = 1;
  private static final double START = Nodes.meanStartSeconds();

  private static DayRun.Outcome play(Day day, Contender contender) {
    return DayRun.play(day, contender, HALF_AN_HOUR, 30, 1);
  }

  @ParameterizedTest
  @EnumSource(Day.Pattern.class)
  void theDefaultsAreInTimeAndCostNotMuchMoreThanTheCheapestSchedule(Day.Pattern pattern) {
    for (long seed = 1; seed <= SEEDS; seed++) {
      Day day = pattern.day(seed);
      DayRun.Outcome outcome = play(day, Contender.DEFAULTS);
      double cheapest = CheapestSchedule.gpuHours(day, 30, START);
      assertEquals(1, outcome.inTime(), pattern + " " + seed + ": " + outcome);
      assertTrue(
          outcome.gpuHours() <= 1.15 * cheapest,
          pattern + " " + seed + ": " + outcome + ", the cheapest " + cheapest);
      assertEquals(outcome.starts(), outcome.stops());
    }
  }

  @Test
  void dividingTheBacklogByTheTargetIsNotInTime() {
    assertTrue(play(Day.Pattern.MILLION.day(1), Contender.PROPORTIONAL).inTime() < 0.9);
  }

  private static Day day(double... workOfMinutes) {
    double[] work = new double[Day.STEPS];
    for (int minute = 0; minute < workOfMinutes.length; minute++) {
      work[minute * 60 / Day.STEP_SECONDS] = workOfMinutes[minute];
    }
    return new Day("made", work);
  }

  @Test
  void theCheapestScheduleOfOneJobIsTheFewestNodesForTheWholeTime() {
    // The minute in which it comes and 30 more: 62 GPU-minutes are two nodes' work, with two
    // starts.
    assertEquals((62 + 2 * 4) / 60.0, CheapestSchedule.gpuHours(day(62 * 60), 30, 240), 1e-4);
    assertEquals((63 + 3 * 4) / 60.0, CheapestSchedule.gpuHours(day(63 * 60), 30, 240), 1e-4);
  }

  @Test
  void theCheapestScheduleGathersWorkThatComesInLittleByLittle() {
    double[] trickle = new double[30];
    Arrays.fill(trickle, 30);
    // Half a node's work for 30 minutes: one node, begun late, draws all of it without a pause.
    assertEquals((15 + 4) / 60.0, CheapestSchedule.gpuHours(day(trickle), 30, 240), 1e-4);
  }

  @Test
  void theCheapestScheduleKeepsANodeWhereAStartCostsMore() {
    double[] twice = new double[36];
    twice[0] = 60;
    twice[35] = 60;
    // The first is drawn as late as can be, four minutes before the second comes.
    assertEquals((1 + 4 + 1 + 10) / 60.0, CheapestSchedule.gpuHours(day(twice), 30, 600), 1e-4);
    assertEquals((1 + 1 + 2 * 2) / 60.0, CheapestSchedule.gpuHours(day(twice), 30, 120), 1e-4);
  }
}
