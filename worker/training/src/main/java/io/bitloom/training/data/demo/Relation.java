package io.bitloom.training.data.demo;

/** Where the first thing of a pair is, seen from the second. */
public enum Relation {
  LEFT_OF(-1, 0),
  RIGHT_OF(1, 0),
  ABOVE(0, -1),
  BELOW(0, 1);

  private final int x;
  private final int y;

  Relation(int x, int y) {
    this.x = x;
    this.y = y;
  }

  /** -1 if the first is left of the second, 1 if right, 0 if above or below. */
  int x() {
    return x;
  }

  /** -1 if the first is above the second, 1 if below, 0 if left or right. */
  int y() {
    return y;
  }

  /** The same seen from the first: right of for left of, below for above. */
  Relation inverse() {
    return switch (this) {
      case LEFT_OF -> RIGHT_OF;
      case RIGHT_OF -> LEFT_OF;
      case ABOVE -> BELOW;
      case BELOW -> ABOVE;
    };
  }

  /**
   * Whether it holds for centres that lie so far apart: first less second, in pixels. The larger of
   * the two distances decides.
   */
  public boolean holds(double dx, double dy) {
    return x == 0
        ? Math.abs(dy) >= Math.abs(dx) && dy * y > 0
        : Math.abs(dx) >= Math.abs(dy) && dx * x > 0;
  }
}
