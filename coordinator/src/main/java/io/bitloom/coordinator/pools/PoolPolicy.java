package io.bitloom.coordinator.pools;

import java.time.Duration;

/**
 * How many workers a pool should have, so that everything is drawn within {@code emptyIn} of its
 * arrival, as cheaply as can be without knowing the future. Pure: whoever asks brings the time and
 * keeps the state. All work is in GPU-seconds, which is what one worker draws in a second.
 *
 * <p>A worker that has work costs no more than the work, whenever it does that. What costs besides
 * are starts, for which a node is paid and draws nothing, and workers without work. So there are
 * three rules:
 *
 * <ul>
 *   <li>Up: as many workers as draw all that waits in the time that is left of {@code emptyIn} when
 *       they have started.
 *   <li>Hold: workers that have something to do stay. Fewer would draw the same work in more
 *       worker-seconds at best, and in time perhaps not.
 *   <li>Down: when the queue is all but empty, to those that were at work in the last {@code idle}.
 * </ul>
 *
 * A first worker is wanted as soon as there is anything to do.
 */
public final class PoolPolicy {

  /** For autoscaler and dispatcher to notice, and for the last batch to be drawn. */
  public static final Duration MARGIN = Duration.ofSeconds(90);

  /** A horizontal pod autoscaler does nothing about a deviation of up to so much. */
  private static final double TOLERANCE = 0.1;

  /** With less than so many seconds of work for each worker the queue is all but empty. */
  private static final double DRAINED_SECONDS = 60;

  private final double windowSeconds;
  private final long idleMillis;
  private final int most;

  /**
   * @param emptyIn from the arrival of a prompt until it is drawn
   * @param nodeStart from the moment at which a worker is wanted until it draws
   * @param idle for how long workers without work are kept
   * @param most workers that are wanted
   * @throws IllegalArgumentException if no time is left to draw
   */
  public PoolPolicy(Duration emptyIn, Duration nodeStart, Duration idle, int most) {
    this.windowSeconds = seconds(emptyIn.minus(nodeStart).minus(MARGIN));
    this.idleMillis = idle.toMillis();
    this.most = most;
    if (windowSeconds <= 0) {
      throw new IllegalArgumentException(
          "no time is left of " + emptyIn + " after " + nodeStart + " and " + MARGIN);
    }
  }

  private static double seconds(Duration duration) {
    return duration.toMillis() / 1000.0;
  }

  /**
   * What a pool has to do.
   *
   * @param seconds GPU-seconds of what waits and of what is leased and not done
   * @param busy workers that hold some of it; more than there are is as good as all
   * @param unmeasured whether there is work besides that nobody knows the time of
   */
  public record Demand(double seconds, int busy, boolean unmeasured) {

    boolean isNone() {
      return seconds <= 0 && busy == 0 && !unmeasured;
    }
  }

  /**
   * What is remembered from one look to the next.
   *
   * @param held workers that are wanted
   * @param allNeededMillis when all of them were last needed, or their number changed
   * @param neededSince most workers that were needed since
   */
  public record State(int held, long allNeededMillis, int neededSince) {

    /** Of a pool that nobody has looked at: who works goes on. */
    public static State initial(long nowMillis, Demand demand) {
      return new State(demand.busy(), nowMillis, 0);
    }
  }

  /** The state after a look; {@code held} is how many workers are wanted. */
  public State next(State before, long nowMillis, Demand demand) {
    int held = before.held();
    int needed = needed(held, demand);
    if (needed > held) {
      int step = (int) Math.floor(held * (1 + TOLERANCE)) + 1;
      return new State(Math.min(most, Math.max(needed, step)), nowMillis, 0);
    }
    if (needed == held) {
      return new State(held, nowMillis, 0);
    }
    int neededSince = Math.max(before.neededSince(), needed);
    if (held <= most && nowMillis - before.allNeededMillis() < idleMillis) {
      return new State(held, before.allNeededMillis(), neededSince);
    }
    boolean noticed = neededSince < held * (1 - TOLERANCE);
    return new State(Math.min(most, noticed ? neededSince : held), nowMillis, 0);
  }

  /** Workers that are needed now; as many as are held as long as they have enough to do. */
  private int needed(int held, Demand demand) {
    if (demand.isNone()) {
      return 0;
    }
    int inTime = Math.max(1, (int) Math.ceil(demand.seconds() / windowSeconds));
    if (inTime >= held) {
      return Math.min(inTime, most);
    }
    return Math.min(
        most,
        demand.seconds() >= held * DRAINED_SECONDS
            ? held
            : Math.max(inTime, Math.min(held, demand.busy())));
  }
}
