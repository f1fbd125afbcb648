package io.bitloom.client.output;

import io.bitloom.common.manifest.ManifestLine;
import io.bitloom.v1.PromptResult;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import java.util.OptionalInt;

/**
 * The prompts of a folder that have no images, for the results of a replay, which has them under
 * the same ids and other offsets.
 */
final class Repairs {

  /** A prompt without images since a time. */
  private record Missing(int place, Instant since) {}

  private final Map<String, Deque<Missing>> byCustomId = new HashMap<>();

  /** A prompt was given up. */
  void add(ManifestLine failed) {
    add(failed, time(failed.commitTime()));
  }

  /** A prompt's images were here and are gone. */
  void addLost(ManifestLine lost) {
    add(lost, Instant.MIN);
  }

  private void add(ManifestLine line, Instant since) {
    byCustomId
        .computeIfAbsent(String.valueOf(line.customId()), id -> new ArrayDeque<>(1))
        .add(new Missing(line.place(), since));
  }

  /** A prompt that was given up has images after all, or a newer reason why not. */
  void remove(ManifestLine line) {
    Deque<Missing> missing = byCustomId.get(String.valueOf(line.customId()));
    if (missing != null) {
      missing.removeIf(some -> some.place() == line.place());
    }
  }

  /**
   * Takes out where a result belongs.
   *
   * @return empty if all is there that is as new
   */
  OptionalInt take(PromptResult result) {
    Instant time =
        Instant.ofEpochSecond(
            result.getProvenance().getCommitTime().getSeconds(),
            result.getProvenance().getCommitTime().getNanos());
    Deque<Missing> missing = byCustomId.getOrDefault(result.getCustomId(), new ArrayDeque<>(0));
    for (Iterator<Missing> some = missing.iterator(); some.hasNext(); ) {
      Missing prompt = some.next();
      if (!prompt.since().isAfter(time)) {
        some.remove();
        return OptionalInt.of(prompt.place());
      }
    }
    return OptionalInt.empty();
  }

  private static Instant time(String commitTime) {
    try {
      return commitTime == null ? Instant.MIN : Instant.parse(commitTime);
    } catch (DateTimeParseException e) {
      return Instant.MIN; // somebody changed the manifest; what comes now is newer
    }
  }
}
