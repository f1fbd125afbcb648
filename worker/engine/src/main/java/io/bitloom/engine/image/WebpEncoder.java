package io.bitloom.engine.image;

import com.luciad.imageio.webp.CompressionType;
import com.luciad.imageio.webp.WebPWriteParam;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Iterator;
import java.util.Locale;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriter;
import javax.imageio.stream.MemoryCacheImageOutputStream;

/**
 * Writes WebP files with libwebp, which {@code webp-imageio} brings along for this platform.
 *
 * <p>On two of the demo's pictures of 1024², where PNG took 130 ms for 1.29 MB: lossy at quality 90
 * with libwebp's effort 4, its default, 110 ms for 83 kB, with 2 59 ms for 88 kB; lossless with 0
 * 85 ms for 1.30 MB, with 1 285 ms for 0.74 MB, with 4 700 ms for 0.73 MB.
 */
public final class WebpEncoder {
  /** Where the library unpacks libwebp: must be writable and allow execution. */
  private static final String FOLDER = "com.luciad.imageio.webp.tmpdir";

  private static final int LOSSY_EFFORT = 2;
  private static final int LOSSLESS_EFFORT = 1;

  private WebpEncoder() {}

  /**
   * Encodes a picture with loss.
   *
   * @param quality 1 to 100
   * @throws BitloomException if libwebp cannot be used on this machine
   */
  public static byte[] lossy(RgbImage image, int quality) {
    return encode(image, CompressionType.Lossy, quality, LOSSY_EFFORT);
  }

  /**
   * Encodes a picture so that every pixel comes back.
   *
   * @throws BitloomException if libwebp cannot be used on this machine
   */
  public static byte[] lossless(RgbImage image) {
    return encode(image, CompressionType.Lossless, 0, LOSSLESS_EFFORT);
  }

  /**
   * @param quality of lossless files: a finer effort, 0 to 100
   * @param effort 0 to 6
   */
  private static byte[] encode(RgbImage image, CompressionType type, int quality, int effort) {
    Iterator<ImageWriter> writers = ImageIO.getImageWritersByFormatName("webp");
    if (!writers.hasNext()) {
      throw unusable(null);
    }
    ByteArrayOutputStream file = new ByteArrayOutputStream(image.rgb().length / 4 + 1024);
    ImageWriter writer = writers.next();
    try (MemoryCacheImageOutputStream out = new MemoryCacheImageOutputStream(file)) {
      WebPWriteParam settings = (WebPWriteParam) writer.getDefaultWriteParam();
      settings.setCompressionMode(WebPWriteParam.MODE_EXPLICIT);
      settings.setCompressionType(type);
      settings.setCompressionQuality(quality / 100f);
      settings.setMethod(effort);
      writer.setOutput(out);
      writer.write(null, new IIOImage(image.view(), null, null), settings);
    } catch (IOException e) {
      throw new UncheckedIOException("WebP of " + image.width() + "x" + image.height(), e);
    } catch (LinkageError e) {
      throw unusable(e);
    } finally {
      writer.dispose();
    }
    return file.toByteArray();
  }

  private static BitloomException unusable(Throwable cause) {
    return new BitloomException(
        ErrorCode.INTERNAL,
        String.format(
                Locale.ROOT,
                "WebP cannot be written here: libwebp for %s %s could not be loaded from a folder that -D%s",
                System.getProperty("os.name"),
                System.getProperty("os.arch"),
                FOLDER)
            + " can name (default: the system's for temporary files); png and jpeg always work",
        cause);
  }
}
