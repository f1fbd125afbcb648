package io.bitloom.training.data.demo;

/** Where a single thing is; half way up in every place. */
public enum Place {
  LEFT(-1),
  MIDDLE(0),
  RIGHT(1);

  private final int x;

  Place(int x) {
    this.x = x;
  }

  /** -1 for left, 0 for the middle, 1 for right. */
  int x() {
    return x;
  }
}
