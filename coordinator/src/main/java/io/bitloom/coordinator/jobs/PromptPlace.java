package io.bitloom.coordinator.jobs;

import io.bitloom.common.error.BitloomException;
import io.bitloom.coordinator.queue.WaitingPage;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where a list of a job's prompts goes on.
 *
 * @param at the append, the cursor of the last outcome, or how many failures were passed
 * @param passed prompts of the append that were
 */
record PromptPlace(Section section, long at, int passed) {

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
          "(?<job>[0-9a-f]{1,8})-(?<section>[wfr])(?<at>\\d{1,18})\\.(?<passed>\\d{1,9})");

  static PromptPlace startOf(Section section) {
    return new PromptPlace(section, 0, 0);
  }

  static PromptPlace of(WaitingPage.Place place) {
    return new PromptPlace(Section.WAITING, place.append(), place.passed());
  }

  WaitingPage.Place waiting() {
    return new WaitingPage.Place(at, passed);
  }

  String token(String jobId) {
    return ResultCursor.mark(jobId) + "-" + section.letter() + at + "." + passed;
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
        section, Long.parseLong(matcher.group("at")), Integer.parseInt(matcher.group("passed")));
  }
}
