package io.bitloom.worker.image;

/**
 * A picture of 8-bit red, green and blue.
 *
 * @param width in pixels
 * @param height in pixels
 * @param rgb three bytes a pixel, row by row from the top, each row from the left; not copied
 */
public record RgbImage(int width, int height, byte[] rgb) {

  /**
   * @throws IllegalArgumentException if a side is not positive or the bytes do not fill the picture
   */
  public RgbImage {
    if (width < 1 || height < 1) {
      throw new IllegalArgumentException(
          "an image needs positive sides: " + width + "x" + height + " pixels");
    }
    long expected = 3L * width * height;
    if (rgb.length != expected) {
      throw new IllegalArgumentException(
          width + "x" + height + " pixels need " + expected + " bytes, got " + rgb.length);
    }
  }

  /** Bytes of one row. */
  int stride() {
    return 3 * width;
  }
}
