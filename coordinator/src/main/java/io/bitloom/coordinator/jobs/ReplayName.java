package io.bitloom.coordinator.jobs;

import io.bitloom.v1.Job;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What people call the replays of a job: {@code cats replay 1}, {@code cats replay 2}. */
final class ReplayName {

  private static final Pattern REPLAY =
      Pattern.compile("(?<first>.*) replay (?<number>\\d{1,6})( with cancelled)?", Pattern.DOTALL);

  private ReplayName() {}

  /**
   * The name of a job's replay. It follows from the job, so that a repeated call asks for the same.
   *
   * @param jobId stands in for a job without a name
   * @param includeCancelled a job may have a replay of either kind
   */
  static String of(Job job, String jobId, boolean includeCancelled) {
    String name = job.getDisplayName();
    Matcher replay = REPLAY.matcher(name);
    boolean again = !job.getReplayOf().isEmpty() && replay.matches();
    String first = again ? replay.group("first") : name.isEmpty() ? jobId : name;
    int number = again ? Integer.parseInt(replay.group("number")) + 1 : 1;
    String suffix = " replay " + number + (includeCancelled ? " with cancelled" : "");
    int room = JobRules.MAX_DISPLAY_NAME - suffix.length();
    return shortened(first, room) + suffix;
  }

  private static String shortened(String text, int characters) {
    return text.codePointCount(0, text.length()) <= characters
        ? text
        : text.substring(0, text.offsetByCodePoints(0, characters));
  }
}
