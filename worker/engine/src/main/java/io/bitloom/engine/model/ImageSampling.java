package io.bitloom.engine.model;

import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * How one image is drawn. Images of a batch may differ in all of it.
 *
 * @param seed start of the random stream
 * @param index number of the image among those of one prompt; picks the stream of the seed
 * @param guidance how far to go from the unconditional to the conditional prediction, for each
 *     scale: 0 unconditional, 1 conditional, more exaggerates the prompt
 * @param guidanceLayers where guidance acts: {@link #LOGITS}, or −n for the output of block
 *     depth−n; {@link #PROBABILITIES} is accepted and does nothing, as in the official code
 * @param temperature what the logits are divided by, for each scale
 * @param topK only the k likeliest states of a bit (or index) can be drawn; 0 for all, 1 is greedy
 * @param topP states are left out from the least likely on while their probabilities sum up to at
 *     most 1 − topP; 0 for all
 */
public record ImageSampling(
    long seed,
    int index,
    List<Double> guidance,
    Set<Integer> guidanceLayers,
    List<Double> temperature,
    int topK,
    double topP) {

  /** Guidance on the logits. */
  public static final int LOGITS = 0;

  /** Guidance on probabilities, which the official code does not have either. */
  public static final int PROBABILITIES = 1;

  /**
   * @throws IllegalArgumentException if a value is out of range; the message names it
   */
  public ImageSampling {
    guidance = List.copyOf(guidance);
    temperature = List.copyOf(temperature);
    guidanceLayers = Set.copyOf(guidanceLayers);
    require(index >= 0, "index", index);
    require(guidance.stream().allMatch(Double::isFinite), "guidance", guidance);
    require(
        temperature.stream().allMatch(t -> t > 0 && Double.isFinite(t)),
        "temperature",
        temperature);
    require(guidanceLayers.stream().allMatch(n -> n <= 1), "guidance layers", guidanceLayers);
    require(topK >= 0, "top k", topK);
    require(topP >= 0 && topP <= 1, "top p", topP);
  }

  /** The same guidance, on the logits, and temperature at all of {@code scales} scales. */
  public static ImageSampling constant(
      long seed, int index, double guidance, double temperature, double topP, int scales) {
    return new ImageSampling(
        seed,
        index,
        Collections.nCopies(scales, guidance),
        Set.of(LOGITS),
        Collections.nCopies(scales, temperature),
        0,
        topP);
  }

  /**
   * What decides which operators draw an image and on how many rows: images of one course can share
   * a batch of shapes that are always the same.
   *
   * @param guided whether each scale is guided
   * @param guidanceLayers where
   * @param topK the same as the image's
   * @param nucleus whether unlikely states are left out
   */
  public record Course(
      List<Boolean> guided, Set<Integer> guidanceLayers, int topK, boolean nucleus) {}

  /** The image's {@link Course}. */
  public Course course() {
    List<Boolean> guided = guidance.stream().map(weight -> weight != 1).toList();
    return new Course(guided, guidanceLayers, topK, topP > 0);
  }

  /** The last of the first {@code scales} scales that guidance changes, or -1. */
  int lastGuided(int scales) {
    if (guidanceLayers.stream().noneMatch(layer -> layer <= LOGITS)) {
      return -1;
    }
    int last = scales - 1;
    while (last >= 0 && guidance.get(last) == 1) {
      last--;
    }
    return last;
  }

  /**
   * @throws IllegalArgumentException naming the first guidance layer that a transformer of this
   *     many blocks does not have
   */
  void requireLayersOf(int blocks) {
    for (int layer : guidanceLayers) {
      if (layer <= -blocks) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "guidance layer %d of %d blocks: expected 0 or %d to -1",
                layer,
                blocks,
                1 - blocks));
      }
    }
  }

  private static void require(boolean holds, String name, Object value) {
    if (!holds) {
      throw new IllegalArgumentException(name + " is out of range: " + value);
    }
  }
}
