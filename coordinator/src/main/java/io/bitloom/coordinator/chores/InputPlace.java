package io.bitloom.coordinator.chores;

import io.bitloom.common.prompt.PromptLineReader;

/**
 * Where whoever takes over the reading of an object goes on. Checking begins anew: that no {@code
 * custom_id} is there twice is only seen from the start.
 *
 * @param step what is done
 * @param prompts that are appended before it
 * @param total prompts of the object; 0 before it was checked
 * @param lines that have these
 * @param tag of the object; empty before it was checked
 */
record InputPlace(Step step, long prompts, long total, PromptLineReader.Place lines, String tag) {

  enum Step {
    CHECK,
    APPEND,
    /** Nothing was queued, or what was is cancelled. */
    REFUSE
  }

  static final InputPlace START =
      new InputPlace(Step.CHECK, 0, 0, PromptLineReader.Place.START, "");

  /** What was written by {@link #toString}; the start for an empty text. */
  static InputPlace parse(String text) {
    if (text.isEmpty()) {
      return START;
    }
    String[] words = text.split(" ", 6);
    return new InputPlace(
        Step.valueOf(words[0]),
        Long.parseLong(words[1]),
        Long.parseLong(words[2]),
        new PromptLineReader.Place(Long.parseLong(words[3]), Long.parseLong(words[4])),
        words[5]);
  }

  static InputPlace append(String tag, long total) {
    return new InputPlace(Step.APPEND, 0, total, PromptLineReader.Place.START, tag);
  }

  InputPlace at(long appended, PromptLineReader.Place place) {
    return new InputPlace(step, appended, total, place, tag);
  }

  InputPlace refused() {
    return new InputPlace(Step.REFUSE, prompts, total, lines, tag);
  }

  @Override
  public String toString() {
    return step
        + " "
        + prompts
        + " "
        + total
        + " "
        + lines.line()
        + " "
        + lines.bytes()
        + " "
        + tag;
  }
}
