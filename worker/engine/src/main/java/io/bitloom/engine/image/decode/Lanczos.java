package io.bitloom.engine.image.decode;

import io.bitloom.engine.image.RgbImage;

/**
 * Resizes pictures with the Lanczos filter, in the fixed-point arithmetic of the Pillow library,
 * which the reference prepares its pictures with: columns first, then rows, each rounded to 8 bits.
 */
final class Lanczos {
  private static final double SUPPORT = 3;
  private static final int PRECISION = 22;
  private static final int CHANNELS = 3;

  private Lanczos() {}

  /**
   * A part of an axis in another size: all that is computed of it.
   *
   * @param from source cells of the whole axis
   * @param to target cells of the whole axis
   * @param first of the target cells that are wanted
   * @param count of the target cells that are wanted
   */
  record Axis(int from, long to, long first, int count) {
    private double scale() {
      return (double) from / to;
    }

    private double support() {
      return SUPPORT * Math.max(scale(), 1);
    }

    private double centre(long target) {
      return (target + 0.5) * scale();
    }

    /** The first source cell that counts. */
    int start() {
      return to == from ? (int) first : Math.max(0, (int) (centre(first) - support() + 0.5));
    }

    /** The cell after the last source cell that counts. */
    int end() {
      long last = first + count - 1;
      return to == from ? (int) last + 1 : Math.min(from, (int) (centre(last) + support() + 0.5));
    }

    /**
     * The windows over source cells of which only every step-th is there, from the first one that
     * counts on.
     */
    private Window[] windows(int step, int cells) {
      double stretch = Math.max(scale() / step, 1);
      double support = SUPPORT * stretch;
      int start = start();
      Window[] windows = new Window[count];
      for (int i = 0; i < count; i++) {
        windows[i] = window((centre(first + i) - start) / step, support, stretch, cells);
      }
      return windows;
    }
  }

  /** Which source cells make a target cell, and with which weights. */
  private record Window(int first, int[] weights) {}

  /**
   * A part of a picture in another size.
   *
   * @param image what lies between the starts and ends of both axes, of which only every step-th
   *     column and row is there
   */
  static RgbImage resize(RgbImage image, Axis across, Axis down, int step) {
    byte[] wide = image.rgb();
    if (across.to() != across.from() || step > 1) {
      wide = columns(wide, image.height(), image.width(), across.windows(step, image.width()));
    }
    if (down.to() != down.from() || step > 1) {
      wide = rows(wide, across.count(), down.windows(step, image.height()));
    }
    return new RgbImage(across.count(), down.count(), wide);
  }

  private static byte[] columns(byte[] source, int height, int from, Window[] windows) {
    int to = windows.length;
    byte[] target = new byte[Math.multiplyExact(height * CHANNELS, to)];
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < to; x++) {
        int start = (y * from + windows[x].first) * CHANNELS;
        mix(source, start, CHANNELS, windows[x].weights, target, (y * to + x) * CHANNELS);
      }
    }
    return target;
  }

  private static byte[] rows(byte[] source, int width, Window[] windows) {
    byte[] target = new byte[windows.length * width * CHANNELS];
    for (int y = 0; y < windows.length; y++) {
      for (int x = 0; x < width; x++) {
        int start = (windows[y].first * width + x) * CHANNELS;
        int at = (y * width + x) * CHANNELS;
        mix(source, start, width * CHANNELS, windows[y].weights, target, at);
      }
    }
    return target;
  }

  private static void mix(
      byte[] source, int start, int stride, int[] weights, byte[] target, int at) {
    int red = 1 << (PRECISION - 1);
    int green = red;
    int blue = red;
    int from = start;
    for (int weight : weights) {
      red += (source[from] & 0xff) * weight;
      green += (source[from + 1] & 0xff) * weight;
      blue += (source[from + 2] & 0xff) * weight;
      from += stride;
    }
    target[at] = rounded(red);
    target[at + 1] = rounded(green);
    target[at + 2] = rounded(blue);
  }

  private static byte rounded(int sum) {
    return (byte) Math.max(0, Math.min(255, sum >> PRECISION));
  }

  private static Window window(double centre, double support, double stretch, int cells) {
    int first = Math.max(0, Math.min(cells - 1, (int) (centre - support + 0.5)));
    int count = Math.max(1, Math.min(cells, (int) (centre + support + 0.5)) - first);
    double[] weights = new double[count];
    double sum = 0;
    for (int j = 0; j < count; j++) {
      weights[j] = filter((first + j - centre + 0.5) / stretch);
      sum += weights[j];
    }
    int[] fixed = new int[count];
    for (int j = 0; j < count; j++) {
      fixed[j] = (int) Math.round(weights[j] / sum * (1 << PRECISION));
    }
    return new Window(first, fixed);
  }

  private static double filter(double x) {
    return Math.abs(x) < SUPPORT ? sinc(x) * sinc(x / SUPPORT) : 0;
  }

  private static double sinc(double x) {
    return x == 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
  }
}
