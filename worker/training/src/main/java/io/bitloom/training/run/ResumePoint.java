package io.bitloom.training.run;

import io.bitloom.engine.tensor.WeightsException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * Where a run goes on: at the latest checkpoint that is whole, or at its start.
 *
 * @param state how far the run has come
 * @param damaged later checkpoints that cannot be used: step to a line that says why
 */
record ResumePoint(RunState state, Map<Long, String> damaged) {
  /** A run may be made longer, and goes on as if it had been so from the beginning. */
  private static final Pattern LENGTH = Pattern.compile("\\bsteps(=|: )\\d+");

  /**
   * Gives the learner the tensors of the latest checkpoint that is whole.
   *
   * @param identity settings that the checkpoints must have been written with
   * @throws RunRefusedException if they were not, or if there are checkpoints and none is whole
   */
  static ResumePoint find(RunCheckpoints checkpoints, Path folder, String identity, Learner learner)
      throws IOException {
    List<Long> latestFirst = new ArrayList<>(checkpoints.steps());
    Collections.reverse(latestFirst);
    Map<Long, String> damaged = new LinkedHashMap<>();
    for (long step : latestFirst) {
      try {
        RunState found = checkpoints.state(step);
        requireSameRun(folder, found.identity(), identity);
        checkpoints.restore(found, learner);
        return new ResumePoint(found.under(identity), damaged);
      } catch (WeightsException e) {
        damaged.put(step, "The checkpoint of step " + step + " is damaged: " + e.getMessage());
      }
    }
    if (!damaged.isEmpty()) {
      throw new RunRefusedException(
          folder,
          "no checkpoint is whole; bring one back from a copy, or delete "
              + checkpoints.folder()
              + " to begin anew. "
              + damaged.values().iterator().next());
    }
    return new ResumePoint(RunState.start(identity), damaged);
  }

  private static void requireSameRun(Path folder, String before, String now) {
    String[] old = settings(before);
    String[] current = settings(now);
    for (int i = 0; i < Math.max(old.length, current.length); i++) {
      String was = i < old.length ? old[i] : "";
      String is = i < current.length ? current[i] : "";
      if (!was.equals(is)) {
        throw new RunRefusedException(
            folder,
            "the checkpoints are of a run with other settings: \""
                + was
                + "\", now \""
                + is
                + "\"; set it back, or name another folder");
      }
    }
  }

  private static String[] settings(String identity) {
    return LENGTH.matcher(identity).replaceAll("steps").split("\n|, ", -1);
  }
}
