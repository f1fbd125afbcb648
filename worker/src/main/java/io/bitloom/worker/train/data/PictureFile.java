package io.bitloom.worker.train.data;

import io.bitloom.worker.image.RgbImage;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;

/** A picture on disk: PNG, JPEG, GIF or BMP. */
public final class PictureFile {
  private static final long MAX_PIXELS = 100_000_000;

  private PictureFile() {}

  /** Width and height of a picture in pixels. */
  public record Size(int width, int height) {}

  /**
   * The size of a picture, from its header.
   *
   * @throws IOException if there is no such file, or it is no picture
   */
  public static Size size(Path file) throws IOException {
    return read(file, PictureFile::sizeOf);
  }

  /**
   * The picture in exactly this size: as small as covers it (Lanczos), then the middle cut out, as
   * the official trainer does.
   *
   * @throws IOException if there is no such file, or it is no picture, or damaged
   */
  public static RgbImage fitted(Path file, int width, int height) throws IOException {
    return fit(decode(file), width, height);
  }

  static RgbImage fit(RgbImage image, int width, int height) {
    int resizedWidth = width;
    int resizedHeight = height;
    double aspect = (double) image.width() / image.height();
    if (aspect <= (double) width / height) {
      resizedHeight = Math.max(height, (int) (width / aspect));
    } else {
      resizedWidth = Math.max(width, (int) (aspect * height));
    }
    RgbImage resized = Lanczos.resize(image, resizedWidth, resizedHeight);
    int left = (resizedWidth - width) / 2;
    int top = (resizedHeight - height) / 2;
    byte[] cut = new byte[3 * width * height];
    for (int y = 0; y < height; y++) {
      int from = 3 * ((top + y) * resizedWidth + left);
      System.arraycopy(resized.rgb(), from, cut, 3 * y * width, 3 * width);
    }
    return new RgbImage(width, height, cut);
  }

  private static RgbImage decode(Path file) throws IOException {
    BufferedImage image = read(file, PictureFile::pixelsOf);
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

  /** An action on a reader, whose checked exceptions are I/O. */
  private interface Reading<T> {
    T apply(ImageReader reader) throws IOException;
  }

  private static Size sizeOf(ImageReader reader) throws IOException {
    Size size = new Size(reader.getWidth(0), reader.getHeight(0));
    if ((long) size.width() * size.height() > MAX_PIXELS) {
      throw new IOException(size.width() + "x" + size.height() + " pixels are too many");
    }
    return size;
  }

  private static BufferedImage pixelsOf(ImageReader reader) throws IOException {
    sizeOf(reader);
    return reader.read(0);
  }

  private static <T> T read(Path file, Reading<T> reading) throws IOException {
    if (!Files.isRegularFile(file)) {
      throw new IOException("does not exist");
    }
    try (ImageInputStream stream = ImageIO.createImageInputStream(file.toFile())) {
      Iterator<ImageReader> readers = ImageIO.getImageReaders(stream);
      if (!readers.hasNext()) {
        throw new IOException("is no PNG, JPEG, GIF or BMP");
      }
      ImageReader reader = readers.next();
      try {
        reader.setInput(stream);
        return reading.apply(reader);
      } catch (RuntimeException e) {
        throw new IOException("is damaged: " + e.getMessage(), e); // what decoders throw
      } catch (OutOfMemoryError e) {
        throw new IOException("is too large for the memory of this process", e);
      } finally {
        reader.dispose();
      }
    }
  }
}
