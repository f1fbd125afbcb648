package io.bitloom.engine.image.decode;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.Map;
import javax.imageio.stream.ImageInputStream;

/** The first directory of a TIFF file, which EXIF data is as well. */
final class TiffDirectory {
  static final int WIDTH = 256;
  static final int HEIGHT = 257;
  static final int BITS = 258;
  static final int PHOTOMETRIC = 262;
  static final int STRIP_OFFSETS = 273;
  static final int ORIENTATION = 274;
  static final int SAMPLES = 277;
  static final int STRIP_BYTES = 279;
  static final int TILE_OFFSETS = 324;
  static final int TILE_BYTES = 325;
  static final int PROFILE = 34675;

  private static final int[] BYTES_OF_TYPE = {0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8};
  private static final int SHORT = 3;
  private static final int LONG = 4;

  private final ImageInputStream stream;
  private final Map<Integer, Entry> entries = new HashMap<>();

  private record Entry(int type, long count, long offset) {
    private long bytes() {
      return count * BYTES_OF_TYPE[type];
    }
  }

  private TiffDirectory(ImageInputStream stream) {
    this.stream = stream;
  }

  /**
   * Reads the directory of a stream, whose values stay there.
   *
   * @throws IOException if it is cut off or damaged
   */
  static TiffDirectory read(ImageInputStream stream) throws IOException {
    TiffDirectory directory = new TiffDirectory(stream);
    try {
      directory.read();
      return directory;
    } catch (EOFException e) {
      throw new IOException("is cut off: the TIFF directory is not whole", e);
    }
  }

  /** The orientation in EXIF data; another one if the data does not say or is damaged. */
  static Orientation orientationOf(byte[] exif, Orientation otherwise) {
    try (ImageInputStream stream = PictureStreams.of(exif)) {
      return read(stream).orientation();
    } catch (IOException e) {
      return otherwise;
    }
  }

  private void read() throws IOException {
    stream.seek(0);
    stream.setByteOrder(ByteOrder.BIG_ENDIAN);
    int order = stream.readUnsignedShort();
    if (order != 0x4d4d && order != 0x4949) {
      throw new IOException("is damaged: TIFF data without an order of bytes");
    }
    stream.setByteOrder(order == 0x4d4d ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN);
    if (stream.readUnsignedShort() != 42) {
      throw new IOException("is no TIFF that is read (BigTIFF is not)");
    }
    stream.seek(stream.readUnsignedInt());
    int count = stream.readUnsignedShort();
    long at = stream.getStreamPosition();
    for (int i = 0; i < count; i++) {
      stream.seek(at + 12L * i);
      int tag = stream.readUnsignedShort();
      int type = stream.readUnsignedShort();
      long values = stream.readUnsignedInt();
      if (type > 0 && type < BYTES_OF_TYPE.length) {
        boolean inside = values * BYTES_OF_TYPE[type] <= 4;
        long offset = inside ? stream.getStreamPosition() : stream.readUnsignedInt();
        entries.putIfAbsent(tag, new Entry(type, values, offset));
      }
    }
    stream.seek(at + 12L * count);
    stream.readUnsignedInt(); // where the next directory would be
  }

  /**
   * That all values and all pixels are in the file.
   *
   * @throws IOException if not
   */
  void checkWhole() throws IOException {
    long length = stream.length();
    for (Entry entry : entries.values()) {
      if (entry.offset + entry.bytes() > length) {
        throw new IOException("is cut off: values of the TIFF directory are missing");
      }
    }
    boolean tiled = entries.containsKey(TILE_OFFSETS);
    Entry offsets = entries.get(tiled ? TILE_OFFSETS : STRIP_OFFSETS);
    Entry bytes = entries.get(tiled ? TILE_BYTES : STRIP_BYTES);
    if (offsets == null) {
      throw new IOException("is damaged: the TIFF directory does not say where the pixels are");
    }
    for (long i = 0; i < offsets.count; i++) {
      long size = bytes == null || i >= bytes.count ? 1 : value(bytes, i);
      if (value(offsets, i) + size > length) {
        throw new IOException("is cut off: pixels are missing");
      }
    }
  }

  /** The first value of a tag, if it is there and a whole number. */
  long value(int tag, long otherwise) throws IOException {
    Entry entry = entries.get(tag);
    return entry == null || entry.count == 0 ? otherwise : value(entry, 0);
  }

  /** The largest of a tag's few values. */
  long most(int tag, long otherwise) throws IOException {
    Entry entry = entries.get(tag);
    if (entry == null) {
      return otherwise;
    }
    long most = 0;
    for (int i = 0; i < Math.min(entry.count, 8); i++) {
      most = Math.max(most, value(entry, i));
    }
    return most;
  }

  private long value(Entry entry, long index) throws IOException {
    stream.seek(entry.offset + index * BYTES_OF_TYPE[entry.type]);
    return switch (entry.type) {
      case SHORT -> stream.readUnsignedShort();
      case LONG -> stream.readUnsignedInt();
      default -> throw new IOException("is damaged: a TIFF tag of type " + entry.type);
    };
  }

  Orientation orientation() throws IOException {
    return Orientation.of((int) value(ORIENTATION, 1));
  }

  /** The ICC profile; null if there is none of a likely size. */
  byte[] profile(int mostBytes) throws IOException {
    Entry entry = entries.get(PROFILE);
    if (entry == null || entry.bytes() > mostBytes || entry.bytes() == 0) {
      return null;
    }
    byte[] profile = new byte[(int) entry.bytes()];
    stream.seek(entry.offset);
    stream.readFully(profile);
    return profile;
  }
}
