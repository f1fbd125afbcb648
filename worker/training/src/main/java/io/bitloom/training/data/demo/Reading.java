package io.bitloom.training.data.demo;

import io.bitloom.common.schedule.ScaleSchedule;
import java.util.List;
import java.util.Optional;

/**
 * What the checker sees in a picture.
 *
 * @param backdrop the backdrop
 * @param found the things, best seen first; fewer than asked for where nothing else stands out
 */
public record Reading(Backdrop backdrop, List<Found> found) {

  /**
   * A thing in a picture.
   *
   * @param x of its middle, in pixels
   * @param y of its middle, in pixels
   * @param side of its drawing, in pixels
   * @param explained which share of the difference to the backdrop, where it is, it accounts for
   */
  public record Found(Subject subject, double x, double y, int side, double explained) {}

  /**
   * How a picture compares with what was asked for. All of a pair counts only together.
   *
   * @param things whether each thing is of the right kind
   * @param colours whether each is of the right kind and colour
   * @param backdrop whether the backdrop is right
   * @param arrangement whether the things are right and where they should be: a single thing nearer
   *     to its place than to any other, a pair in its relation
   * @param size whether a single thing is right and of the right size; always true for pairs
   */
  public record Verdict(
      boolean things, boolean colours, boolean backdrop, boolean arrangement, boolean size) {}

  /** Compares with what the picture should show. */
  public Verdict against(Composition composition, ScaleSchedule schedule) {
    boolean sameBackdrop = backdrop == composition.backdrop();
    if (composition instanceof Composition.Single single) {
      Optional<Found> thing = of(single.subject().thing());
      return new Verdict(
          thing.isPresent(),
          thing.filter(it -> it.subject().equals(single.subject())).isPresent(),
          sameBackdrop,
          thing.filter(it -> place(it, schedule) == single.place()).isPresent(),
          thing.filter(it -> it.side() == single.size().side()).isPresent());
    }
    Composition.Pair pair = (Composition.Pair) composition;
    Optional<Found> first = of(pair.first().thing());
    Optional<Found> second = of(pair.second().thing());
    boolean things = first.isPresent() && second.isPresent();
    boolean colours =
        things
            && first.get().subject().equals(pair.first())
            && second.get().subject().equals(pair.second());
    boolean arrangement =
        things
            && pair.relation()
                .holds(first.get().x() - second.get().x(), first.get().y() - second.get().y());
    return new Verdict(things, colours, sameBackdrop, arrangement, true);
  }

  private Optional<Found> of(Thing thing) {
    return found.stream().filter(it -> it.subject().thing() == thing).findFirst();
  }

  /** The place whose middle is nearest, of those that leave room for a thing of this side. */
  private static Place place(Found thing, ScaleSchedule schedule) {
    Place nearest = Place.MIDDLE;
    double least = Double.POSITIVE_INFINITY;
    for (Place place : Place.values()) {
      double[] middle = Layout.middle(place, thing.side(), schedule);
      double distance = Math.hypot(thing.x() - middle[0], thing.y() - middle[1]);
      if (distance < least && Layout.allows(thing.side(), place, schedule)) {
        nearest = place;
        least = distance;
      }
    }
    return nearest;
  }
}
