package io.bitloom.common.schedule;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * The image sizes of the released models.
 *
 * <p>Infinity's are named by their rough number of pixels and come in all aspect ratios: a size
 * takes the first {@link #scales()} scales of its template's row. Those of class-conditional VAR
 * (arXiv 2404.02905) are named by their side in pixels and are square, with scales of their own.
 */
public enum SizeClass {
  PIXELS_0_06M("0.06M", 7),
  PIXELS_0_25M("0.25M", 10),
  PIXELS_0_60M("0.60M", 12),
  PIXELS_1M("1M", 13),
  VAR_256("var256", new int[] {1, 2, 3, 4, 5, 6, 8, 10, 13, 16}),
  VAR_512("var512", new int[] {1, 2, 3, 4, 6, 9, 13, 18, 24, 32});

  private final String label;
  private final int scales;
  private final List<Scale> squares;

  SizeClass(String label, int scales) {
    this.label = label;
    this.scales = scales;
    this.squares = List.of();
  }

  SizeClass(String label, int[] sides) {
    this.label = label;
    this.scales = sides.length;
    this.squares = IntStream.of(sides).mapToObj(side -> new Scale(side, side)).toList();
  }

  /** The name users write: {@code 0.06M}, {@code var256}… */
  public String label() {
    return label;
  }

  /** Number of scales K. */
  public int scales() {
    return scales;
  }

  /** Whether images of this size are square, and nothing else. */
  public boolean squareOnly() {
    return !squares.isEmpty();
  }

  /** The scales of a size that is square only; empty for others. */
  public List<Scale> squares() {
    return squares;
  }

  /** The size with this label, if there is one. */
  public static Optional<SizeClass> find(String label) {
    return Arrays.stream(values()).filter(size -> size.label.equals(label)).findFirst();
  }

  /** The sizes that come in all aspect ratios, the smallest first. */
  public static List<SizeClass> ofAllShapes() {
    return Arrays.stream(values()).filter(size -> !size.squareOnly()).toList();
  }

  /** All labels, for messages. */
  public static String labels() {
    return labels(List.of(values()));
  }

  /** The labels of some sizes, for messages. */
  public static String labels(List<SizeClass> sizes) {
    return sizes.stream().map(SizeClass::label).collect(Collectors.joining(", "));
  }

  @Override
  public String toString() {
    return label;
  }
}
