package io.bitloom.training.data.demo;

import io.bitloom.engine.image.RgbImage;
import java.awt.image.BufferedImage;

/**
 * A picture as the checker sees it: the mean colour of cells of 4×4 pixels in Oklab, a space in
 * which equal distances look equally large. The mean forgives the blur of a small tokenizer.
 *
 * @param width in cells
 * @param height in cells
 * @param lab three numbers a cell: L, a, b
 * @param alpha opacity of every cell, 0 to 1
 */
public record Cells(int width, int height, float[] lab, float[] alpha) {
  /** Pixels along a cell's side. */
  static final int SIDE = 4;

  private static final float[] LINEAR = linear();

  /** The cells of an opaque picture; a rest of less than a cell is left out. */
  public static Cells of(RgbImage image) {
    int[] argb = new int[image.width() * image.height()];
    byte[] rgb = image.rgb();
    for (int i = 0; i < argb.length; i++) {
      argb[i] =
          0xff000000
              | (rgb[3 * i] & 0xff) << 16
              | (rgb[3 * i + 1] & 0xff) << 8
              | rgb[3 * i + 2] & 0xff;
    }
    return of(argb, image.width(), image.height());
  }

  static Cells of(BufferedImage image) {
    int width = image.getWidth();
    int height = image.getHeight();
    return of(image.getRGB(0, 0, width, height, null, 0, width), width, height);
  }

  private static Cells of(int[] argb, int pixelWidth, int pixelHeight) {
    int width = pixelWidth / SIDE;
    int height = pixelHeight / SIDE;
    float[] lab = new float[3 * width * height];
    float[] alpha = new float[width * height];
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        float red = 0;
        float green = 0;
        float blue = 0;
        float opacity = 0;
        for (int i = 0; i < SIDE * SIDE; i++) {
          int pixel = argb[(y * SIDE + i / SIDE) * pixelWidth + x * SIDE + i % SIDE];
          float weight = (pixel >>> 24) / 255f;
          red += weight * LINEAR[pixel >> 16 & 0xff];
          green += weight * LINEAR[pixel >> 8 & 0xff];
          blue += weight * LINEAR[pixel & 0xff];
          opacity += weight;
        }
        int at = y * width + x;
        alpha[at] = opacity / (SIDE * SIDE);
        if (opacity > 0) {
          oklab(red / opacity, green / opacity, blue / opacity, lab, 3 * at);
        }
      }
    }
    return new Cells(width, height, lab, alpha);
  }

  /** Linear sRGB to Oklab (Ottosson 2020). */
  private static void oklab(float red, float green, float blue, float[] lab, int at) {
    double l = Math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue);
    double m = Math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue);
    double s = Math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue);
    lab[at] = (float) (0.2104542553 * l + 0.7936177850 * m - 0.0040720468 * s);
    lab[at + 1] = (float) (1.9779984951 * l - 2.4285922050 * m + 0.4505937099 * s);
    lab[at + 2] = (float) (0.0259040371 * l + 0.7827717662 * m - 0.8086757660 * s);
  }

  private static float[] linear() {
    float[] linear = new float[256];
    for (int i = 0; i < linear.length; i++) {
      double v = i / 255.0;
      linear[i] = (float) (v <= 0.04045 ? v / 12.92 : Math.pow((v + 0.055) / 1.055, 2.4));
    }
    return linear;
  }

  /** The colours with other cells laid over them at a place inside. */
  float[] under(Cells top, int left, int upper) {
    float[] covered = lab.clone();
    for (int y = 0; y < top.height; y++) {
      for (int x = 0; x < top.width; x++) {
        float opacity = top.alpha[y * top.width + x];
        int to = 3 * ((upper + y) * width + left + x);
        int from = 3 * (y * top.width + x);
        for (int c = 0; c < 3; c++) {
          covered[to + c] += opacity * (top.lab[from + c] - covered[to + c]);
        }
      }
    }
    return covered;
  }
}
