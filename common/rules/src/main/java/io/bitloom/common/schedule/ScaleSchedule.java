package io.bitloom.common.schedule;

import java.util.List;

/**
 * The token maps that make one image, smallest first. Only images of one schedule can share a
 * batch.
 *
 * @param template key of the aspect-ratio template, {@code h/w}
 * @param size the size class
 * @param scales the K scales
 */
public record ScaleSchedule(String template, SizeClass size, List<Scale> scales) {

  /** Pixels per token side: the tokenizer's stride, or stride 8 times patch 2. */
  public static final int PIXELS_PER_TOKEN = 16;

  public ScaleSchedule {
    scales = List.copyOf(scales);
    if (scales.isEmpty()) {
      throw new IllegalArgumentException("a schedule needs at least one scale");
    }
  }

  /** The largest scale. */
  public Scale last() {
    return scales.get(scales.size() - 1);
  }

  public int pixelHeight() {
    return last().height() * PIXELS_PER_TOKEN;
  }

  public int pixelWidth() {
    return last().width() * PIXELS_PER_TOKEN;
  }

  /** Sequence length L, the tokens of all scales. */
  public int tokens() {
    return scales.stream().mapToInt(Scale::tokens).sum();
  }

  /** The name in keys, files and interfaces, after the official table: {@code 0.666_0.25M}. */
  public String id() {
    return template + "_" + size.label();
  }

  /** Width to height in small whole numbers: {@code 3:2}. */
  public String shape() {
    return AspectRatioTemplate.shape(Double.parseDouble(template));
  }

  /** The name that people read: {@code 3:2 0.25M}. */
  @Override
  public String toString() {
    return shape() + " " + size.label();
  }
}
