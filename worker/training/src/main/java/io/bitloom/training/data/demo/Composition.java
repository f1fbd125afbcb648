package io.bitloom.training.data.demo;

import java.util.List;

/** What a picture shows. */
public sealed interface Composition {

  /** One thing. */
  record Single(Subject subject, ThingSize size, Place place, Backdrop backdrop)
      implements Composition {
    @Override
    public List<Subject> subjects() {
      return List.of(subject);
    }

    @Override
    public String key() {
      return String.join("|", subject.thing().name(), size.name(), place.name(), backdrop().name());
    }

    @Override
    public Single inReadingOrder() {
      return this;
    }
  }

  /** Two different things side by side or one above the other. */
  record Pair(Subject first, Relation relation, Subject second, Backdrop backdrop)
      implements Composition {
    /**
     * @throws IllegalArgumentException if both are the same thing
     */
    public Pair {
      if (first.thing() == second.thing()) {
        throw new IllegalArgumentException("a pair needs two things, got two " + first.thing());
      }
    }

    @Override
    public List<Subject> subjects() {
      return List.of(first, second);
    }

    /** The same for "a left of b" and "b right of a", and on every backdrop. */
    @Override
    public String key() {
      Pair pair = inReadingOrder();
      return String.join(
          "|", pair.first.thing().name(), pair.relation.name(), pair.second.thing().name());
    }

    @Override
    public Pair inReadingOrder() {
      return relation == Relation.LEFT_OF || relation == Relation.ABOVE
          ? this
          : new Pair(second, relation.inverse(), first, backdrop);
    }
  }

  Backdrop backdrop();

  /** The things from first to last mentioned. */
  List<Subject> subjects();

  /** What shows the same and names the left or the upper thing first. */
  Composition inReadingOrder();

  /**
   * What is the same for compositions that are held out together: of a single thing its kind, size,
   * place and backdrop; of a pair the two kinds and how they stand to each other. Colours do not
   * count.
   */
  String key();

  /**
   * Whether it is kept from training: one key of eight is. The hash is FNV-1a, finished as in
   * MurmurHash3.
   */
  default boolean heldOut() {
    int hash = 0x811c9dc5;
    for (int i = 0; i < key().length(); i++) {
      hash = (hash ^ key().charAt(i)) * 0x01000193;
    }
    hash = (hash ^ hash >>> 16) * 0x85ebca6b;
    hash = (hash ^ hash >>> 13) * 0xc2b2ae35;
    return ((hash ^ hash >>> 16) & 7) == 0;
  }
}
