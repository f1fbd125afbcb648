package io.bitloom.coordinator.queue;

/**
 * The prompts that can share a batch: those of one model and one scale schedule. They may be kept
 * in several shards, each of which is a queue of its own.
 *
 * @param model name of the model
 * @param schedule id of the scale schedule, {@code 0.666_0.25M}
 * @param shard which of the shards this is
 */
public record Bucket(String model, String schedule, Shard shard) {

  /** Matching looks up buckets all the time, and what a record has by itself is much slower. */
  @Override
  public int hashCode() {
    return 31 * (31 * model.hashCode() + schedule.hashCode()) + shard.hashCode();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Bucket that
        && schedule.equals(that.schedule)
        && model.equals(that.model)
        && shard.equals(that.shard);
  }

  /**
   * One of several equal shares.
   *
   * @param number from 0 on
   * @param of how many there are
   */
  public record Shard(int number, int of) {

    public static final int MOST = 64;

    /** All, in one. */
    public static final Shard ALL = new Shard(0, 1);

    /**
     * @throws IllegalArgumentException if there is no such shard
     */
    public Shard {
      if (of < 1 || of > MOST || number < 0 || number >= of) {
        throw new IllegalArgumentException("no shard " + number + " of " + of);
      }
    }

    @Override
    public int hashCode() {
      return MOST * of + number;
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Shard that && number == that.number && of == that.of;
    }
  }

  /** A bucket that is kept as a whole, or all shards of one. */
  public Bucket(String model, String schedule) {
    this(model, schedule, Shard.ALL);
  }

  /** All shards of this bucket. */
  public Bucket whole() {
    return shard.equals(Shard.ALL) ? this : new Bucket(model, schedule);
  }

  /** A shard of this bucket. */
  public Bucket in(Shard other) {
    return new Bucket(model, schedule, other);
  }
}
