package io.bitloom.engine.image.decode;

import io.bitloom.engine.image.RgbImage;
import java.awt.Rectangle;
import java.io.EOFException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Consumer;
import javax.imageio.stream.ImageInputStream;

/**
 * A picture on disk: PNG, JPEG, WebP, GIF, BMP or TIFF, in the colours that Pillow's {@code
 * convert("RGB")} gives. Of a picture that is cut, only the part that remains is decoded, and of a
 * very large one only every n-th pixel, so that memory is bounded by what the header announces.
 */
public final class PictureFile {
  /** Changes whenever the same file may give other pixels than before. */
  public static final int VERSION = 2;

  /** Up to here every pixel counts. */
  static final long MOST_DECODED = 25_000_000;

  private PictureFile() {}

  /** Width and height of a picture in pixels. */
  public record Size(int width, int height) {}

  /** An action on a stream. */
  private interface Reading<T> {
    T apply(EncodedPicture picture, PictureHeader header) throws IOException;
  }

  /**
   * The size of a picture, from its header.
   *
   * @throws IOException if there is no such file, or it is no picture, or of more pixels than are
   *     decoded
   */
  public static Size size(Path file, PictureOptions options) throws IOException {
    return read(
        file,
        true,
        (picture, header) -> {
          boolean swaps = options.upright() && header.orientation().swaps();
          return swaps
              ? new Size(header.height(), header.width())
              : new Size(header.width(), header.height());
        });
  }

  /**
   * The picture in exactly this size: as small as covers it (Lanczos), then the middle cut out, as
   * the official trainer does.
   *
   * @param remarks takes what is odd about the picture, in words that are the same for all such
   *     pictures: that it is turned or has an ICC profile, and that this is not heeded, for example
   * @throws IOException if there is no such file, or it is no picture, or cut off or damaged, or
   *     larger than is decoded; the message says which, but not the file's name
   */
  public static RgbImage fitted(
      Path file, int width, int height, PictureOptions options, Consumer<String> remarks)
      throws IOException {
    return read(
        file,
        false,
        (picture, header) -> {
          Orientation turned = options.upright() ? header.orientation() : Orientation.UPRIGHT;
          remark(header, options, remarks);
          RgbImage fitted = fitted(picture, turned, Fit.of(header, turned, width, height), remarks);
          boolean converts =
              options.toSrgb()
                  && header.profile() != null
                  && !new ColourProfile(header.profile()).isSrgb();
          return converts ? new ColourProfile(header.profile()).toSrgb(fitted, remarks) : fitted;
        });
  }

  private static void remark(
      PictureHeader header, PictureOptions options, Consumer<String> remarks) {
    if (!header.orientation().equals(Orientation.UPRIGHT)) {
      remarks.accept(
          options.upright() ? "turned upright" : "an EXIF orientation, which is not heeded");
    }
    if (header.profile() != null && !new ColourProfile(header.profile()).isSrgb()) {
      remarks.accept(
          options.toSrgb()
              ? "an ICC profile other than sRGB"
              : "an ICC profile other than sRGB, which is not heeded");
    }
  }

  private static RgbImage fitted(
      EncodedPicture picture, Orientation turned, Fit fit, Consumer<String> remarks)
      throws IOException {
    Rectangle part = fit.part();
    int step = fit.step(MOST_DECODED);
    if (step > 1) {
      remarks.accept("more than " + MOST_DECODED + " pixels, of which not all are looked at");
    }
    PictureHeader header = picture.header();
    long pixels = ((part.width + step - 1L) / step) * ((part.height + step - 1L) / step);
    try (DecodeMemory memory = DecodeMemory.of(header.memory(pixels))) {
      Rectangle stored = turned.stored(part, header.width(), header.height());
      return fit.resize(turned.turn(picture.read(stored, step, remarks)), step);
    }
  }

  private static <T> T read(Path file, boolean headerOnly, Reading<T> reading) throws IOException {
    if (!Files.isRegularFile(file)) {
      throw new IOException(Files.exists(file) ? "is no file" : "does not exist");
    }
    try (ImageInputStream stream =
        headerOnly ? PictureStreams.header(file) : PictureStreams.open(file)) {
      EncodedPicture picture = PictureFormat.of(stream).open(stream);
      PictureHeader header = picture.header();
      header.check();
      return reading.apply(picture, header);
    } catch (EOFException e) {
      throw new IOException(e.getMessage() == null ? "is cut off" : e.getMessage(), e);
    } catch (RuntimeException e) {
      throw new IOException("is damaged: its decoder ends with " + e, e); // of any kind
    } catch (OutOfMemoryError | StackOverflowError e) {
      throw new IOException("is too large for the memory of this process", e);
    } catch (LinkageError e) {
      throw new IOException("cannot be decoded here: " + e.getMessage(), e); // libwebp
    }
  }
}
