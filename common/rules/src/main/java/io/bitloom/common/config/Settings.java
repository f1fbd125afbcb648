package io.bitloom.common.config;

import java.math.BigDecimal;
import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads and checks the values of typed configuration records. */
public final class Settings {

  private static final Pattern DURATION = Pattern.compile("(\\d{1,9}(?:\\.\\d{1,9})?)(ms|s|m|h|d)");

  private static final Pattern BYTES =
      Pattern.compile("(\\d{1,18}(?:\\.\\d{1,9})?)(?:([KMGT])iB)?");

  private Settings() {}

  /**
   * A length of time with its unit: {@code 250ms}, {@code 1.5s}, {@code 10m}, {@code 2h}, {@code
   * 7d}.
   *
   * @throws ConfigException unless the text is one
   */
  public static Duration duration(String key, String text) {
    Matcher matcher = DURATION.matcher(text);
    if (!matcher.matches()) {
      throw new ConfigException(key, text, "must be a duration such as 250ms, 1.5s, 10m or 2h");
    }
    long unitMillis =
        switch (matcher.group(2)) {
          case "ms" -> 1;
          case "s" -> 1000;
          case "m" -> 60_000;
          case "h" -> 3_600_000;
          default -> 86_400_000;
        };
    BigDecimal nanos =
        new BigDecimal(matcher.group(1)).multiply(BigDecimal.valueOf(unitMillis * 1_000_000));
    return Duration.ofNanos(nanos.longValue());
  }

  /**
   * A number of bytes with its unit: {@code 64KiB}, {@code 1.5GiB}, or {@code 4096} without one.
   *
   * @throws ConfigException unless the text is one
   */
  public static long bytes(String key, String text) {
    Matcher matcher = BYTES.matcher(text);
    if (!matcher.matches()) {
      throw new ConfigException(key, text, "must be a size such as 64KiB, 512MiB, 8GiB or 1TiB");
    }
    long unit = matcher.group(2) == null ? 1 : 1L << 10 * ("KMGT".indexOf(matcher.group(2)) + 1);
    return new BigDecimal(matcher.group(1)).multiply(BigDecimal.valueOf(unit)).longValue();
  }

  /**
   * @return the value, if it is in the range
   * @throws ConfigException otherwise
   */
  public static long bytesInRange(String key, long value, long min, long max) {
    if (value < min || value > max) {
      throw new ConfigException(
          key, bytesText(value), "must be " + bytesText(min) + " to " + bytesText(max));
    }
    return value;
  }

  /** A number of bytes as {@link #bytes} reads it, in the largest unit that leaves it whole. */
  public static String bytesText(long value) {
    int unit = 0;
    long left = value;
    while (left != 0 && left % 1024 == 0 && unit < 4) {
      left /= 1024;
      unit++;
    }
    return unit == 0 ? Long.toString(value) : left + "KMGT".substring(unit - 1, unit) + "iB";
  }

  /**
   * @return the value, if it is in the range
   * @throws ConfigException otherwise
   */
  public static int inRange(String key, int value, int min, int max) {
    if (value < min || value > max) {
      throw new ConfigException(key, value, "must be " + min + " to " + max);
    }
    return value;
  }

  /**
   * @return the value, if it is in the range
   * @throws ConfigException otherwise
   */
  public static Duration inRange(String key, Duration value, Duration min, Duration max) {
    if (value.compareTo(min) < 0 || value.compareTo(max) > 0) {
      throw new ConfigException(key, text(value), "must be " + text(min) + " to " + text(max));
    }
    return value;
  }

  /** A duration as {@link #duration} reads it, in the largest unit that leaves it whole. */
  public static String text(Duration value) {
    long millis = value.toMillis();
    if (millis == 0 || millis % 1000 != 0) {
      return millis + "ms";
    }
    long seconds = millis / 1000;
    if (seconds % 3600 == 0) {
      return seconds / 3600 + "h";
    }
    return seconds % 60 == 0 ? seconds / 60 + "m" : seconds + "s";
  }
}
