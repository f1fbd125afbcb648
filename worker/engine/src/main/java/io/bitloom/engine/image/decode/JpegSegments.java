package io.bitloom.engine.image.decode;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Locale;
import java.util.TreeMap;
import javax.imageio.stream.ImageInputStream;

/**
 * The segments of a JPEG file up to its frame: what the decoder needs lies in {@link #tables}, what
 * it must not see (and does not need) is read here: EXIF, ICC profile, and which colours there are.
 */
final class JpegSegments {
  private static final int SOI = 0xd8;
  private static final int SOS = 0xda;
  private static final int EOI = 0xd9;
  private static final int APP0 = 0xe0;
  private static final int COMMENT = 0xfe;
  private static final int MOST_SEGMENTS = 10_000;
  private static final String EXIF = "Exif\0\0";
  private static final String PROFILE = "ICC_PROFILE\0";
  private static final int MOST_PROFILE_BYTES = 16 << 20;

  /** Start and tables of the file, without application segments. */
  final ByteArrayOutputStream tables = new ByteArrayOutputStream();

  private final TreeMap<Integer, byte[]> profileParts = new TreeMap<>();
  private int profileBytes;

  /** The marker of the frame: 0xC0, 0xC1 or 0xC2. */
  int frame;

  int width;
  int height;

  /** The identifiers of the components; null before the frame. */
  int[] components;

  boolean jfif;

  /** Adobe's colour transform; -1 without Adobe's marker. */
  int adobe = -1;

  Orientation orientation = Orientation.UPRIGHT;

  /** Where the first scan's marker lies in the file. */
  long firstScan;

  /**
   * Reads up to the first scan.
   *
   * @throws IOException if it is damaged, or of a kind that is not decoded
   */
  static JpegSegments read(ImageInputStream stream) throws IOException {
    JpegSegments segments = new JpegSegments();
    stream.seek(2);
    segments.tables.write(0xff);
    segments.tables.write(SOI);
    for (int i = 0; i < MOST_SEGMENTS; i++) {
      int marker = nextMarker(stream);
      if (marker == SOS) {
        segments.firstScan = stream.getStreamPosition() - 2;
        if (segments.components == null) {
          throw new IOException("is damaged: JPEG data without a frame");
        }
        return segments;
      }
      if (marker == EOI) {
        throw new EOFException("is cut off: there are no pixels");
      }
      segments.segment(marker, stream);
    }
    throw new IOException("is damaged: more than " + MOST_SEGMENTS + " JPEG segments");
  }

  private static int nextMarker(ImageInputStream stream) throws IOException {
    int next = stream.readUnsignedByte();
    while (next != 0xff) { // as libjpeg, which passes over what does not belong there
      next = stream.readUnsignedByte();
    }
    while (next == 0xff) {
      next = stream.readUnsignedByte();
    }
    return next;
  }

  private void segment(int marker, ImageInputStream stream) throws IOException {
    if (marker == 0 || marker == 1 || marker >= 0xd0 && marker <= SOI) {
      return; // has no length
    }
    int length = stream.readUnsignedShort() - 2;
    long end = stream.getStreamPosition() + length;
    if (length < 0 || stream.length() >= 0 && end > stream.length()) {
      throw new EOFException("is cut off in a JPEG segment");
    }
    boolean application = marker >= APP0 && marker <= APP0 + 15 || marker == COMMENT;
    boolean wanted = marker == APP0 || marker == 0xe1 || marker == 0xe2 || marker == 0xee;
    if (!application || wanted) {
      byte[] body = new byte[length];
      stream.readFully(body);
      if (application) {
        application(marker, body);
      } else {
        tables.write(new byte[] {(byte) 0xff, (byte) marker}, 0, 2);
        tables.write((length + 2) >> 8);
        tables.write(length + 2);
        tables.write(body, 0, length);
        frame(marker, body);
      }
    }
    stream.seek(end);
  }

  private void application(int marker, byte[] body) {
    if (marker == APP0 && starts(body, "JFIF\0")) {
      jfif = true;
    } else if (marker == 0xe1 && starts(body, EXIF)) {
      byte[] exif = Arrays.copyOfRange(body, EXIF.length(), body.length);
      orientation = TiffDirectory.orientationOf(exif, orientation);
    } else if (marker == 0xe2 && starts(body, PROFILE) && body.length > PROFILE.length() + 2) {
      int number = body[PROFILE.length()] & 0xff;
      byte[] part = Arrays.copyOfRange(body, PROFILE.length() + 2, body.length);
      profileBytes += part.length;
      if (profileBytes <= MOST_PROFILE_BYTES) {
        profileParts.putIfAbsent(number, part);
      }
    } else if (marker == 0xee && starts(body, "Adobe") && body.length >= 12) {
      adobe = body[11] & 0xff;
    }
  }

  private static boolean starts(byte[] body, String text) {
    byte[] begin = text.getBytes(StandardCharsets.ISO_8859_1);
    return body.length >= begin.length
        && Arrays.equals(body, 0, begin.length, begin, 0, begin.length);
  }

  private void frame(int marker, byte[] body) throws IOException {
    boolean tables = marker == 0xc4 || marker == 0xc8 || marker == 0xcc;
    if (marker < 0xc0 || marker > 0xcf || tables) {
      return;
    }
    if (marker > 0xc2) {
      throw new IOException(
          (marker >= 0xc9 ? "is JPEG in arithmetic coding" : "is lossless JPEG")
              + ", which is not read (marker FF"
              + Integer.toHexString(marker).toUpperCase(Locale.ROOT)
              + ")");
    }
    int count = body.length > 5 ? body[5] & 0xff : 0;
    if (components != null || body.length < 6 + 3 * count) {
      throw new IOException("is damaged: a JPEG frame is too short, or there are two");
    }
    if (body[0] != 8) {
      throw new IOException("is JPEG of " + body[0] + " bits a sample, which is not read");
    }
    if (count != 1 && count != 3 && count != 4) {
      throw new IOException("is JPEG of " + count + " components, which is not read");
    }
    frame = marker;
    height = (body[1] & 0xff) << 8 | body[2] & 0xff;
    width = (body[3] & 0xff) << 8 | body[4] & 0xff;
    components = new int[count];
    for (int i = 0; i < count; i++) {
      components[i] = body[6 + 3 * i] & 0xff;
    }
  }

  boolean progressive() {
    return frame == 0xc2;
  }

  /** The ICC profile; null if there is none. */
  byte[] profile() {
    if (profileParts.isEmpty()) {
      return null;
    }
    ByteArrayOutputStream profile = new ByteArrayOutputStream();
    profileParts.values().forEach(part -> profile.write(part, 0, part.length));
    return profile.toByteArray();
  }

  /** Whether the components are luma and two chromas (and black), by libjpeg's rules. */
  boolean hasChroma() {
    if (components.length == 4) {
      return adobe > 0;
    }
    if (components.length != 3) {
      return false;
    }
    if (jfif || adobe >= 0) {
      return jfif || adobe != 0;
    }
    return components[0] != 'R' || components[1] != 'G' || components[2] != 'B';
  }
}
