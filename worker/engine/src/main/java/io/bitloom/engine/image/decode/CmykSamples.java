package io.bitloom.engine.image.decode;

/** Cyan, magenta, yellow and black as red, green and blue, as Pillow converts them. */
final class CmykSamples {
  private static final int CHANNELS = 4;

  private CmykSamples() {}

  /**
   * Converts samples, of which 255 is no ink.
   *
   * @param cmyk four bytes a pixel
   */
  static byte[] rgbOfInverted(byte[] cmyk) {
    byte[] rgb = new byte[cmyk.length / CHANNELS * 3];
    int at = 0;
    for (int i = 0; i < cmyk.length; i += CHANNELS) {
      int light = cmyk[i + 3] & 0xff;
      for (int ink = 0; ink < 3; ink++) {
        rgb[at++] = (byte) (light - share(255 - (cmyk[i + ink] & 0xff), light));
      }
    }
    return rgb;
  }

  /** The same for samples of which 0 is no ink; changes them. */
  static byte[] rgbOf(byte[] cmyk) {
    for (int i = 0; i < cmyk.length; i++) {
      cmyk[i] = (byte) ~cmyk[i];
    }
    return rgbOfInverted(cmyk);
  }

  /** a · b / 255, rounded. */
  private static int share(int a, int b) {
    int product = a * b + 128;
    return (product >> 8) + product >> 8;
  }
}
