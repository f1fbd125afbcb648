package io.bitloom.common.schedule;

import java.util.ArrayList;
import java.util.List;

/**
 * One scale of a schedule: a map of {@code height × width} tokens that the transformer predicts in
 * parallel.
 */
public record Scale(int height, int width) {

  /**
   * @throws IllegalArgumentException if a side is not positive
   */
  public Scale {
    if (height < 1 || width < 1) {
      throw new IllegalArgumentException("a scale needs positive sides: " + height + "x" + width);
    }
  }

  /** Number of tokens, {@code h · w}. */
  public int tokens() {
    return height * width;
  }

  /** For each scale, how many tokens it and all earlier ones have. */
  public static List<Integer> ends(List<Scale> scales) {
    List<Integer> ends = new ArrayList<>();
    int end = 0;
    for (Scale scale : scales) {
      end += scale.tokens();
      ends.add(end);
    }
    return ends;
  }

  /** The same scale with both sides doubled: what the tokenizer sees under spatial patchify. */
  public Scale doubled() {
    return new Scale(2 * height, 2 * width);
  }

  @Override
  public String toString() {
    return height + "x" + width;
  }
}
