package io.bitloom.worker.image;

import com.luciad.imageio.webp.CompressionType;
import com.luciad.imageio.webp.WebPWriteParam;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Iterator;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriter;
import javax.imageio.stream.MemoryCacheImageOutputStream;

/** Writes WebP files with libwebp, which {@code webp-imageio} brings along for this platform. */
public final class WebpEncoder {
  /** Where the library unpacks libwebp: must be writable and allow execution. */
  private static final String FOLDER = "com.luciad.imageio.webp.tmpdir";

  /**
   * libwebp's effort, 0 to 6. On the demo's pictures 2 instead of the usual 4 makes lossy files 4 %
   * larger in half of the time.
   */
  private static final int LOSSY_METHOD = 4;

  private static final int LOSSLESS_METHOD = 0;

  private WebpEncoder() {}

  /**
   * Encodes a picture with loss.
   *
   * @param quality 1 to 100
   * @throws BitloomException if libwebp cannot be used on this machine
   */
  public static byte[] lossy(RgbImage image, int quality) {
    return encode(image, CompressionType.Lossy, quality, LOSSY_METHOD);
  }

  /**
   * Encodes a picture so that every pixel comes back.
   *
   * @throws BitloomException if libwebp cannot be used on this machine
   */
  public static byte[] lossless(RgbImage image) {
    return encode(image, CompressionType.Lossless, 0, LOSSLESS_METHOD);
  }

  /**
   * @param quality of lossless files: the effort, 0 to 100
   */
  private static byte[] encode(RgbImage image, CompressionType type, int quality, int method) {
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
      settings.setMethod(method);
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
        "WebP cannot be written here: libwebp for %s %s could not be loaded from a folder that -D%s"
                .formatted(System.getProperty("os.name"), System.getProperty("os.arch"), FOLDER)
            + " can name (default: the system's for temporary files); png and jpeg always work",
        cause);
  }
}
