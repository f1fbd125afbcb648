package io.bitloom.training.data.demo;

import java.util.Optional;
import java.util.stream.Stream;

/**
 * A thing in a colour.
 *
 * @param colour empty for things that always look the same
 */
public record Subject(Thing thing, Optional<Colour> colour) {

  /**
   * @throws IllegalArgumentException if the thing does not come in the colour
   */
  public Subject {
    if (colour.isPresent() ? !thing.colours().contains(colour.get()) : hasColours(thing)) {
      throw new IllegalArgumentException(
          thing.word() + ": expected a colour of " + thing.colours() + ", got " + colour);
    }
  }

  private static boolean hasColours(Thing thing) {
    return !thing.colours().isEmpty();
  }

  /** Every thing in every colour. */
  public static Stream<Subject> all() {
    return Stream.of(Thing.values()).flatMap(Subject::all);
  }

  /** A thing in each of its colours. */
  public static Stream<Subject> all(Thing thing) {
    return thing.colours().isEmpty()
        ? Stream.of(new Subject(thing, Optional.empty()))
        : thing.colours().stream().map(colour -> new Subject(thing, Optional.of(colour)));
  }

  /** Whether it looks as the drawing does. */
  boolean isNatural() {
    return colour.isEmpty() || colour.get() == thing.colours().get(0);
  }
}
