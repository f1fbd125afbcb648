package io.bitloom.coordinator.queue;

import java.util.Arrays;
import java.util.Collection;
import java.util.EnumSet;
import java.util.Set;
import java.util.stream.Collectors;

/** What becomes of a job, and may be told to somebody. Where times are the same, in this order. */
public enum Milestone {
  CREATED('c'),
  SEALED('s'),
  /** Its first prompt was given to a worker. */
  STARTED('r'),
  /** It reached a terminal state. Nothing comes after it. */
  ENDED('e');

  private final char letter;

  Milestone(char letter) {
    this.letter = letter;
  }

  /** By which it is known in Redis. */
  public char letter() {
    return letter;
  }

  /** Those with these letters; others, of later versions, are left out. */
  public static Set<Milestone> of(String letters) {
    return Arrays.stream(values())
        .filter(milestone -> letters.indexOf(milestone.letter) >= 0)
        .collect(Collectors.toCollection(() -> EnumSet.noneOf(Milestone.class)));
  }

  public static String letters(Collection<Milestone> milestones) {
    return milestones.stream()
        .map(milestone -> Character.toString(milestone.letter))
        .collect(Collectors.joining());
  }
}
