package io.bitloom.common.schedule;

import java.util.List;

/**
 * An aspect ratio that the models know.
 *
 * @param hDivW height over width, with at most three decimals as the official table writes it
 * @param scales all scales of the largest size, smallest first
 */
public record AspectRatioTemplate(double hDivW, List<Scale> scales) {

  private static final double KEY_DIGIT = 0.001;

  /** The key of the official table: {@code 1.0}, {@code 0.666}, {@code 1.333}… */
  public String key() {
    return Double.toString(hDivW);
  }

  /** The name that people read: width to height in small whole numbers, {@code 7:4}. */
  public String shape() {
    return shape(hDivW);
  }

  /** The small whole numbers that a key of the table is the first three decimals of. */
  static String shape(double hDivW) {
    int width = 1;
    while (Math.abs(Math.round(hDivW * width) - hDivW * width) >= KEY_DIGIT * width) {
      width++;
    }
    return width + ":" + Math.round(hDivW * width);
  }

  /** Whether images of a size can have this shape. */
  public boolean has(SizeClass size) {
    return !size.squareOnly() || hDivW == 1;
  }

  /**
   * This template's schedule for a size.
   *
   * @throws IllegalArgumentException if the template is not square, and the size is
   */
  public ScaleSchedule schedule(SizeClass size) {
    if (!has(size)) {
      throw new IllegalArgumentException(size + " is square only, not " + key());
    }
    return new ScaleSchedule(
        key(), size, size.squareOnly() ? size.squares() : scales.subList(0, size.scales()));
  }
}
