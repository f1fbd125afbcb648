package io.bitloom.worker.train.data.demo;

/** Where a single thing is. */
public enum Place {
  LEFT(-1, 0),
  MIDDLE(0, 0),
  RIGHT(1, 0),
  TOP(0, -1),
  BOTTOM(0, 1);

  private final int x;
  private final int y;

  Place(int x, int y) {
    this.x = x;
    this.y = y;
  }

  /** -1 for left, 0 for the middle, 1 for right. */
  int x() {
    return x;
  }

  /** -1 for the top, 0 for the middle, 1 for the bottom. */
  int y() {
    return y;
  }
}
