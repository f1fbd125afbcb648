package io.bitloom.training.data.demo;

/** How large a single thing is, in every format. */
public enum ThingSize {
  SMALL(96),
  MEDIUM(128),
  LARGE(160);

  private final int side;

  ThingSize(int side) {
    this.side = side;
  }

  /** The side of the square that the thing's drawing fills, in pixels. */
  int side() {
    return side;
  }
}
