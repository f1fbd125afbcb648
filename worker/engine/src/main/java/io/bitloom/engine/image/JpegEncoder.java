package io.bitloom.engine.image;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;
import javax.imageio.stream.MemoryCacheImageOutputStream;

/** Writes JPEG files through {@code javax.imageio}. */
public final class JpegEncoder {
  private JpegEncoder() {}

  /**
   * Encodes a picture.
   *
   * @param quality 1 to 100
   */
  public static byte[] encode(RgbImage image, int quality) {
    ByteArrayOutputStream file = new ByteArrayOutputStream(image.rgb().length / 4 + 1024);
    ImageWriter writer = ImageIO.getImageWritersByFormatName("jpeg").next();
    try (MemoryCacheImageOutputStream out = new MemoryCacheImageOutputStream(file)) {
      ImageWriteParam settings = writer.getDefaultWriteParam();
      settings.setCompressionMode(ImageWriteParam.MODE_EXPLICIT);
      settings.setCompressionQuality(quality / 100f);
      writer.setOutput(out);
      writer.write(null, new IIOImage(image.view(), null, null), settings);
    } catch (IOException e) {
      throw new UncheckedIOException("JPEG of " + image.width() + "x" + image.height(), e);
    } finally {
      writer.dispose();
    }
    return file.toByteArray();
  }
}
