package io.bitloom.engine.image.decode;

import java.io.IOException;

/**
 * What a file says of its picture before pixels are decoded.
 *
 * @param width in pixels, as stored
 * @param height in pixels, as stored
 * @param sampleBytes bytes a decoded pixel takes in the decoder
 * @param whole whether the decoder holds all pixels, however small the part that is wanted
 * @param orientation as the EXIF tag says
 * @param profile the ICC profile; null for none
 */
record PictureHeader(
    int width,
    int height,
    int sampleBytes,
    boolean whole,
    Orientation orientation,
    byte[] profile) {
  /** Where Pillow, too, refuses a picture. */
  static final long MOST_PIXELS = 178_956_970;

  /** Of formats that are decoded as a whole. */
  static final long MOST_PIXELS_WHOLE = 64_000_000;

  private static final int RGB_BYTES = 3;

  /**
   * @throws IOException if there are no pixels, or more than are decoded
   */
  void check() throws IOException {
    if (width < 1 || height < 1) {
      throw new IOException("is damaged: it says that it has " + width + "x" + height + " pixels");
    }
    long most = whole ? MOST_PIXELS_WHOLE : MOST_PIXELS;
    if ((long) width * height > most) {
      throw new IOException(
          "has "
              + width
              + "x"
              + height
              + " pixels, more than the "
              + most
              + " that are decoded"
              + (whole ? " of such a file" : ""));
    }
  }

  /** Bytes of memory that decoding a part takes; {@code pixels} are those of its result. */
  long memory(long pixels) {
    long decoded = whole ? (long) width * height : pixels;
    long turned = orientation.equals(Orientation.UPRIGHT) ? 0 : RGB_BYTES * pixels;
    return decoded * sampleBytes + RGB_BYTES * pixels + turned;
  }
}
