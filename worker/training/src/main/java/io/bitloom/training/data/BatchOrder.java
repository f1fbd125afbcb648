package io.bitloom.training.data;

import io.bitloom.common.schedule.ScaleSchedule;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/**
 * Which samples make the n-th batch of a run. It follows from the seed alone, so that a resumed run
 * goes on with the samples that the interrupted one would have taken. A batch has one schedule and
 * as many pictures as fit its tokens; the schedules of an epoch come in random order, as often as
 * they have batches; samples pass a shuffle buffer in the order of the files.
 */
public final class BatchOrder {
  private final SampleSource set;
  private final List<ScaleSchedule> schedules;
  private final DataConfig config;
  private final long seed;

  private long epoch = -1;
  private SplittableRandom random;
  private int[] remaining; // batches of each schedule
  private int[][] buffers; // of each schedule, as the three that follow
  private int[] filled; // places of the buffer that still hold a number
  private int[] read; // numbers that have come into the buffer
  private SplittableRandom[] draws;

  private long number = -1;
  private long firstSample;
  private ScaleSchedule schedule;
  private int[] lines = {};

  /**
   * The order of a set.
   *
   * @param config tokens of a batch, and the size of the shuffle buffer
   * @param seed of the order
   * @throws IllegalArgumentException if the set is empty
   */
  public BatchOrder(SampleSource set, DataConfig config, long seed) {
    this.set = set;
    this.schedules = set.schedules();
    this.config = config;
    this.seed = seed;
    if (schedules.isEmpty()) {
      throw new IllegalArgumentException("there is no sample to train with");
    }
    startEpoch();
  }

  /** Batches of one epoch. */
  public long batchesPerEpoch() {
    return schedules.stream().mapToLong(this::batches).sum();
  }

  /** Goes to the next batch; before the first call there is none. */
  public void next() {
    firstSample += lines.length;
    number++;
    int chosen = nextSchedule();
    schedule = schedules.get(chosen);
    lines = draw(chosen, pictures(schedule));
  }

  /** Number of the batch in the run, from 0. */
  public long number() {
    return number;
  }

  /** Number of the batch's first sample in the run, from 0. */
  public long firstSample() {
    return firstSample;
  }

  /** Schedule of all samples of the batch. */
  public ScaleSchedule schedule() {
    return schedule;
  }

  /** The batch's samples, as numbers within the schedule. */
  public int[] lines() {
    return lines.clone();
  }

  /** Passes over batches that an earlier run has seen. */
  public void skip(long batches) {
    for (long i = 0; i < batches; i++) {
      next();
    }
  }

  /** A schedule, with the chance of its share in the batches that are left of the epoch. */
  private int nextSchedule() {
    int left = 0;
    for (int count : remaining) {
      left += count;
    }
    if (left == 0) {
      startEpoch();
      return nextSchedule();
    }
    int drawn = random.nextInt(left);
    int chosen = 0;
    while (drawn >= remaining[chosen]) {
      drawn -= remaining[chosen++];
    }
    remaining[chosen]--;
    return chosen;
  }

  private void startEpoch() {
    epoch++;
    random = new SplittableRandom(31 * seed + epoch);
    int count = schedules.size();
    remaining = schedules.stream().mapToInt(this::batches).toArray();
    buffers = new int[count][];
    filled = new int[count];
    read = new int[count];
    draws = new SplittableRandom[count];
    for (int i = 0; i < count; i++) {
      int size = Math.min(set.count(schedules.get(i)), config.shuffleBuffer());
      buffers[i] = IntStream.range(0, size).toArray();
      filled[i] = size;
      read[i] = size;
      draws[i] = random.split();
    }
  }

  /**
   * The next numbers of a schedule's samples; fewer at the end. Each is drawn from the buffer and
   * replaced by the next in line, so that none is looked at much before its turn.
   */
  private int[] draw(int chosen, int wanted) {
    int count = set.count(schedules.get(chosen));
    int[] buffer = buffers[chosen];
    int[] drawn = new int[Math.min(wanted, filled[chosen] + count - read[chosen])];
    for (int i = 0; i < drawn.length; i++) {
      int at = draws[chosen].nextInt(filled[chosen]);
      drawn[i] = buffer[at];
      buffer[at] = read[chosen] < count ? read[chosen]++ : buffer[--filled[chosen]];
    }
    return drawn;
  }

  /** Pictures of a batch. */
  private int pictures(ScaleSchedule of) {
    return Math.max(1, config.batchTokens() / of.tokens());
  }

  private int batches(ScaleSchedule of) {
    int pictures = pictures(of);
    return (set.count(of) + pictures - 1) / pictures;
  }
}
