package io.bitloom.engine.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

class PictureQualityTest {
  private static final int WIDTH = 30;
  private static final int HEIGHT = 24;

  /** The pattern of the reference values, which numpy computed window by window. */
  private static RgbImage pattern(boolean changed) {
    byte[] rgb = new byte[3 * WIDTH * HEIGHT];
    for (int y = 0; y < HEIGHT; y++) {
      for (int x = 0; x < WIDTH; x++) {
        for (int c = 0; c < 3; c++) {
          int value = (7 * x + 13 * y + 29 * c) % 256;
          rgb[3 * (y * WIDTH + x) + c] =
              (byte) (changed ? value * 3 / 4 + 5 * ((x * y) % 7) : value);
        }
      }
    }
    return new RgbImage(WIDTH, HEIGHT, rgb);
  }

  private static RgbImage grey(int value) {
    byte[] rgb = new byte[3 * WIDTH * HEIGHT];
    java.util.Arrays.fill(rgb, (byte) value);
    return new RgbImage(WIDTH, HEIGHT, rgb);
  }

  @Test
  void valuesAreThoseOfAnIndependentComputation() {
    assertEquals(18.753048326876, PictureQuality.psnr(pattern(false), pattern(true)), 1e-9);
    assertEquals(0.870549244929, PictureQuality.ssim(pattern(false), pattern(true)), 1e-9);
  }

  @Test
  void equalPicturesAreAsNearAsCanBe() {
    assertEquals(Double.POSITIVE_INFINITY, PictureQuality.psnr(grey(7), grey(7)));
    assertEquals(1, PictureQuality.ssim(pattern(true), pattern(true)), 1e-12);
  }

  @Test
  void flatPicturesHaveTheValuesOfTheFormula() {
    double c1 = 6.5025;
    assertEquals(20 * Math.log10(255.0 / 10), PictureQuality.psnr(grey(90), grey(100)), 1e-9);
    assertEquals(
        (2 * 90 * 100 + c1) / (90 * 90 + 100 * 100 + c1),
        PictureQuality.ssim(grey(90), grey(100)),
        1e-9);
  }

  @Test
  void picturesOfDifferentSizesCannotBeCompared() {
    RgbImage dot = new RgbImage(1, 1, new byte[3]);
    assertThrows(IllegalArgumentException.class, () -> PictureQuality.psnr(dot, grey(1)));
    assertThrows(IllegalArgumentException.class, () -> PictureQuality.ssim(dot, dot));
  }
}
