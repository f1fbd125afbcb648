package io.bitloom.coordinator.queue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * A place among what was written of a job, one behind the other: its results, or its failures. A
 * job that is kept in several parts has as many such lists, and a place in each.
 *
 * @param passed how many are before this place, by part; parts behind these have none
 */
public record Cursor(List<Long> passed) {

  /** Before the first. */
  public static final Cursor START = new Cursor(List.of());

  /** What {@link #text} writes. */
  public static final Pattern TEXT = Pattern.compile("\\d{1,18}(_\\d{1,18}){0,255}");

  /** The place behind so many of a job that is kept in one part. */
  public static Cursor of(long passed) {
    return START.with(0, passed);
  }

  /** How many of a part are before this place. */
  public long passed(int part) {
    return part < passed.size() ? passed.get(part) : 0;
  }

  /** The place that differs from this one in one part. */
  public Cursor with(int part, long nowPassed) {
    List<Long> now = new ArrayList<>(passed);
    while (now.size() <= part) {
      now.add(0L);
    }
    now.set(part, nowPassed);
    return new Cursor(List.copyOf(now));
  }

  /** As one word; {@link #parse} reads it. */
  public String text() {
    return passed.isEmpty()
        ? "0"
        : passed.stream().map(String::valueOf).collect(Collectors.joining("_"));
  }

  /** Reads what matches {@link #TEXT}. */
  public static Cursor parse(String text) {
    return new Cursor(Arrays.stream(text.split("_")).map(Long::valueOf).toList());
  }
}
