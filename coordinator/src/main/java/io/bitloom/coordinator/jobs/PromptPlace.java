package io.bitloom.coordinator.jobs;

import io.bitloom.common.error.BitloomException;
import io.bitloom.coordinator.queue.Cursor;
import io.bitloom.coordinator.queue.WaitingPage;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where a list of a job's prompts goes on.
 *
 * @param at the append, or the place among outcomes or failures
 * @param passed prompts of the append that were
 */
record PromptPlace(Section section, Cursor at, int passed) {

  /** Parts of the list, in their order. Nobody needs both of the last two. */
  enum Section {
    WAITING,
    FAILURES,
    RESULTS;

    private String letter() {
      return name().substring(0, 1).toLowerCase(Locale.ROOT);
    }
  }

  private static final Pattern TOKEN =
      Pattern.compile(
          "(?<job>[0-9a-f]{1,8})-(?<section>[wfr])(?<at>"
              + Cursor.TEXT
              + ")\\.(?<passed>\\d{1,9})");

  static PromptPlace startOf(Section section) {
    return new PromptPlace(section, Cursor.START, 0);
  }

  static PromptPlace of(WaitingPage.Place place) {
    return new PromptPlace(Section.WAITING, Cursor.of(place.append()), place.passed());
  }

  WaitingPage.Place waiting() {
    return new WaitingPage.Place(at.passed(0), passed);
  }

  String token(String jobId) {
    return ResultCursor.mark(jobId) + "-" + section.letter() + at.text() + "." + passed;
  }

  /**
   * The place that a token of this job stands for.
   *
   * @throws BitloomException {@code INVALID_FIELD} if it is none
   */
  static PromptPlace parse(String jobId, String token) {
    Matcher matcher = TOKEN.matcher(token);
    if (!matcher.matches() || !matcher.group("job").equals(ResultCursor.mark(jobId))) {
      throw BitloomException.invalid("page_token", token, "must be a token of a page before");
    }
    Section section =
        switch (matcher.group("section")) {
          case "w" -> Section.WAITING;
          case "f" -> Section.FAILURES;
          default -> Section.RESULTS;
        };
    return new PromptPlace(
        section, Cursor.parse(matcher.group("at")), Integer.parseInt(matcher.group("passed")));
  }
}
