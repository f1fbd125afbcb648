package io.bitloom.training.data.demo;

import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.common.schedule.ScaleSchedules;
import io.bitloom.common.schedule.SizeClass;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.random.RandomGenerator;

/**
 * The demo data set as a function of an index: example n of a seed is the same on every machine,
 * whatever was asked for before. It has no end.
 */
public final class DemoDataset {
  /** The aspect ratios, height over width: 1:1, 4:3, 3:4, 3:2, 2:3 and 16:9. */
  private static final List<Double> RATIOS = List.of(1.0, 0.75, 1.333, 0.666, 1.5, 0.571);

  private static final double PAIRS = 0.45;

  private final long seed;
  private final boolean heldOut;
  private final boolean readingOrder;

  private DemoDataset(long seed, boolean heldOut, boolean readingOrder) {
    this.seed = seed;
    this.heldOut = heldOut;
    this.readingOrder = readingOrder;
  }

  /** The examples to train on: no composition that is held out. */
  public static DemoDataset training(long seed) {
    return new DemoDataset(seed, false, false);
  }

  /** The examples to measure on: only compositions that are held out. */
  public static DemoDataset heldOut(long seed) {
    return new DemoDataset(seed, true, false);
  }

  /** The same pictures, whose captions name the left or the upper thing of a pair first. */
  public DemoDataset inReadingOrder() {
    return new DemoDataset(seed, heldOut, true);
  }

  /** The schedules of a size, which the examples take in turn. */
  public static List<ScaleSchedule> schedules(SizeClass size) {
    return RATIOS.stream().map(ratio -> ScaleSchedules.nearest(ratio).schedule(size)).toList();
  }

  /** An example of the size 0.06M. */
  public DemoExample example(long index) {
    List<ScaleSchedule> schedules = schedules(SizeClass.PIXELS_0_06M);
    ScaleSchedule schedule = schedules.get(Math.floorMod(index, schedules.size()));
    RandomGenerator random = random(seed, index);
    Composition composition;
    do {
      composition = composition(schedule, random);
    } while (composition.heldOut() != heldOut);
    composition = readingOrder ? composition.inReadingOrder() : composition;
    String caption = Captions.caption(composition, random);
    return new DemoExample(index, composition, schedule, caption);
  }

  private static Composition composition(ScaleSchedule schedule, RandomGenerator random) {
    return random.nextDouble() < PAIRS ? pair(schedule, random) : single(schedule, random);
  }

  private static Composition single(ScaleSchedule schedule, RandomGenerator random) {
    Subject subject = subject(pick(Thing.values(), random), random);
    Backdrop backdrop = pick(Backdrop.values(), random);
    while (true) {
      ThingSize size = pick(ThingSize.values(), random);
      Place place = pick(Place.values(), random);
      if (Layout.allows(size, place, schedule)) {
        return new Composition.Single(subject, size, place, backdrop);
      }
    }
  }

  private static Composition pair(ScaleSchedule schedule, RandomGenerator random) {
    Relation[] relations =
        Arrays.stream(Relation.values())
            .filter(relation -> Layout.allows(relation, schedule))
            .toArray(Relation[]::new);
    Thing first = pick(Thing.values(), random);
    Thing second = first;
    while (second == first) {
      second = pick(Thing.values(), random);
    }
    return new Composition.Pair(
        subject(first, random),
        pick(relations, random),
        subject(second, random),
        pick(Backdrop.values(), random));
  }

  private static Subject subject(Thing thing, RandomGenerator random) {
    return pick(Subject.all(thing).toArray(Subject[]::new), random);
  }

  private static <T> T pick(T[] values, RandomGenerator random) {
    return values[random.nextInt(values.length)];
  }

  /** java.util.Random, whose numbers are specified, on seeds far apart (SplitMix64's finaliser). */
  private static RandomGenerator random(long seed, long index) {
    long mixed = seed * 0x9E3779B97F4A7C15L + index;
    mixed = (mixed ^ mixed >>> 30) * 0xBF58476D1CE4E5B9L;
    mixed = (mixed ^ mixed >>> 27) * 0x94D049BB133111EBL;
    return new Random(mixed ^ mixed >>> 31);
  }
}
