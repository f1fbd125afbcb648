package io.bitloom.engine.image.decode;

import java.awt.Rectangle;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import javax.imageio.ImageIO;
import javax.imageio.ImageReadParam;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;

/** Runs a decoder of {@code javax.imageio} over a stream and keeps what it warns of. */
final class ImageIoDecoder {
  private ImageIoDecoder() {}

  /**
   * What a decoder made of a picture.
   *
   * @param pixels an image or a raster
   * @param warnings in the order in which they came
   * @param percent how far it came by its own account; 0 if it gives none
   */
  record Decoded<T>(T pixels, List<String> warnings, float percent) {}

  /** How pixels are asked for. */
  interface Reading<T> {
    T apply(ImageReader reader, ImageReadParam part) throws IOException;
  }

  /**
   * Decodes the first picture of a stream.
   *
   * @param format as {@code javax.imageio} calls it
   * @param part in pixels, or null for all
   * @throws IOException if the decoder finds the picture damaged, or is not there
   */
  static <T> Decoded<T> decode(
      ImageInputStream stream, String format, Rectangle part, int step, Reading<T> reading)
      throws IOException {
    Iterator<ImageReader> readers = ImageIO.getImageReadersByFormatName(format);
    if (!readers.hasNext()) {
      throw new IOException("there is no decoder of " + format);
    }
    ImageReader reader = readers.next();
    List<String> warnings = new ArrayList<>();
    ReadProgress progress = new ReadProgress();
    try {
      stream.seek(0);
      reader.setInput(stream, true, true);
      reader.addIIOReadWarningListener((source, warning) -> warnings.add(warning));
      reader.addIIOReadProgressListener(progress);
      ImageReadParam wanted = reader.getDefaultReadParam();
      if (part != null) {
        wanted.setSourceRegion(part);
      }
      if (step > 1) {
        int offsetX = Math.min(step / 2, part.width - 1);
        int offsetY = Math.min(step / 2, part.height - 1);
        wanted.setSourceSubsampling(step, step, offsetX, offsetY);
      }
      return new Decoded<>(reading.apply(reader, wanted), warnings, progress.percent);
    } finally {
      reader.dispose();
    }
  }

  /**
   * Pixels of a decoder that warns only of what is damaged.
   *
   * @throws IOException naming the first warning
   */
  static <T> T whole(Decoded<T> decoded) throws IOException {
    if (!decoded.warnings().isEmpty()) {
      throw new IOException("is damaged: " + decoded.warnings().get(0));
    }
    return decoded.pixels();
  }
}
