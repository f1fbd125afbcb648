package io.bitloom.worker.train.data.demo;

/** How large a single thing is. */
public enum ThingSize {
  SMALL(0.38),
  MEDIUM(0.55),
  LARGE(0.78);

  private final double share;

  ThingSize(double share) {
    this.share = share;
  }

  /** The thing's side as a share of the picture's shorter side. */
  double share() {
    return share;
  }
}
