package io.bitloom.worker.image;

import java.awt.Transparency;
import java.awt.color.ColorSpace;
import java.awt.image.BufferedImage;
import java.awt.image.ComponentColorModel;
import java.awt.image.DataBuffer;
import java.awt.image.DataBufferByte;
import java.awt.image.PixelInterleavedSampleModel;
import java.awt.image.Raster;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;
import javax.imageio.stream.MemoryCacheImageOutputStream;

/** Writes JPEG files at quality 95 through {@code javax.imageio}. */
public final class JpegEncoder {
  private static final float QUALITY = 0.95f;
  private static final ComponentColorModel RGB =
      new ComponentColorModel(
          ColorSpace.getInstance(ColorSpace.CS_sRGB),
          false,
          false,
          Transparency.OPAQUE,
          DataBuffer.TYPE_BYTE);

  private JpegEncoder() {}

  /** Encodes a picture. */
  public static byte[] encode(RgbImage image) {
    ByteArrayOutputStream file = new ByteArrayOutputStream(image.rgb().length / 4 + 1024);
    ImageWriter writer = ImageIO.getImageWritersByFormatName("jpeg").next();
    try (MemoryCacheImageOutputStream out = new MemoryCacheImageOutputStream(file)) {
      ImageWriteParam quality = writer.getDefaultWriteParam();
      quality.setCompressionMode(ImageWriteParam.MODE_EXPLICIT);
      quality.setCompressionQuality(QUALITY);
      writer.setOutput(out);
      writer.write(null, new IIOImage(view(image), null, null), quality);
    } catch (IOException e) {
      throw new UncheckedIOException("JPEG of " + image.width() + "x" + image.height(), e);
    } finally {
      writer.dispose();
    }
    return file.toByteArray();
  }

  /** The same bytes as {@code java.awt} sees them, without a copy. */
  private static BufferedImage view(RgbImage image) {
    PixelInterleavedSampleModel pixels =
        new PixelInterleavedSampleModel(
            DataBuffer.TYPE_BYTE,
            image.width(),
            image.height(),
            3,
            image.stride(),
            new int[] {0, 1, 2});
    DataBufferByte bytes = new DataBufferByte(image.rgb(), image.rgb().length);
    return new BufferedImage(RGB, Raster.createWritableRaster(pixels, bytes, null), false, null);
  }
}
