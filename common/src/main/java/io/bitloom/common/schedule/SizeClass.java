package io.bitloom.common.schedule;

import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * The image sizes of the released models, named by their rough number of pixels. A size takes the
 * first {@link #scales()} scales of its template's row.
 */
public enum SizeClass {
  PIXELS_0_06M("0.06M", 7),
  PIXELS_0_25M("0.25M", 10),
  PIXELS_0_60M("0.60M", 12),
  PIXELS_1M("1M", 13);

  private final String label;
  private final int scales;

  SizeClass(String label, int scales) {
    this.label = label;
    this.scales = scales;
  }

  /** The name users write: {@code 0.06M}, {@code 0.25M}, {@code 0.60M} or {@code 1M}. */
  public String label() {
    return label;
  }

  /** Number of scales K. */
  public int scales() {
    return scales;
  }

  /** The size with this label, if there is one. */
  public static Optional<SizeClass> find(String label) {
    return Arrays.stream(values()).filter(size -> size.label.equals(label)).findFirst();
  }

  /** All labels, for messages. */
  public static String labels() {
    return Arrays.stream(values()).map(SizeClass::label).collect(Collectors.joining(", "));
  }

  @Override
  public String toString() {
    return label;
  }
}
