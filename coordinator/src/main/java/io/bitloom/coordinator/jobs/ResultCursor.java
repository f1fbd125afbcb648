package io.bitloom.coordinator.jobs;

import io.bitloom.common.error.BitloomException;
import io.bitloom.coordinator.queue.Cursor;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Places among a job's results as callers keep them. Knows its job, so that a mix-up is seen. */
final class ResultCursor {

  private static final Pattern CURSOR = Pattern.compile("([0-9a-f]{1,8})-(" + Cursor.TEXT + ")");

  private ResultCursor() {}

  static String of(String jobId, Cursor place) {
    return mark(jobId) + "-" + place.text();
  }

  /**
   * The place that a cursor of this job stands for; the start for an empty one.
   *
   * @throws BitloomException {@code INVALID_FIELD} if it is none
   */
  static Cursor place(String field, String jobId, String cursor) {
    if (cursor.isEmpty()) {
      return Cursor.START;
    }
    Matcher matcher = CURSOR.matcher(cursor);
    if (!matcher.matches() || !matcher.group(1).equals(mark(jobId))) {
      throw BitloomException.invalid(field, cursor, "must be one of this job");
    }
    return Cursor.parse(matcher.group(2));
  }

  /** Tells the cursors and tokens of one job from those of another. */
  static String mark(String jobId) {
    return Integer.toHexString(jobId.hashCode());
  }
}
