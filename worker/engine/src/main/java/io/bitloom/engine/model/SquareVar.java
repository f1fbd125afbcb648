package io.bitloom.engine.model;

import io.bitloom.common.schedule.Scale;
import io.bitloom.common.schedule.SizeClass;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * What a class-conditional VAR (arXiv 2404.02905), the baseline that Infinity grew out of, has
 * instead: a class label instead of text and cross-attention, one schedule of square token maps
 * with a learned embedding of every place instead of rotary positions, and tokens that are indices
 * of a codebook instead of bits.
 *
 * @param classes number of classes; the label after the last one stands for none
 * @param vocabulary entries of the codebook
 * @param sides of the token maps, 1 first
 */
public record SquareVar(int classes, int vocabulary, List<Integer> sides) {
  /** What the official constructor takes where nothing is said, for 256×256 pixels. */
  private static final SizeClass USUAL = SizeClass.VAR_256;

  /** A label is a text of one row with one channel, its number. */
  public static final int LABEL_CHANNELS = 1;

  /** Without cosine attention the official VAR takes a quarter of the usual 1/√c. */
  static final double ATTENTION_TAU = 4;

  private static final int MOST_CLASSES = 1 << 20;
  private static final int MOST_ENTRIES = 1 << 24;
  private static final int LARGEST_SIDE = 128;

  /**
   * @throws IllegalArgumentException if a value is out of range; the message names the official key
   */
  public SquareVar {
    sides = List.copyOf(sides);
    require(classes > 0 && classes <= MOST_CLASSES, "num_classes", classes);
    require(vocabulary > 0 && vocabulary <= MOST_ENTRIES, "vocab_size", vocabulary);
    boolean growing = sides.size() > 1 && sides.get(0) == 1;
    for (int k = 1; k < sides.size(); k++) {
      growing &= sides.get(k) > sides.get(k - 1) && sides.get(k) <= LARGEST_SIDE;
    }
    require(growing && sides.size() <= InfinityConfig.MAX_SCALES, "patch_nums", sides);
  }

  /** The K scales. */
  public List<Scale> scales() {
    return sides.stream().map(side -> new Scale(side, side)).toList();
  }

  /** The size class with these scales, if there is one. */
  public Optional<SizeClass> size() {
    return Arrays.stream(SizeClass.values())
        .filter(size -> size.squares().equals(scales()))
        .findFirst();
  }

  /** That no size class has these scales, for messages. */
  public String unknownSides() {
    return "patch_nums: expected "
        + Arrays.stream(SizeClass.values())
            .filter(SizeClass::squareOnly)
            .map(size -> sides(size) + " (" + size + ")")
            .collect(Collectors.joining(" or "))
        + ", found "
        + sides;
  }

  /** The sides of the released models' token maps for a size that is square only. */
  public static List<Integer> sides(SizeClass size) {
    return size.squares().stream().map(Scale::height).toList();
  }

  /** The sides that the official constructor takes where nothing is said. */
  static List<Integer> usualSides() {
    return sides(USUAL);
  }

  /** Tokens of all scales L. */
  public int tokens() {
    return sides.stream().mapToInt(side -> side * side).sum();
  }

  private static void require(boolean holds, String key, Object value) {
    if (!holds) {
      throw new IllegalArgumentException(key + " is out of range: " + value);
    }
  }
}
