package io.bitloom.engine.image.decode;

import io.bitloom.engine.image.RgbImage;
import java.awt.Point;
import java.awt.Rectangle;
import java.awt.image.BufferedImage;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;
import javax.imageio.stream.ImageInputStream;

/**
 * A WebP file, or the first frame of an animated one on a black canvas, by libwebp. Transparency
 * has a chunk of its own, which is not looked at.
 */
final class WebpPicture implements EncodedPicture {
  private static final int FIRST_CHUNK = 12;
  private static final int CHUNK_HEADER = 8;
  private static final int FRAME_HEADER = 16;
  private static final int MOST_CHUNKS = 100_000;
  private static final int DECODED_BYTES = 8;

  private final ImageInputStream stream;
  private int width;
  private int height;
  private Orientation orientation = Orientation.UPRIGHT;
  private byte[] profile;

  /** Where the picture's chunk begins and how long it is with its header. */
  private long pixels = -1;

  private long pixelBytes;

  /** Where an animation's first frame lies on the canvas. */
  private Point place = new Point();

  private WebpPicture(ImageInputStream stream) {
    this.stream = stream;
  }

  static WebpPicture open(ImageInputStream stream) throws IOException {
    WebpPicture picture = new WebpPicture(stream);
    try {
      picture.chunks();
    } catch (EOFException e) {
      throw new IOException("is cut off: the end of the WebP data is missing", e);
    }
    if (picture.pixels < 0) {
      throw new IOException("is damaged: WebP without a picture");
    }
    return picture;
  }

  private void chunks() throws IOException {
    stream.setByteOrder(ByteOrder.LITTLE_ENDIAN);
    stream.seek(4);
    long end = CHUNK_HEADER + stream.readUnsignedInt();
    if (end > stream.length()) {
      throw new EOFException();
    }
    long at = FIRST_CHUNK;
    for (int i = 0; at + CHUNK_HEADER <= end; i++) {
      if (i == MOST_CHUNKS) {
        throw new IOException("is damaged: more than " + MOST_CHUNKS + " WebP chunks");
      }
      at = chunk(at, end);
    }
  }

  /** Looks at a chunk; gives where the next one begins. */
  private long chunk(long at, long end) throws IOException {
    stream.seek(at);
    byte[] kind = new byte[4];
    stream.readFully(kind);
    long length = stream.readUnsignedInt();
    long data = at + CHUNK_HEADER;
    if (data + length > end) {
      throw new EOFException();
    }
    switch (new String(kind, StandardCharsets.ISO_8859_1)) {
      case "VP8X" -> canvas();
      case "ICCP" -> profile = bytes(length);
      case "EXIF" -> orientation = exif(bytes(length));
      case "ANMF" -> {
        if (pixels < 0) {
          frame(data, data + length);
        }
      }
      case "VP8 ", "VP8L" -> pixels(at, length, kind[3] == 'L');
      default -> {}
    }
    return data + length + (length & 1);
  }

  private int read24() throws IOException {
    return stream.readUnsignedShort() | stream.readUnsignedByte() << 16;
  }

  private void canvas() throws IOException {
    stream.readInt();
    width = read24() + 1;
    height = read24() + 1;
  }

  private byte[] bytes(long length) throws IOException {
    if (length > PngPicture.MOST_PROFILE_BYTES) {
      return null;
    }
    byte[] bytes = new byte[(int) length];
    stream.readFully(bytes);
    return bytes;
  }

  private Orientation exif(byte[] exif) {
    if (exif == null) {
      return orientation;
    }
    boolean marked = new String(exif, StandardCharsets.ISO_8859_1).startsWith("Exif\0\0");
    return TiffDirectory.orientationOf(
        marked ? java.util.Arrays.copyOfRange(exif, 6, exif.length) : exif, orientation);
  }

  /** The chunk of a frame's colours among its own chunks. */
  private void frame(long data, long end) throws IOException {
    place = new Point(2 * read24(), 2 * read24());
    long at = data + FRAME_HEADER;
    while (at + CHUNK_HEADER <= end && pixels < 0) {
      at = chunk(at, end);
    }
  }

  private void pixels(long at, long length, boolean lossless) throws IOException {
    if (pixels >= 0) {
      return;
    }
    pixels = at;
    pixelBytes = CHUNK_HEADER + length + (length & 1);
    if (width > 0) {
      return; // the canvas is known
    }
    if (lossless) {
      stream.readByte();
      long sides = stream.readUnsignedInt();
      width = (int) (sides & 0x3fff) + 1;
      height = (int) (sides >> 14 & 0x3fff) + 1;
    } else {
      stream.seek(at + CHUNK_HEADER + 6);
      width = stream.readUnsignedShort() & 0x3fff;
      height = stream.readUnsignedShort() & 0x3fff;
    }
  }

  @Override
  public PictureHeader header() {
    return new PictureHeader(width, height, DECODED_BYTES, true, orientation, profile);
  }

  @Override
  public RgbImage read(Rectangle part, int step, Consumer<String> remarks) throws IOException {
    if (pixelBytes > Integer.MAX_VALUE - FIRST_CHUNK) {
      throw new IOException("is too large for a WebP file");
    }
    ByteBuffer file =
        ByteBuffer.allocate((int) pixelBytes + FIRST_CHUNK).order(ByteOrder.LITTLE_ENDIAN);
    file.put("RIFF".getBytes(StandardCharsets.ISO_8859_1));
    file.putInt((int) pixelBytes + 4);
    file.put("WEBP".getBytes(StandardCharsets.ISO_8859_1));
    stream.seek(pixels);
    stream.readFully(
        file.array(), FIRST_CHUNK, (int) Math.min(pixelBytes, stream.length() - pixels));
    try (ImageInputStream still = PictureStreams.of(file.array())) {
      BufferedImage image =
          ImageIoDecoder.whole(
              ImageIoDecoder.decode(
                  still, "webp", null, 1, (reader, wanted) -> reader.read(0, wanted)));
      return Samples.part(onCanvas(RgbImage.of(image)), part, step);
    }
  }

  private RgbImage onCanvas(RgbImage frame) throws IOException {
    if (frame.width() == width && frame.height() == height) {
      return frame;
    }
    if (place.x + frame.width() > width || place.y + frame.height() > height) {
      throw new IOException("is damaged: a WebP frame outside of its canvas");
    }
    byte[] canvas = new byte[3 * width * height];
    for (int y = 0; y < frame.height(); y++) {
      int at = 3 * ((place.y + y) * width + place.x);
      System.arraycopy(frame.rgb(), 3 * y * frame.width(), canvas, at, 3 * frame.width());
    }
    return new RgbImage(width, height, canvas);
  }
}
