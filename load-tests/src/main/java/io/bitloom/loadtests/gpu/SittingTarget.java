package io.bitloom.loadtests.gpu;

import com.google.gson.JsonObject;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.stream.DoubleStream;

/**
 * What is to be reached on an H100 or H200, and which figure of which rows shows it.
 *
 * @param what in words
 * @param limit the figure to reach
 * @param atLeast whether more is better
 * @param where what a row must say of itself
 * @param alone whether one image is drawn at a time, or several
 * @param figure name of the figure
 */
record SittingTarget(
    String what,
    double limit,
    boolean atLeast,
    Map<String, String> where,
    boolean alone,
    String figure) {
  private static final Map<String, String> QUALITY =
      Map.of("model", "2b", "size", "1M", "type", "BF16", "preset", "QUALITY");
  private static final Map<String, String> FAST =
      Map.of("model", "2b", "size", "1M", "type", "BF16", "preset", "FAST");

  /** The targets, all of 2B at 1024² in bfloat16. */
  static final List<SittingTarget> ALL =
      List.of(
          new SittingTarget(
              "2B, 1024², guidance 4, in batches: images/s",
              3.5,
              true,
              QUALITY,
              false,
              DrawingStep.IMAGES_PER_SECOND),
          new SittingTarget(
              "2B, 1024², guidance 4, one image: s",
              0.40,
              false,
              QUALITY,
              true,
              DrawingStep.LATENCY),
          new SittingTarget(
              "2B, 1024², FAST, in batches: images/s",
              5.5,
              true,
              FAST,
              false,
              DrawingStep.IMAGES_PER_SECOND),
          new SittingTarget(
              "2B, 1024², guidance 4: GB of KV cache an image",
              3.4,
              false,
              QUALITY,
              true,
              DrawingStep.CACHE));

  /** The best figure among rows of drawing; empty if none shows it. */
  OptionalDouble measured(List<JsonObject> rows) {
    DoubleStream figures =
        rows.stream()
            .filter(row -> row.has(figure) && isWanted(row))
            .mapToDouble(row -> row.get(figure).getAsDouble());
    return atLeast ? figures.max() : figures.min();
  }

  private boolean isWanted(JsonObject row) {
    return (row.get(DrawingStep.BATCH).getAsInt() == 1) == alone
        && where.entrySet().stream()
            .allMatch(wanted -> row.get(wanted.getKey()).getAsString().equals(wanted.getValue()));
  }

  /** Whether a figure reaches it. */
  boolean isReachedBy(double value) {
    return atLeast ? value >= limit : value <= limit;
  }

  /** The limit with its direction. */
  String limitText() {
    return (atLeast ? "≥ " : "≤ ") + limit;
  }
}
