package io.bitloom.engine;

import java.util.List;

/**
 * When a batch passed each stage, in readings of {@link System#nanoTime}.
 *
 * @param images of the batch
 * @param start of the text stage
 * @param encoded when all texts were, and the transformer began
 * @param scales when the host was done with each scale, the first one first. A device that takes
 *     work in advance has then done the scale before, and maybe not yet this one
 * @param generated when the transformer was done, and the tokenizer began; of a device that takes
 *     work in advance, when all of the transformer's was asked for
 * @param decoded when all images were, and all work was done
 */
public record BatchTimeline(
    int images, long start, long encoded, List<Long> scales, long generated, long decoded) {

  /** Wall time in each stage. */
  StageDurations durations() {
    return StageDurations.between(start, encoded, generated, decoded);
  }
}
