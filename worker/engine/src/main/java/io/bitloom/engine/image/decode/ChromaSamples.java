package io.bitloom.engine.image.decode;

/** Luma and chroma as red, green and blue, in the fixed-point arithmetic of libjpeg. */
final class ChromaSamples {
  private static final int PRECISION = 16;
  private static final int HALF = 1 << PRECISION - 1;
  private static final int LEVELS = 256;
  private static final int[] RED_OF_CR = table(1.40200, HALF, true);
  private static final int[] BLUE_OF_CB = table(1.77200, HALF, true);
  private static final int[] GREEN_OF_CB = table(-0.34414, HALF, false);
  private static final int[] GREEN_OF_CR = table(-0.71414, 0, false);

  private ChromaSamples() {}

  private static int[] table(double factor, int rounding, boolean whole) {
    int fixed = (int) Math.signum(factor) * (int) (Math.abs(factor) * (1 << PRECISION) + 0.5);
    int[] table = new int[LEVELS];
    for (int i = 0; i < LEVELS; i++) {
      int value = fixed * (i - LEVELS / 2) + rounding;
      table[i] = whole ? value >> PRECISION : value;
    }
    return table;
  }

  /**
   * Converts pixels in their place. With a fourth component, black, which stays as it is, the
   * result is what Adobe's files store of cyan, magenta and yellow: the complement.
   */
  static void toRgb(byte[] pixels, int bands) {
    int complement = bands == 4 ? 0xff : 0;
    for (int i = 0; i < pixels.length; i += bands) {
      int luma = pixels[i] & 0xff;
      int cb = pixels[i + 1] & 0xff;
      int cr = pixels[i + 2] & 0xff;
      pixels[i] = (byte) (clamp(luma + RED_OF_CR[cr]) ^ complement);
      int green = clamp(luma + (GREEN_OF_CB[cb] + GREEN_OF_CR[cr] >> PRECISION));
      pixels[i + 1] = (byte) (green ^ complement);
      pixels[i + 2] = (byte) (clamp(luma + BLUE_OF_CB[cb]) ^ complement);
    }
  }

  private static int clamp(int value) {
    return Math.max(0, Math.min(255, value));
  }
}
