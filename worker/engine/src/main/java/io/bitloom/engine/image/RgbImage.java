package io.bitloom.engine.image;

import java.awt.Transparency;
import java.awt.color.ColorSpace;
import java.awt.image.BufferedImage;
import java.awt.image.ComponentColorModel;
import java.awt.image.DataBuffer;
import java.awt.image.DataBufferByte;
import java.awt.image.PixelInterleavedSampleModel;
import java.awt.image.Raster;

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

  /** The colours of an image of {@code java.awt}, without its transparency. */
  public static RgbImage of(BufferedImage image) {
    int width = image.getWidth();
    int height = image.getHeight();
    int[] pixels = image.getRGB(0, 0, width, height, null, 0, width);
    byte[] rgb = new byte[3 * pixels.length];
    for (int i = 0; i < pixels.length; i++) {
      rgb[3 * i] = (byte) (pixels[i] >> 16);
      rgb[3 * i + 1] = (byte) (pixels[i] >> 8);
      rgb[3 * i + 2] = (byte) pixels[i];
    }
    return new RgbImage(width, height, rgb);
  }

  /** Bytes of one row. */
  int stride() {
    return 3 * width;
  }

  /** The same bytes as {@code java.awt} sees them, without a copy. */
  BufferedImage view() {
    ComponentColorModel colours =
        new ComponentColorModel(
            ColorSpace.getInstance(ColorSpace.CS_sRGB),
            false,
            false,
            Transparency.OPAQUE,
            DataBuffer.TYPE_BYTE);
    PixelInterleavedSampleModel pixels =
        new PixelInterleavedSampleModel(
            DataBuffer.TYPE_BYTE, width, height, 3, stride(), new int[] {0, 1, 2});
    DataBufferByte bytes = new DataBufferByte(rgb, rgb.length);
    return new BufferedImage(
        colours, Raster.createWritableRaster(pixels, bytes, null), false, null);
  }
}
