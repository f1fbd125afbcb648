package io.bitloom.engine.image.decode;

import io.bitloom.engine.image.RgbImage;
import java.awt.Rectangle;
import java.awt.image.BufferedImage;
import java.awt.image.ColorModel;
import java.awt.image.DataBuffer;
import java.awt.image.DataBufferByte;
import java.awt.image.IndexColorModel;
import java.awt.image.PixelInterleavedSampleModel;
import java.awt.image.Raster;
import java.io.IOException;

/**
 * What decoded samples mean, by the rules of Pillow's {@code convert("RGB")}: grey is as stored and
 * never linear light, of 16 bits the upper 8 count, transparency is left away. Pillow itself clips
 * 16-bit grey at 255, which leaves nothing of a photograph; it is taken like 16-bit grey with
 * alpha.
 */
final class Samples {
  private static final int CHANNELS = 3;

  private Samples() {}

  /**
   * The colours of an image.
   *
   * @throws IOException if its samples are of a kind that is not understood
   */
  static RgbImage rgb(BufferedImage image) throws IOException {
    ColorModel colours = image.getColorModel();
    Raster raster = image.getRaster();
    if (colours instanceof IndexColorModel) {
      return indexed(raster, (IndexColorModel) colours);
    }
    if (raster.getSampleModel() instanceof PixelInterleavedSampleModel) {
      return components(raster);
    }
    if (!colours.getColorSpace().isCS_sRGB()) {
      return components(raster);
    }
    return RgbImage.of(image); // packed red, green and blue, which java.awt scales as Pillow does
  }

  private static RgbImage indexed(Raster raster, IndexColorModel palette) {
    int width = raster.getWidth();
    byte[] rgb = new byte[CHANNELS * width * raster.getHeight()];
    int[] colours = new int[palette.getMapSize()];
    palette.getRGBs(colours);
    int[] row = new int[width];
    int at = 0;
    for (int y = 0; y < raster.getHeight(); y++) {
      raster.getSamples(raster.getMinX(), raster.getMinY() + y, width, 1, 0, row);
      for (int index : row) {
        int colour = index < colours.length ? colours[index] : 0;
        rgb[at++] = (byte) (colour >> 16);
        rgb[at++] = (byte) (colour >> 8);
        rgb[at++] = (byte) colour;
      }
    }
    return new RgbImage(width, raster.getHeight(), rgb);
  }

  private static RgbImage components(Raster raster) throws IOException {
    int bands = raster.getNumBands();
    int bits = raster.getSampleModel().getSampleSize(0);
    int type = raster.getDataBuffer().getDataType();
    boolean whole = type == DataBuffer.TYPE_BYTE || type == DataBuffer.TYPE_USHORT;
    if (!whole || bands > 4 || bits > 16) {
      throw new IOException("has " + bands + " samples of " + bits + " bits, which are not read");
    }
    byte[] known = bands == CHANNELS && bits == 8 ? interleaved(raster) : null;
    int width = raster.getWidth();
    byte[] rgb = known != null ? known : new byte[CHANNELS * width * raster.getHeight()];
    if (known == null) {
      int[] row = new int[width * bands];
      for (int y = 0; y < raster.getHeight(); y++) {
        raster.getPixels(raster.getMinX(), raster.getMinY() + y, width, 1, row);
        row(row, bands, bits, rgb, CHANNELS * width * y);
      }
    }
    return new RgbImage(width, raster.getHeight(), rgb);
  }

  /** Bands are grey, grey and alpha, RGB, or RGB and alpha. */
  private static void row(int[] row, int bands, int bits, byte[] rgb, int start) {
    int green = bands < CHANNELS ? 0 : 1;
    int blue = bands < CHANNELS ? 0 : 2;
    int at = start;
    for (int i = 0; i < row.length; i += bands) {
      rgb[at++] = scaled(row[i], bits);
      rgb[at++] = scaled(row[i + green], bits);
      rgb[at++] = scaled(row[i + blue], bits);
    }
  }

  private static byte scaled(int sample, int bits) {
    if (bits == 8) {
      return (byte) sample;
    }
    return (byte) (bits > 8 ? sample >> bits - 8 : sample * 255 / ((1 << bits) - 1));
  }

  /** The array of three bytes a pixel itself, in the order red, green, blue; null for others. */
  private static byte[] interleaved(Raster raster) {
    byte[] bytes = ownBytes(raster, CHANNELS);
    if (bytes == null) {
      return null;
    }
    int[] offsets = ((PixelInterleavedSampleModel) raster.getSampleModel()).getBandOffsets();
    if (offsets[0] == 2 && offsets[1] == 1 && offsets[2] == 0) {
      for (int i = 0; i < bytes.length; i += CHANNELS) {
        byte blue = bytes[i];
        bytes[i] = bytes[i + 2];
        bytes[i + 2] = blue;
      }
      return bytes;
    }
    return offsets[0] == 0 && offsets[1] == 1 && offsets[2] == 2 ? bytes : null;
  }

  /**
   * The array under a raster, if it has nothing but the raster's interleaved samples of 8 bits;
   * otherwise null.
   */
  static byte[] ownBytes(Raster raster, int bands) {
    if (raster.getParent() != null
        || raster.getNumBands() != bands
        || !(raster.getDataBuffer() instanceof DataBufferByte)
        || !(raster.getSampleModel() instanceof PixelInterleavedSampleModel)) {
      return null;
    }
    PixelInterleavedSampleModel model = (PixelInterleavedSampleModel) raster.getSampleModel();
    byte[] bytes = ((DataBufferByte) raster.getDataBuffer()).getData();
    boolean dense =
        model.getPixelStride() == bands
            && model.getScanlineStride() == bands * raster.getWidth()
            && raster.getDataBuffer().getOffset() == 0
            && bytes.length == bands * raster.getWidth() * raster.getHeight();
    return dense ? bytes : null;
  }

  /** Every step-th pixel of a part, for decoders that give everything. */
  static RgbImage part(RgbImage whole, Rectangle part, int step) {
    if (step == 1 && part.width == whole.width() && part.height == whole.height()) {
      return whole;
    }
    int width = (part.width + step - 1) / step;
    int height = (part.height + step - 1) / step;
    byte[] rgb = new byte[CHANNELS * width * height];
    int at = 0;
    for (int y = 0; y < height; y++) {
      int row = part.y + Math.min(y * step + step / 2, part.height - 1);
      for (int x = 0; x < width; x++) {
        int column = part.x + Math.min(x * step + step / 2, part.width - 1);
        int from = CHANNELS * (row * whole.width() + column);
        rgb[at++] = whole.rgb()[from];
        rgb[at++] = whole.rgb()[from + 1];
        rgb[at++] = whole.rgb()[from + 2];
      }
    }
    return new RgbImage(width, height, rgb);
  }
}
