package io.bitloom.worker.train.data;

import io.bitloom.common.schedule.ScaleSchedule;
import java.util.List;
import java.util.SplittableRandom;

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
  private long batch;
  private long sample;
  private SplittableRandom random;
  private ShuffleBuffer[] buffers;
  private int[] remaining;

  /**
   * A batch to be made.
   *
   * @param number of the batch in the run, from 0
   * @param firstSample number of its first sample in the run, from 0
   * @param schedule of all its samples
   * @param lines numbers of the samples within the schedule
   */
  public record Plan(long number, long firstSample, ScaleSchedule schedule, int[] lines) {}

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

  /** The next batch. */
  public Plan next() {
    int chosen = nextSchedule();
    ScaleSchedule schedule = schedules.get(chosen);
    int[] lines = buffers[chosen].next(pictures(schedule));
    Plan plan = new Plan(batch, sample, schedule, lines);
    batch++;
    sample += lines.length;
    return plan;
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
    buffers = new ShuffleBuffer[schedules.size()];
    remaining = new int[schedules.size()];
    for (int i = 0; i < buffers.length; i++) {
      ScaleSchedule schedule = schedules.get(i);
      buffers[i] = new ShuffleBuffer(set.count(schedule), config.shuffleBuffer(), random.split());
      remaining[i] = batches(schedule);
    }
  }

  /** Pictures of a batch. */
  private int pictures(ScaleSchedule schedule) {
    return Math.max(1, config.batchTokens() / schedule.tokens());
  }

  private int batches(ScaleSchedule schedule) {
    int pictures = pictures(schedule);
    return (set.count(schedule) + pictures - 1) / pictures;
  }
}
