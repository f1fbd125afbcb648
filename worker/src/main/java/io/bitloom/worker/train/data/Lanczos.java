package io.bitloom.worker.train.data;

import io.bitloom.worker.image.RgbImage;

/**
 * Resizes pictures with the Lanczos filter, in the fixed-point arithmetic of the Pillow library,
 * which the reference prepares its pictures with: columns first, then rows, each rounded to 8 bits.
 */
final class Lanczos {
  private static final double SUPPORT = 3;
  private static final int PRECISION = 22;
  private static final int CHANNELS = 3;

  private Lanczos() {}

  /** The picture in another size. */
  static RgbImage resize(RgbImage image, int width, int height) {
    byte[] wide = image.rgb();
    if (width != image.width()) {
      wide = columns(wide, image.height(), image.width(), width);
    }
    if (height != image.height()) {
      wide = rows(wide, width, image.height(), height);
    }
    return new RgbImage(width, height, wide);
  }

  /** Which source cells make a target cell, and with which weights. */
  private record Window(int first, int[] weights) {}

  private static byte[] columns(byte[] source, int height, int from, int to) {
    Window[] windows = windows(from, to);
    byte[] target = new byte[height * to * CHANNELS];
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < to; x++) {
        int start = (y * from + windows[x].first) * CHANNELS;
        mix(source, start, CHANNELS, windows[x].weights, target, (y * to + x) * CHANNELS);
      }
    }
    return target;
  }

  private static byte[] rows(byte[] source, int width, int from, int to) {
    Window[] windows = windows(from, to);
    byte[] target = new byte[to * width * CHANNELS];
    for (int y = 0; y < to; y++) {
      for (int x = 0; x < width; x++) {
        int start = (windows[y].first * width + x) * CHANNELS;
        mix(
            source,
            start,
            width * CHANNELS,
            windows[y].weights,
            target,
            (y * width + x) * CHANNELS);
      }
    }
    return target;
  }

  private static void mix(
      byte[] source, int start, int stride, int[] weights, byte[] target, int at) {
    for (int channel = 0; channel < CHANNELS; channel++) {
      int sum = 1 << (PRECISION - 1);
      for (int i = 0; i < weights.length; i++) {
        sum += (source[start + i * stride + channel] & 0xff) * weights[i];
      }
      target[at + channel] = (byte) Math.max(0, Math.min(255, sum >> PRECISION));
    }
  }

  private static Window[] windows(int from, int to) {
    double scale = (double) from / to;
    double stretch = Math.max(scale, 1);
    double support = SUPPORT * stretch;
    Window[] windows = new Window[to];
    for (int i = 0; i < to; i++) {
      double centre = (i + 0.5) * scale;
      int first = Math.max(0, (int) (centre - support + 0.5));
      int count = Math.min(from, (int) (centre + support + 0.5)) - first;
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
      windows[i] = new Window(first, fixed);
    }
    return windows;
  }

  private static double filter(double x) {
    return Math.abs(x) < SUPPORT ? sinc(x) * sinc(x / SUPPORT) : 0;
  }

  private static double sinc(double x) {
    return x == 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
  }
}
