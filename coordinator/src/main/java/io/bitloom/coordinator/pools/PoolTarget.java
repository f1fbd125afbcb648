package io.bitloom.coordinator.pools;

import io.bitloom.common.config.ConfigException;
import io.bitloom.common.config.Settings;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.FieldViolation;
import io.bitloom.common.rules.Pools;
import io.bitloom.common.schedule.ScaleSchedules;
import io.bitloom.common.schedule.SizeClass;
import io.bitloom.coordinator.auth.NamePattern;
import io.bitloom.coordinator.queue.Bucket;
import io.bitloom.coordinator.queue.Names;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What is to be scaled, and to what end, as the metadata of a ScaledObject's trigger say it. All of
 * them may be left out.
 *
 * @param pool name of the pool of workers
 * @param models that its workers draw; empty: those that they have
 * @param sizes of which pictures are theirs; empty: all
 * @param emptyIn from the arrival of a prompt until it is drawn
 * @param nodeStart from the moment at which a worker is wanted until it draws
 * @param idle for how long a worker without work is kept
 * @param most workers that are wanted
 * @param pricePerGpuHour of a worker, in whatever money; 0: not said
 */
public record PoolTarget(
    String pool,
    List<NamePattern> models,
    Set<SizeClass> sizes,
    Duration emptyIn,
    Duration nodeStart,
    Duration idle,
    int most,
    double pricePerGpuHour) {

  public static final Duration EMPTY_IN = Duration.ofMinutes(30);
  public static final Duration NODE_START = Duration.ofMinutes(5);
  public static final Duration IDLE = Duration.ofSeconds(60);
  public static final int MOST = 1000;

  private static final int MAX_NAME = 128;
  private static final int MAX_PATTERNS = 100;
  private static final int LARGEST_POOL = 100_000;
  private static final double HIGHEST_PRICE = 1e6;
  private static final Duration LONGEST = Duration.ofDays(7);

  private static final String POOL = "pool";
  private static final String MODELS = "models";
  private static final String SIZES = "sizes";
  private static final String EMPTY_IN_KEY = "emptyIn";
  private static final String NODE_START_KEY = "nodeStart";
  private static final String IDLE_KEY = "idle";
  private static final String MAX_WORKERS = "maxWorkers";
  private static final String PRICE = "pricePerGpuHour";

  private static final Set<String> OURS =
      new TreeSet<>(
          Set.of(POOL, MODELS, SIZES, EMPTY_IN_KEY, NODE_START_KEY, IDLE_KEY, MAX_WORKERS, PRICE));

  /**
   * Reads metadata.
   *
   * @param field that has them, for errors
   * @param metadata of which nothing is left that is not for us
   * @throws BitloomException {@code INVALID_FIELD} with all that is wrong
   */
  public static PoolTarget of(String field, Map<String, String> metadata) {
    return new Reading(field, metadata).target();
  }

  /** Whether what waits in a bucket may be for this pool, whatever its workers draw. */
  boolean mayTake(Bucket bucket) {
    return takes(bucket, Set.of(bucket.model()));
  }

  /** Whether what waits in a bucket is for this pool, whose workers draw these models. */
  boolean takes(Bucket bucket, Set<String> modelsOfPool) {
    boolean model =
        models.isEmpty()
            ? modelsOfPool.isEmpty() || modelsOfPool.contains(bucket.model())
            : NamePattern.anyMatches(models, bucket.model());
    return model
        && (sizes.isEmpty()
            || ScaleSchedules.find(bucket.schedule())
                .filter(schedule -> sizes.contains(schedule.size()))
                .isPresent());
  }

  /** By what a pool is remembered: whoever wants something else begins anew. */
  String id() {
    return Stream.of(
            List.of(pool),
            models.stream().map(NamePattern::text).sorted().toList(),
            sizes.stream().map(SizeClass::label).toList(),
            List.of(Settings.text(emptyIn), Settings.text(nodeStart), Settings.text(idle)),
            List.of(Integer.toString(most), Double.toString(pricePerGpuHour)))
        .map(words -> words.stream().map(Names::escape).collect(Collectors.joining(",")))
        .collect(Collectors.joining(":"));
  }

  PoolPolicy policy() {
    return new PoolPolicy(emptyIn, nodeStart, idle, most);
  }

  /** Collects all that is wrong before it refuses. */
  private static final class Reading {
    private final String field;
    private final Map<String, String> metadata;
    private final List<FieldViolation> violations = new ArrayList<>();

    Reading(String field, Map<String, String> metadata) {
      this.field = field;
      this.metadata = metadata;
    }

    PoolTarget target() {
      for (String key : metadata.keySet()) {
        if (!OURS.contains(key)) {
          refuse(key, metadata.get(key), "is not known; there is " + String.join(", ", OURS));
        }
      }
      Duration emptyIn = duration(EMPTY_IN_KEY, EMPTY_IN, Duration.ofSeconds(1));
      Duration nodeStart = duration(NODE_START_KEY, NODE_START, Duration.ZERO);
      PoolTarget target =
          new PoolTarget(
              pool(),
              models(),
              sizes(),
              emptyIn,
              nodeStart,
              duration(IDLE_KEY, IDLE, Duration.ZERO),
              (int) number(MAX_WORKERS, MOST, 1, LARGEST_POOL, true),
              number(PRICE, 0, 0, HIGHEST_PRICE, false));
      if (emptyIn.compareTo(nodeStart.plus(PoolPolicy.MARGIN)) <= 0) {
        refuse(
            EMPTY_IN_KEY,
            Settings.text(emptyIn),
            "must be more than nodeStart ("
                + Settings.text(nodeStart)
                + ") and "
                + Settings.text(PoolPolicy.MARGIN));
      }
      if (!violations.isEmpty()) {
        throw BitloomException.invalid(violations);
      }
      return target;
    }

    private String pool() {
      String pool = metadata.getOrDefault(POOL, Pools.DEFAULT);
      if (pool.isBlank()
          || pool.length() > MAX_NAME
          || pool.chars().anyMatch(Character::isISOControl)) {
        refuse(POOL, pool, "must be a name of at most " + MAX_NAME + " characters");
      }
      return pool;
    }

    private List<NamePattern> models() {
      List<NamePattern> models = new ArrayList<>();
      for (String text : list(MODELS)) {
        if (NamePattern.isValid(text)) {
          models.add(new NamePattern(text));
        } else {
          refuse(MODELS, text, "must be names with * at most at their ends, parted by commas");
        }
      }
      return models;
    }

    private Set<SizeClass> sizes() {
      Set<SizeClass> sizes = EnumSet.noneOf(SizeClass.class);
      for (String label : list(SIZES)) {
        SizeClass.find(label)
            .ifPresentOrElse(
                sizes::add, () -> refuse(SIZES, label, "must be some of " + SizeClass.labels()));
      }
      return sizes;
    }

    private List<String> list(String key) {
      String text = metadata.getOrDefault(key, "");
      List<String> words =
          text.isBlank()
              ? List.of()
              : Arrays.stream(text.split(",", -1)).map(String::strip).toList();
      if (words.size() > MAX_PATTERNS) {
        refuse(key, words.size() + " of them", "must be at most " + MAX_PATTERNS);
        return List.of();
      }
      return words;
    }

    private Duration duration(String key, Duration standard, Duration least) {
      if (!metadata.containsKey(key)) {
        return standard;
      }
      try {
        Duration given = Settings.duration(key, metadata.get(key));
        return Settings.inRange(key, given, least, LONGEST);
      } catch (ConfigException e) {
        refuse(
            key,
            metadata.get(key),
            "must be a duration such as 90s, 30m or 2h, of at most " + Settings.text(LONGEST));
        return standard;
      }
    }

    private double number(String key, double standard, double least, double most, boolean whole) {
      if (!metadata.containsKey(key)) {
        return standard;
      }
      try {
        double given = Double.parseDouble(metadata.get(key));
        if (given >= least && given <= most && (!whole || given == Math.rint(given))) {
          return given;
        }
      } catch (NumberFormatException e) {
        // It is refused like others that are out of range.
      }
      refuse(
          key,
          metadata.get(key),
          String.format(
              Locale.ROOT,
              "must be a %snumber from %.0f to %.0f",
              whole ? "whole " : "",
              least,
              most));
      return standard;
    }

    private void refuse(String key, String value, String message) {
      violations.add(FieldViolation.of(field + "." + key, value, message));
    }
  }
}
