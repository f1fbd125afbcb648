package io.bitloom.loadtests.autoscale;

import java.util.Arrays;

/**
 * The cheapest schedule of nodes for a day that is known in advance, by dynamic programming over
 * minutes, work that waits and nodes. It is exact for whole nodes that start and stop at whole
 * minutes and for work in whole GPU-minutes, and what is left out of that favours the schedule:
 * work is there from the beginning of the minute in which it comes, and due at the end of the
 * minute in which its time is over; nodes are started so early that they draw when they are needed,
 * so that a start costs money and no time; nobody has to notice anything. Therefore no autoscaler
 * that meets the target is cheaper, but for parts of a minute.
 *
 * <p>At most a quarter more nodes are considered than draw what comes in the busiest time of the
 * target's length; with twice as many the costs of 100 days were the same.
 */
final class CheapestSchedule {

  private static final int MINUTE = 60;
  private static final double MINUTES_PER_HOUR = 60;

  private final int[] arrivals;
  private final int target;
  private final double start;
  private final int most;

  private CheapestSchedule(int[] arrivals, int target, double start, int most) {
    this.arrivals = arrivals;
    this.target = target;
    this.start = start;
    this.most = most;
  }

  /**
   * GPU-hours of it.
   *
   * @param targetMinutes from the arrival of work until it is drawn
   * @param startSeconds for which a node is paid before it draws
   */
  static double gpuHours(Day day, int targetMinutes, double startSeconds) {
    int[] arrivals = new int[24 * 60 + targetMinutes + 1];
    double all = 0;
    int counted = 0;
    for (int minute = 0; minute < 24 * 60; minute++) {
      for (int step = 0; step < MINUTE / Day.STEP_SECONDS; step++) {
        all += day.work()[minute * (MINUTE / Day.STEP_SECONDS) + step];
      }
      int whole = (int) (all / MINUTE);
      arrivals[minute] = whole - counted;
      counted = whole;
    }
    int largest = 0;
    for (int minute = 0; minute < arrivals.length; minute++) {
      largest = Math.max(largest, sum(arrivals, minute - targetMinutes + 1, minute));
    }
    int most = 2 + 5 * largest / (4 * targetMinutes);
    return new CheapestSchedule(arrivals, targetMinutes, startSeconds / MINUTE, most).solve()
        / MINUTES_PER_HOUR;
  }

  private static int sum(int[] arrivals, int from, int to) {
    int sum = 0;
    for (int minute = Math.max(0, from); minute <= to; minute++) {
      sum += arrivals[minute];
    }
    return sum;
  }

  /** Node-minutes; costs[waiting][nodes] is the least of all ways to come to that. */
  private double solve() {
    float[][] costs = {unreachable()};
    costs[0][0] = 0;
    for (int minute = 0; minute < arrivals.length; minute++) {
      int mayWait = sum(arrivals, minute - target + 1, minute);
      float[][] next = new float[mayWait + 1][];
      for (int waiting = 0; waiting < costs.length; waiting++) {
        if (costs[waiting] != null) {
          spread(costs[waiting], waiting + arrivals[minute], next);
        }
      }
      costs = next;
    }
    float least = Float.POSITIVE_INFINITY;
    for (float cost : costs[0]) {
      least = Math.min(least, cost);
    }
    return least;
  }

  /** From some nodes to any number of nodes, which then draw for a minute. */
  private void spread(float[] costs, int work, float[][] next) {
    float[] changed = costs.clone();
    for (int nodes = 1; nodes <= most; nodes++) {
      changed[nodes] = Math.min(changed[nodes], changed[nodes - 1] + (float) start);
    }
    for (int nodes = most - 1; nodes >= 0; nodes--) {
      changed[nodes] = Math.min(changed[nodes], changed[nodes + 1]);
    }
    for (int nodes = 0; nodes <= most; nodes++) {
      int left = Math.max(0, work - nodes);
      if (left < next.length && changed[nodes] < Float.POSITIVE_INFINITY) {
        if (next[left] == null) {
          next[left] = unreachable();
        }
        next[left][nodes] = Math.min(next[left][nodes], changed[nodes] + nodes);
      }
    }
  }

  private float[] unreachable() {
    float[] costs = new float[most + 1];
    Arrays.fill(costs, Float.POSITIVE_INFINITY);
    return costs;
  }
}
