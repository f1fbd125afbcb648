package io.bitloom.training.eval;

import io.bitloom.training.data.demo.Composition;
import io.bitloom.training.data.demo.Reading;
import io.bitloom.training.data.demo.Thing;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;

/** Counts of pictures that show what they should. */
public final class Tally {
  private static final String NOTHING = "nothing";

  private final Map<Metric, int[]> counts = new EnumMap<>(Metric.class);
  private final Map<Thing, Map<String, Integer>> confusion = new EnumMap<>(Thing.class);

  /** What is counted. */
  public enum Metric {
    /** The right kind of thing, of pictures of one thing. */
    THING("right thing"),
    /** The right backdrop, of all pictures. */
    BACKDROP("right backdrop"),
    /** Both things of a pair and how they stand to each other. */
    PAIR("right pair"),
    /** Both things of a pair, wherever they stand. */
    PAIR_THINGS("both things of a pair"),
    /** The right thing in the right place, of pictures of one thing. */
    PLACE("right place"),
    /** The right thing of the right size, of pictures of one thing. */
    SIZE("right size"),
    /** All things of the right kind and colour, of all pictures. */
    COLOUR("right colours"),
    /** Everything right but the size. */
    ALL("everything right");

    private final String label;

    Metric(String label) {
      this.label = label;
    }

    /** For people. */
    public String label() {
      return label;
    }
  }

  /** Counts a picture. */
  public void add(Composition composition, Reading reading, Reading.Verdict verdict) {
    count(Metric.BACKDROP, verdict.backdrop());
    count(Metric.COLOUR, verdict.colours());
    count(Metric.ALL, verdict.colours() && verdict.backdrop() && verdict.arrangement());
    if (composition instanceof Composition.Single single) {
      count(Metric.THING, verdict.things());
      count(Metric.PLACE, verdict.arrangement());
      count(Metric.SIZE, verdict.size());
      String seen =
          reading.found().isEmpty() ? NOTHING : reading.found().get(0).subject().thing().word();
      confusion
          .computeIfAbsent(single.subject().thing(), it -> new TreeMap<>())
          .merge(seen, 1, Integer::sum);
    } else {
      count(Metric.PAIR, verdict.arrangement());
      count(Metric.PAIR_THINGS, verdict.things());
    }
  }

  private void count(Metric metric, boolean right) {
    int[] count = counts.computeIfAbsent(metric, it -> new int[2]);
    count[0] += right ? 1 : 0;
    count[1]++;
  }

  /** The share that is right; NaN if none was counted. */
  public double rate(Metric metric) {
    int[] count = counts.get(metric);
    return count == null ? Double.NaN : (double) count[0] / count[1];
  }

  /** How many were counted. */
  public int of(Metric metric) {
    int[] count = counts.get(metric);
    return count == null ? 0 : count[1];
  }

  /** For every thing that was asked for alone, what was seen, and how often. */
  public Map<String, Map<String, Integer>> confusion() {
    Map<String, Map<String, Integer>> words = new LinkedHashMap<>();
    confusion.forEach((thing, seen) -> words.put(thing.word(), seen));
    return words;
  }
}
