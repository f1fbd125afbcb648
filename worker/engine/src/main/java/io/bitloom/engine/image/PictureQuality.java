package io.bitloom.engine.image;

import java.util.Locale;

/** How near a picture is to another of the same size. */
public final class PictureQuality {
  private static final int RADIUS = 5;
  private static final double[] WINDOW = window();
  private static final double C1 = square(0.01 * 255);
  private static final double C2 = square(0.03 * 255);

  private PictureQuality() {}

  /**
   * Peak signal-to-noise ratio over all values, in decibels; infinite for equal pictures.
   *
   * @throws IllegalArgumentException if the pictures have different sizes
   */
  public static double psnr(RgbImage a, RgbImage b) {
    requireSameSize(a, b);
    double sum = 0;
    for (int i = 0; i < a.rgb().length; i++) {
      sum += square((a.rgb()[i] & 0xff) - (b.rgb()[i] & 0xff));
    }
    return 10 * Math.log10(255.0 * 255.0 * a.rgb().length / sum);
  }

  /**
   * Structural similarity (Wang et al. 2004) of the luma (0.299 R + 0.587 G + 0.114 B): Gaussian
   * window of 11×11 with σ 1.5, K₁ 0.01, K₂ 0.03, mean over all windows inside the picture.
   *
   * @throws IllegalArgumentException if the pictures have different sizes or are smaller than the
   *     window
   */
  public static double ssim(RgbImage a, RgbImage b) {
    requireSameSize(a, b);
    if (Math.min(a.width(), a.height()) < WINDOW.length) {
      throw new IllegalArgumentException(
          "SSIM needs at least 11x11 pixels, got " + a.width() + "x" + a.height());
    }
    double[] x = luma(a);
    double[] y = luma(b);
    double[] meanX = smooth(x, a.width(), a.height());
    double[] meanY = smooth(y, a.width(), a.height());
    double[] meanXX = smooth(product(x, x), a.width(), a.height());
    double[] meanYY = smooth(product(y, y), a.width(), a.height());
    double[] meanXY = smooth(product(x, y), a.width(), a.height());
    double sum = 0;
    for (int i = 0; i < meanX.length; i++) {
      double mu = meanX[i] * meanY[i];
      double muXX = square(meanX[i]);
      double muYY = square(meanY[i]);
      double varianceX = meanXX[i] - muXX;
      double varianceY = meanYY[i] - muYY;
      double covariance = meanXY[i] - mu;
      sum +=
          (2 * mu + C1)
              * (2 * covariance + C2)
              / ((muXX + muYY + C1) * (varianceX + varianceY + C2));
    }
    return sum / meanX.length;
  }

  /** Weighted means of all windows inside the picture, first along rows, then along columns. */
  private static double[] smooth(double[] values, int width, int height) {
    int outWidth = width - 2 * RADIUS;
    int outHeight = height - 2 * RADIUS;
    double[] rows = new double[outWidth * height];
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < outWidth; x++) {
        double sum = 0;
        for (int i = 0; i < WINDOW.length; i++) {
          sum += WINDOW[i] * values[y * width + x + i];
        }
        rows[y * outWidth + x] = sum;
      }
    }
    double[] means = new double[outWidth * outHeight];
    for (int y = 0; y < outHeight; y++) {
      for (int x = 0; x < outWidth; x++) {
        double sum = 0;
        for (int i = 0; i < WINDOW.length; i++) {
          sum += WINDOW[i] * rows[(y + i) * outWidth + x];
        }
        means[y * outWidth + x] = sum;
      }
    }
    return means;
  }

  private static double[] window() {
    double[] weights = new double[2 * RADIUS + 1];
    double sum = 0;
    for (int i = 0; i < weights.length; i++) {
      weights[i] = Math.exp(-square(i - RADIUS) / (2 * square(1.5)));
      sum += weights[i];
    }
    for (int i = 0; i < weights.length; i++) {
      weights[i] /= sum;
    }
    return weights;
  }

  private static double[] luma(RgbImage image) {
    byte[] rgb = image.rgb();
    double[] luma = new double[rgb.length / 3];
    for (int i = 0; i < luma.length; i++) {
      luma[i] =
          0.299 * (rgb[3 * i] & 0xff)
              + 0.587 * (rgb[3 * i + 1] & 0xff)
              + 0.114 * (rgb[3 * i + 2] & 0xff);
    }
    return luma;
  }

  private static double[] product(double[] a, double[] b) {
    double[] product = new double[a.length];
    for (int i = 0; i < a.length; i++) {
      product[i] = a[i] * b[i];
    }
    return product;
  }

  private static void requireSameSize(RgbImage a, RgbImage b) {
    if (a.width() != b.width() || a.height() != b.height()) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "pictures of different sizes: %dx%d and %dx%d",
              a.width(),
              a.height(),
              b.width(),
              b.height()));
    }
  }

  private static double square(double x) {
    return x * x;
  }
}
