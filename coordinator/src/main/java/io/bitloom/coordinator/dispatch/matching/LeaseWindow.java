package io.bitloom.coordinator.dispatch.matching;

/**
 * How many leases of one bucket may be asked for at the same time.
 *
 * <p>A bucket says that it has prompts, not how many: without a limit every worker that waits would
 * ask for the one prompt that came. So a few may ask, and one more for every batch after which
 * prompts were left, which doubles their number from one round of replies to the next. When there
 * was nothing left it is a few again. Leases that find nothing are thereby never more than those
 * that found a batch, and a few for each time that a bucket gets prompts.
 */
final class LeaseWindow {

  /** Enough for the workers of a small cluster, and nothing to Redis. */
  static final int FEW = 4;

  private int limit = FEW;
  private int underWay;

  /** Whether another lease may be asked for. If not, one is under way, and its reply will come. */
  boolean open() {
    return underWay < limit;
  }

  /** A lease is asked for. */
  void asked() {
    underWay++;
  }

  /**
   * A lease was answered.
   *
   * @param left whether it got a batch and left prompts in the bucket
   */
  void answered(boolean left) {
    boolean heldUp = !open();
    underWay--;
    if (!left) {
      limit = FEW;
    } else if (heldUp) {
      limit++;
    }
  }
}
