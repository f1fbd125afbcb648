package io.bitloom.engine.image.decode;

import io.bitloom.engine.image.RgbImage;
import java.awt.Rectangle;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;
import javax.imageio.stream.ImageInputStream;

/** A PNG file, by the JDK's decoder, which does not look at checksums, nor for the end. */
final class PngPicture implements EncodedPicture {
  static final int MOST_PROFILE_BYTES = 16 << 20;

  private static final int SIGNATURE = 8;
  private static final int MOST_CHUNKS = 1_000_000;
  private static final int UPPER_CASE_BIT = 0x20;

  private final ImageInputStream stream;
  private final PictureHeader header;

  private PngPicture(ImageInputStream stream, PictureHeader header) {
    this.stream = stream;
    this.header = header;
  }

  /** Looks at a chunk whose data the stream stands at. */
  private interface Visitor {
    void chunk(String kind, int length) throws IOException;
  }

  static PngPicture open(ImageInputStream stream) throws IOException {
    Visited found = new Visited();
    walk(stream, (kind, length) -> found.chunk(stream, kind, length));
    if (found.bits == 0) {
      throw new IOException("is damaged: PNG without a header");
    }
    PictureHeader header =
        new PictureHeader(
            found.width,
            found.height,
            found.channels() * ((found.bits + 7) / 8),
            false,
            found.orientation,
            found.profile);
    return new PngPicture(stream, header);
  }

  /** What chunks say of the picture. */
  private static final class Visited {
    private int width;
    private int height;
    private int bits;
    private int colours;
    private Orientation orientation = Orientation.UPRIGHT;
    private byte[] profile;

    private void chunk(ImageInputStream stream, String kind, int length) throws IOException {
      if (kind.equals("IHDR") && length == 13) {
        width = stream.readInt();
        height = stream.readInt();
        bits = stream.readUnsignedByte();
        colours = stream.readUnsignedByte();
      } else if (kind.equals("eXIf") && length <= MOST_PROFILE_BYTES) {
        orientation = TiffDirectory.orientationOf(bytes(stream, length), orientation);
      } else if (kind.equals("iCCP") && length <= MOST_PROFILE_BYTES) {
        profile = inflated(bytes(stream, length));
      }
    }

    private int channels() {
      return switch (colours) {
        case 2 -> 4; // one more where a colour is transparent
        case 4 -> 2;
        case 6 -> 4;
        default -> 2;
      };
    }
  }

  private static byte[] bytes(ImageInputStream stream, int length) throws IOException {
    byte[] bytes = new byte[length];
    stream.readFully(bytes);
    return bytes;
  }

  /** The profile after its name; null if it is damaged or too large. */
  private static byte[] inflated(byte[] chunk) {
    int name = 0;
    while (name < chunk.length && chunk[name] != 0) {
      name++;
    }
    if (name + 2 >= chunk.length) {
      return null;
    }
    Inflater inflater = new Inflater();
    try {
      inflater.setInput(chunk, name + 2, chunk.length - name - 2);
      ByteArrayOutputStream profile = new ByteArrayOutputStream();
      byte[] buffer = new byte[1 << 12];
      for (int n = inflater.inflate(buffer); n > 0; n = inflater.inflate(buffer)) {
        profile.write(buffer, 0, n);
        if (profile.size() > MOST_PROFILE_BYTES) {
          return null;
        }
      }
      return profile.toByteArray();
    } catch (DataFormatException e) {
      return null;
    } finally {
      inflater.end();
    }
  }

  /** Goes from chunk to chunk until the last. */
  private static void walk(ImageInputStream stream, Visitor visitor) throws IOException {
    stream.setByteOrder(java.nio.ByteOrder.BIG_ENDIAN);
    stream.seek(SIGNATURE);
    byte[] kind = new byte[4];
    try {
      for (int i = 0; i < MOST_CHUNKS; i++) {
        int length = stream.readInt();
        stream.readFully(kind);
        String name = new String(kind, StandardCharsets.ISO_8859_1);
        long data = stream.getStreamPosition();
        if (length < 0 || data + length + 4L > stream.length()) {
          throw new EOFException();
        }
        visitor.chunk(name, length);
        if (name.equals("IEND")) {
          return;
        }
        stream.seek(data + length + 4L);
      }
    } catch (EOFException e) {
      throw new IOException("is cut off: the end of the PNG data is missing", e);
    }
    throw new IOException("is damaged: more than " + MOST_CHUNKS + " PNG chunks");
  }

  @Override
  public PictureHeader header() {
    return header;
  }

  @Override
  public RgbImage read(Rectangle part, int step, Consumer<String> remarks) throws IOException {
    byte[] buffer = new byte[1 << 13];
    walk(stream, (kind, length) -> checkSum(kind, length, buffer));
    return Samples.rgb(
        ImageIoDecoder.whole(
            ImageIoDecoder.decode(
                stream, "png", part, step, (reader, wanted) -> reader.read(0, wanted))));
  }

  /** Of chunks that pixels depend on. */
  private void checkSum(String kind, int length, byte[] buffer) throws IOException {
    if ((kind.charAt(0) & UPPER_CASE_BIT) != 0) {
      return;
    }
    CRC32 sum = new CRC32();
    sum.update(kind.getBytes(StandardCharsets.ISO_8859_1));
    for (int left = length; left > 0; ) {
      int count = Math.min(left, buffer.length);
      stream.readFully(buffer, 0, count);
      sum.update(buffer, 0, count);
      left -= count;
    }
    if (stream.readInt() != (int) sum.getValue()) {
      throw new IOException("is damaged: the checksum of the PNG chunk " + kind + " is wrong");
    }
  }
}
