package io.bitloom.worker.train.data.demo;

import io.bitloom.common.schedule.ScaleSchedule;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;

/**
 * Where the things of a composition lie in a picture. Sides and corners are multiples of 8 pixels,
 * half the tokenizer's stride, so that a thing falls on few different positions of the token grid.
 */
final class Layout {
  private static final int STEP = 8;
  private static final double PAIR_SHARE = 0.40;

  /** How far towards the edge things are moved, as a share of the way there. */
  private static final double SINGLE_REACH = 0.72;

  private static final double PAIR_REACH = 0.95;

  /** The greatest distance of a pair's things from the middle, in sides. */
  private static final double PAIR_DISTANCE = 0.85;

  /** The least distance of a place from the middle, as a share of the picture's side. */
  private static final double LEAST_OFFSET = 0.15;

  private Layout() {}

  /**
   * The square that a thing's drawing fills, in pixels.
   *
   * @param x of the left edge
   * @param y of the upper edge
   */
  record Box(Subject subject, int x, int y, int side) {}

  /** Whether a thing of this size can be told to be in this place and not in the middle. */
  static boolean allows(ThingSize size, Place place, ScaleSchedule schedule) {
    return allows(side(size, schedule), place, schedule);
  }

  /** Whether a thing of this side, in pixels, can be told to be in this place. */
  static boolean allows(int side, Place place, ScaleSchedule schedule) {
    return isClear(place.x(), schedule.pixelWidth(), side)
        && isClear(place.y(), schedule.pixelHeight(), side);
  }

  /** Whether two things can stand in this relation without covering each other. */
  static boolean allows(Relation relation, ScaleSchedule schedule) {
    int room = relation.x() == 0 ? schedule.pixelHeight() : schedule.pixelWidth();
    return room >= 2 * side(PAIR_SHARE, schedule);
  }

  /** The boxes of a composition's things; their positions vary by up to 8 pixels. */
  static List<Box> boxes(Composition composition, ScaleSchedule schedule, RandomGenerator random) {
    if (composition instanceof Composition.Single single) {
      Place place = single.place();
      int side = side(single.size(), schedule);
      int dx = place.x() * (int) (SINGLE_REACH * (schedule.pixelWidth() - side) / 2);
      int dy = place.y() * (int) (SINGLE_REACH * (schedule.pixelHeight() - side) / 2);
      return List.of(box(single.subject(), side, dx, dy, schedule, random));
    }
    Composition.Pair pair = (Composition.Pair) composition;
    Relation relation = pair.relation();
    int side = side(PAIR_SHARE, schedule);
    int room = relation.x() == 0 ? schedule.pixelHeight() : schedule.pixelWidth();
    int apart = (int) Math.min(PAIR_REACH * (room - side) / 2, PAIR_DISTANCE * side);
    int dx = relation.x() * apart;
    int dy = relation.y() * apart;
    return List.of(
        box(pair.first(), side, dx, dy, schedule, random),
        box(pair.second(), side, -dx, -dy, schedule, random));
  }

  /** The side of a single thing, in pixels. */
  static int side(ThingSize size, ScaleSchedule schedule) {
    return side(size.share(), schedule);
  }

  /** The sides that pictures of one or of two things have things of. */
  static List<Integer> sides(ScaleSchedule schedule, int things) {
    return things > 1
        ? List.of(side(PAIR_SHARE, schedule))
        : Stream.of(ThingSize.values()).map(size -> side(size, schedule)).toList();
  }

  /** Where the middle of a single thing of this side is meant to be, in pixels: x and y. */
  static double[] middle(Place place, int side, ScaleSchedule schedule) {
    double dx = place.x() * SINGLE_REACH * (schedule.pixelWidth() - side) / 2;
    double dy = place.y() * SINGLE_REACH * (schedule.pixelHeight() - side) / 2;
    return new double[] {schedule.pixelWidth() / 2.0 + dx, schedule.pixelHeight() / 2.0 + dy};
  }

  /** A box whose middle lies so far from the picture's, but for chance. */
  private static Box box(
      Subject subject, int side, int dx, int dy, ScaleSchedule schedule, RandomGenerator random) {
    int x = edge(dx, schedule.pixelWidth(), side) + STEP * (random.nextInt(3) - 1);
    int y = edge(dy, schedule.pixelHeight(), side) + STEP * (random.nextInt(3) - 1);
    return new Box(
        subject,
        Math.max(0, Math.min(x, schedule.pixelWidth() - side)),
        Math.max(0, Math.min(y, schedule.pixelHeight() - side)),
        side);
  }

  private static int edge(int offset, int length, int side) {
    return Math.round(((length - side) / 2f + offset) / STEP) * STEP;
  }

  private static boolean isClear(int offset, int length, int side) {
    return offset == 0 || (length - side) / 2.0 >= LEAST_OFFSET * length;
  }

  private static int side(double share, ScaleSchedule schedule) {
    double shorter = Math.min(schedule.pixelWidth(), schedule.pixelHeight());
    return (int) Math.round(share * shorter / STEP) * STEP;
  }
}
