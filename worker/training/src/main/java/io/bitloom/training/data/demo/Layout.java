package io.bitloom.training.data.demo;

import io.bitloom.common.schedule.ScaleSchedule;
import java.util.List;
import java.util.stream.Stream;

/**
 * Where the things of a composition lie in a picture. Sides and corners are multiples of the
 * tokenizer's stride: a thing always falls on the token grid in the same way, which a small
 * tokenizer learns many times sooner than all the ways in between.
 */
final class Layout {
  private static final int STEP = ScaleSchedule.PIXELS_PER_TOKEN;
  private static final ThingSize OF_PAIRS = ThingSize.SMALL;

  /** How far towards the edge things are moved, as a share of the way there. */
  private static final double SINGLE_REACH = 0.72;

  private static final double PAIR_REACH = 0.95;

  /** The greatest distance of a pair's things from the middle, in sides. */
  private static final double PAIR_DISTANCE = 0.85;

  /** The least distance of a place from the middle, as a share of the picture's width. */
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
    return allows(size.side(), place, schedule);
  }

  /** Whether a thing of this side, in pixels, can be told to be in this place. */
  static boolean allows(int side, Place place, ScaleSchedule schedule) {
    int width = schedule.pixelWidth();
    return place == Place.MIDDLE || (width - side) / 2.0 >= LEAST_OFFSET * width;
  }

  /** Whether two things can stand in this relation without covering each other. */
  static boolean allows(Relation relation, ScaleSchedule schedule) {
    int room = relation.x() == 0 ? schedule.pixelHeight() : schedule.pixelWidth();
    return room >= 2 * OF_PAIRS.side();
  }

  /** The boxes of a composition's things. */
  static List<Box> boxes(Composition composition, ScaleSchedule schedule) {
    if (composition instanceof Composition.Single single) {
      Place place = single.place();
      int side = single.size().side();
      return List.of(
          box(
              single.subject(),
              (int) (place.x() * SINGLE_REACH * (schedule.pixelWidth() - side) / 2),
              0,
              side,
              schedule));
    }
    Composition.Pair pair = (Composition.Pair) composition;
    Relation relation = pair.relation();
    int side = OF_PAIRS.side();
    int room = relation.x() == 0 ? schedule.pixelHeight() : schedule.pixelWidth();
    int apart = (int) Math.min(PAIR_REACH * (room - side) / 2, PAIR_DISTANCE * side);
    int dx = relation.x() * apart;
    int dy = relation.y() * apart;
    return List.of(
        box(pair.first(), dx, dy, side, schedule), box(pair.second(), -dx, -dy, side, schedule));
  }

  /** The sides that pictures of one or of two things have things of. */
  static List<Integer> sides(int things) {
    return things > 1
        ? List.of(OF_PAIRS.side())
        : Stream.of(ThingSize.values()).map(ThingSize::side).toList();
  }

  /** Where the middle of a single thing of this side is meant to be, in pixels: x and y. */
  static double[] middle(Place place, int side, ScaleSchedule schedule) {
    double dx = place.x() * SINGLE_REACH * (schedule.pixelWidth() - side) / 2;
    return new double[] {schedule.pixelWidth() / 2.0 + dx, schedule.pixelHeight() / 2.0};
  }

  /** A box whose middle is so far from the picture's, or as near as it fits into the picture. */
  private static Box box(Subject subject, int dx, int dy, int side, ScaleSchedule schedule) {
    return new Box(
        subject,
        edge(dx, schedule.pixelWidth(), side),
        edge(dy, schedule.pixelHeight(), side),
        side);
  }

  private static int edge(int offset, int length, int side) {
    int nearest = Math.round(((length - side) / 2f + offset) / STEP) * STEP;
    return Math.max(0, Math.min(nearest, length - side));
  }
}
