package io.bitloom.loadtests.autoscale;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

/** Nodes with a worker each: they start, which takes a time, and then draw. All are paid for. */
final class Nodes {

  /** Median of the time of a start, and how it spreads (log-normal). */
  private static final double START_MEDIAN = 230;

  private static final double START_SPREAD = 0.15;
  private static final double START_LEAST = 150;
  private static final double START_MOST = 300;

  private final Random random;
  private final List<Integer> readyAt = new ArrayList<>();
  private int ready;
  private long starts;
  private long stops;

  Nodes(long seed) {
    this.random = new Random(seed);
  }

  private static int startSeconds(Random random) {
    double seconds = START_MEDIAN * Math.exp(START_SPREAD * random.nextGaussian());
    return (int) Math.max(START_LEAST, Math.min(START_MOST, seconds));
  }

  /** Seconds of a start on average. */
  static double meanStartSeconds() {
    Random random = new Random(1);
    return IntStream.range(0, 100_000)
        .mapToDouble(i -> startSeconds(random))
        .average()
        .orElseThrow();
  }

  int count() {
    return ready + readyAt.size();
  }

  int ready() {
    return ready;
  }

  long starts() {
    return starts;
  }

  long stops() {
    return stops;
  }

  /** Time has come to this second. */
  void tick(int seconds) {
    int before = readyAt.size();
    readyAt.removeIf(at -> at <= seconds);
    ready += before - readyAt.size();
  }

  /** From now on there are so many; those that have not started yet go first. */
  void scale(int seconds, int wanted) {
    while (count() < wanted) {
      readyAt.add(seconds + startSeconds(random));
      starts++;
    }
    while (count() > wanted) {
      if (readyAt.isEmpty()) {
        ready--;
      } else {
        readyAt.remove(readyAt.size() - 1);
      }
      stops++;
    }
  }
}
