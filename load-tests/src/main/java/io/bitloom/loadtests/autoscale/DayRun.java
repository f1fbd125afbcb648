package io.bitloom.loadtests.autoscale;

import io.bitloom.coordinator.pools.PoolPolicy.Demand;
import io.bitloom.coordinator.pools.PoolTarget;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;

/**
 * Plays a day. Work is a fluid that is drawn in the order in which it came; a worker that has
 * started draws one GPU-second of it in a second.
 */
final class DayRun {

  private static final int HPA_SECONDS = 15;
  private static final int SECONDS_PER_HOUR = 3600;

  /** For work of the evening to be drawn and all nodes to go. */
  private static final int AFTER_STEPS = 6 * SECONDS_PER_HOUR / Day.STEP_SECONDS;

  /**
   * What came of it.
   *
   * @param gpuHours that were paid for
   * @param drawnHours of these, in which was drawn
   * @param p50 seconds from arrival until half of the work was drawn; {@code p99}, {@code most}
   *     likewise
   * @param inTime share of the work that was drawn within the target
   */
  record Outcome(
      double gpuHours,
      double drawnHours,
      double p50,
      double p99,
      double most,
      double inTime,
      long starts,
      long stops) {}

  /** Work of one step that is not all drawn. */
  private static final class Parcel {
    private final int arrived;
    private double left;

    Parcel(int arrived, double left) {
      this.arrived = arrived;
      this.left = left;
    }
  }

  private record Drawn(double work, double delay) {}

  private final Day day;
  private final PodAutoscaler autoscaler;
  private final Scaler scaler;
  private final int pollingSeconds;
  private final Nodes nodes;
  private final Deque<Parcel> waiting = new ArrayDeque<>();
  private final List<Drawn> drawn = new ArrayList<>();
  private double backlog;

  private DayRun(Day day, Contender contender, Duration emptyIn, int pollingSeconds, long seed) {
    this.day = day;
    this.autoscaler = new PodAutoscaler(contender.autoscaler(), PoolTarget.MOST);
    this.scaler = contender.scaler().apply(emptyIn);
    this.pollingSeconds = pollingSeconds;
    this.nodes = new Nodes(seed);
  }

  /**
   * Plays a day.
   *
   * @param emptyIn in which work is to be drawn
   * @param pollingSeconds of KEDA
   * @param seed of the times that nodes take to start
   */
  static Outcome play(
      Day day, Contender contender, Duration emptyIn, int pollingSeconds, long seed) {
    return new DayRun(day, contender, emptyIn, pollingSeconds, seed).play(emptyIn.toSeconds());
  }

  private Outcome play(double targetSeconds) {
    double nodeSeconds = 0;
    int busy = 0;
    for (int step = 0; step < Day.STEPS + AFTER_STEPS; step++) {
      int now = step * Day.STEP_SECONDS;
      boolean active = backlog > 0 || busy > 0;
      double arrived = step < Day.STEPS ? day.work()[step] : 0;
      if (arrived > 0) {
        waiting.add(new Parcel(now, arrived));
        backlog += arrived;
      }
      boolean woken = !active && arrived > 0; // KEDA is told at once by StreamIsActive
      look(now, woken, new Demand(backlog, busy, false));
      nodes.tick(now);
      busy = draw(now);
      nodeSeconds += nodes.count() * Day.STEP_SECONDS;
    }
    if (backlog > 0) {
      throw new IllegalStateException(backlog + " GPU-seconds are left of " + day.name());
    }
    return outcome(nodeSeconds, targetSeconds);
  }

  private void look(int now, boolean woken, Demand demand) {
    boolean keda = woken || now % pollingSeconds == 0;
    boolean hpa = now % HPA_SECONDS == 0;
    if (keda) {
      boolean active = demand.seconds() > 0 || demand.busy() > 0 || scaler.workers(now, demand) > 0;
      nodes.scale(now, autoscaler.activated(now, nodes.count(), active));
    }
    if (hpa && nodes.count() > 0) {
      double metric = scaler.workers(now, demand);
      nodes.scale(now, autoscaler.synced(now, nodes.count(), metric));
    }
  }

  /**
   * Draws for a step.
   *
   * @return how many workers had something to do at its end
   */
  private int draw(int now) {
    double able = nodes.ready() * (double) Day.STEP_SECONDS;
    double done = 0;
    while (done < able && !waiting.isEmpty()) {
      Parcel first = waiting.getFirst();
      double work = Math.min(able - done, first.left);
      first.left -= work;
      done += work;
      drawn.add(new Drawn(work, now + Day.STEP_SECONDS - first.arrived));
      if (first.left <= 1e-9) {
        waiting.removeFirst();
      }
    }
    backlog = waiting.isEmpty() ? 0 : backlog - done;
    return backlog > 0 ? nodes.ready() : (int) Math.ceil(done / Day.STEP_SECONDS);
  }

  private Outcome outcome(double nodeSeconds, double targetSeconds) {
    drawn.sort(Comparator.comparingDouble(Drawn::delay));
    double all = drawn.stream().mapToDouble(Drawn::work).sum();
    double inTime =
        drawn.stream().filter(d -> d.delay() <= targetSeconds).mapToDouble(Drawn::work).sum();
    return new Outcome(
        nodeSeconds / SECONDS_PER_HOUR,
        all / SECONDS_PER_HOUR,
        delay(all * 0.5),
        delay(all * 0.99),
        drawn.get(drawn.size() - 1).delay(),
        inTime / all,
        nodes.starts(),
        nodes.stops());
  }

  /** Within which so much of the work was drawn. */
  private double delay(double work) {
    double sum = 0;
    for (Drawn some : drawn) {
      sum += some.work();
      if (sum >= work) {
        return some.delay();
      }
    }
    return drawn.get(drawn.size() - 1).delay();
  }
}
