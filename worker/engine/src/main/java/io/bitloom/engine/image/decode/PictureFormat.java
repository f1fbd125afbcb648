package io.bitloom.engine.image.decode;

import java.io.EOFException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import javax.imageio.stream.ImageInputStream;

/** The formats of pictures, told apart by their first bytes, whatever the file is called. */
enum PictureFormat {
  JPEG {
    @Override
    EncodedPicture open(ImageInputStream stream) throws IOException {
      return JpegPicture.open(stream);
    }
  },
  PNG {
    @Override
    EncodedPicture open(ImageInputStream stream) throws IOException {
      return PngPicture.open(stream);
    }
  },
  WEBP {
    @Override
    EncodedPicture open(ImageInputStream stream) throws IOException {
      return WebpPicture.open(stream);
    }
  },
  GIF {
    @Override
    EncodedPicture open(ImageInputStream stream) throws IOException {
      return GifPicture.open(stream);
    }
  },
  BMP {
    @Override
    EncodedPicture open(ImageInputStream stream) throws IOException {
      return BmpPicture.open(stream);
    }
  },
  TIFF {
    @Override
    EncodedPicture open(ImageInputStream stream) throws IOException {
      return TiffPicture.open(stream);
    }
  };

  private static final int HEAD = 16;

  /** What else is met under the names of pictures, by its beginning after some bytes. */
  private static final Map<String, String> OTHERS =
      Map.of(
          "4:ftypavif", "AVIF",
          "4:ftypavis", "AVIF",
          "4:ftyphei", "HEIC",
          "4:ftypmif1", "HEIF",
          "4:JXL ", "JPEG XL",
          "4:jP  ", "JPEG 2000",
          "0:<", "a web page, SVG or XML",
          "0:version https://", "a Git LFS pointer: git lfs pull brings the picture",
          "0:8BPS", "a Photoshop file",
          "0:%PDF", "PDF");

  /**
   * Reads the header.
   *
   * @throws IOException if it is damaged, or says what is not read
   */
  abstract EncodedPicture open(ImageInputStream stream) throws IOException;

  /**
   * The format of a stream, which is left at its beginning.
   *
   * @throws IOException saying what it is, if it is none of these
   */
  static PictureFormat of(ImageInputStream stream) throws IOException {
    byte[] bytes = new byte[HEAD];
    int count = 0;
    while (count < HEAD) {
      int read = stream.read(bytes, count, HEAD - count);
      if (read < 0) {
        break;
      }
      count += read;
    }
    stream.seek(0);
    if (count == 0) {
      throw new EOFException("is empty");
    }
    String head = new String(bytes, 0, count, StandardCharsets.ISO_8859_1);
    if (head.startsWith("\u00ff\u00d8\u00ff")) {
      return JPEG;
    }
    if (head.startsWith("\u0089PNG\r\n\u001a\n")) {
      return PNG;
    }
    if (head.startsWith("RIFF") && head.startsWith("WEBP", 8)) {
      return WEBP;
    }
    if (head.startsWith("GIF87a") || head.startsWith("GIF89a")) {
      return GIF;
    }
    if (head.startsWith("BM")) {
      return BMP;
    }
    if (head.startsWith("II*\0") || head.startsWith("MM\0*")) {
      return TIFF;
    }
    for (Map.Entry<String, String> other : OTHERS.entrySet()) {
      String beginning = other.getKey();
      if (head.startsWith(beginning.substring(2), beginning.charAt(0) - '0')) {
        throw new IOException("is no PNG, JPEG, WebP, GIF, BMP or TIFF: it is " + other.getValue());
      }
    }
    throw new IOException("is no PNG, JPEG, WebP, GIF, BMP or TIFF");
  }
}
