package io.bitloom.engine.checkpoint;

import io.bitloom.engine.tensor.WeightsException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The directory of a zip archive whose entries are stored uncompressed, as PyTorch writes them, so
 * that each entry is a range of the file that can be mapped.
 *
 * <p>Java's own zip reader does not tell where an entry's data begins. Compressed or encrypted
 * entries, names that lead out of a folder, names that occur twice and entries that share bytes are
 * refused, which leaves nothing to unpack and thus no zip bomb.
 */
final class StoredZip {
  /**
   * Bytes of one entry in the file.
   *
   * @param crc its CRC-32; {@link #NO_CRC} if the writer left it out, as PyTorch can
   */
  record Entry(String name, long headerOffset, long offset, long bytes, long crc) {}

  static final long NO_CRC = 0;

  /** No model has so many tensors. */
  static final int MAX_ENTRIES = 1 << 18;

  private static final int END_SIGNATURE = 0x06054b50;
  private static final int END_BYTES = 22;
  private static final int ZIP64_LOCATOR_SIGNATURE = 0x07064b50;
  private static final int ZIP64_LOCATOR_BYTES = 20;
  private static final int ZIP64_END_SIGNATURE = 0x06064b50;
  private static final int ZIP64_END_BYTES = 56;
  private static final int DIRECTORY_SIGNATURE = 0x02014b50;
  private static final int DIRECTORY_BYTES = 46;
  private static final int LOCAL_SIGNATURE = 0x04034b50;
  private static final int LOCAL_BYTES = 30;
  private static final int ZIP64_EXTRA = 0x0001;
  private static final long UNSET_32 = 0xffffffffL;
  private static final int MAX_DIRECTORY_BYTES = 128 << 20;

  private final String source;
  private final FileChannel channel;
  private final long size;
  private final Map<String, Entry> entries = new LinkedHashMap<>();

  private StoredZip(String source, FileChannel channel) throws IOException {
    this.source = source;
    this.channel = channel;
    this.size = channel.size();
  }

  /**
   * The entries of an archive by name, in directory order.
   *
   * @throws WeightsException naming the file and the entry
   */
  static Map<String, Entry> entries(Path file) {
    String source = file.toString();
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      StoredZip zip = new StoredZip(source, channel);
      zip.readDirectory();
      zip.checkOverlap();
      return zip.entries;
    } catch (IOException e) {
      throw new WeightsException(source, "cannot be read: " + e.getMessage(), e);
    }
  }

  private record Directory(long offset, long bytes, long entries, long end) {}

  private void readDirectory() throws IOException {
    Directory directory = findDirectory();
    if (directory.offset() < 0
        || directory.bytes() < 0
        || directory.bytes() > MAX_DIRECTORY_BYTES
        || directory.offset() > directory.end() - directory.bytes()
        || directory.entries() < 0
        || directory.entries() > directory.bytes() / DIRECTORY_BYTES) {
      throw fault("the zip directory lies outside the file");
    }
    if (directory.entries() > MAX_ENTRIES) {
      throw fault("its " + directory.entries() + " entries are more than " + MAX_ENTRIES);
    }
    ByteBuffer bytes = read(directory.offset(), (int) directory.bytes());
    for (long i = 0; i < directory.entries(); i++) {
      readEntry(bytes, directory.offset());
    }
  }

  /** Looks for the end record from the end of the file, behind a comment of at most 64 KiB. */
  private Directory findDirectory() throws IOException {
    int length = (int) Math.min(size, END_BYTES + 0xffff);
    ByteBuffer tail = read(size - length, length);
    for (int at = length - END_BYTES; at >= 0; at--) {
      if (tail.getInt(at) == END_SIGNATURE
          && at + END_BYTES + unsigned16(tail, at + 20) == length) {
        long end = size - length + at;
        Directory zip64 = findZip64Directory(end);
        return zip64 != null
            ? zip64
            : new Directory(
                unsigned32(tail, at + 16),
                unsigned32(tail, at + 12),
                unsigned16(tail, at + 10),
                end);
      }
    }
    throw fault("is truncated or no zip archive: it has no end record; fetch it again");
  }

  private Directory findZip64Directory(long end) throws IOException {
    if (end < ZIP64_LOCATOR_BYTES) {
      return null;
    }
    ByteBuffer locator = read(end - ZIP64_LOCATOR_BYTES, ZIP64_LOCATOR_BYTES);
    if (locator.getInt(0) != ZIP64_LOCATOR_SIGNATURE) {
      return null;
    }
    long at = locator.getLong(8);
    if (at < 0 || at > end - ZIP64_LOCATOR_BYTES - ZIP64_END_BYTES) {
      throw fault("the zip64 end record lies outside the file");
    }
    ByteBuffer record = read(at, ZIP64_END_BYTES);
    if (record.getInt(0) != ZIP64_END_SIGNATURE) {
      throw fault("the zip64 end record is malformed");
    }
    return new Directory(record.getLong(48), record.getLong(40), record.getLong(32), at);
  }

  private void readEntry(ByteBuffer directory, long directoryOffset) throws IOException {
    int at = directory.position();
    if (directory.remaining() < DIRECTORY_BYTES || directory.getInt(at) != DIRECTORY_SIGNATURE) {
      throw fault("the zip directory is malformed at its entry " + entries.size());
    }
    int nameBytes = unsigned16(directory, at + 28);
    int extraBytes = unsigned16(directory, at + 30);
    int commentBytes = unsigned16(directory, at + 32);
    if (directory.remaining() < DIRECTORY_BYTES + nameBytes + extraBytes + commentBytes) {
      throw fault("the zip directory is truncated at its entry " + entries.size());
    }
    String name = name(directory, at + DIRECTORY_BYTES, nameBytes);
    long[] wide = {
      unsigned32(directory, at + 24), unsigned32(directory, at + 20), unsigned32(directory, at + 42)
    };
    widen(name, directory, at + DIRECTORY_BYTES + nameBytes, extraBytes, wide);
    long bytes = wide[0];
    if ((unsigned16(directory, at + 8) & 1) != 0) {
      throw fault("entry " + name + " is encrypted");
    }
    if (unsigned16(directory, at + 10) != 0 || wide[1] != bytes) {
      throw fault(
          "entry "
              + name
              + " is compressed, PyTorch stores entries as they are: unpack the archive");
    }
    long crc = unsigned32(directory, at + 16);
    Entry entry = locate(name, wide[2], bytes, crc, directoryOffset);
    if (entries.put(name, entry) != null) {
      throw fault("entry " + name + " occurs twice");
    }
    directory.position(at + DIRECTORY_BYTES + nameBytes + extraBytes + commentBytes);
  }

  /** Replaces sizes and offset that do not fit 32 bits by those of the zip64 extra field. */
  private void widen(String name, ByteBuffer directory, int start, int length, long[] values) {
    int at = start;
    while (at + 4 <= start + length) {
      int end = at + 4 + unsigned16(directory, at + 2);
      if (end > start + length) {
        throw fault("entry " + name + " has a malformed extra field");
      }
      if (unsigned16(directory, at) == ZIP64_EXTRA) {
        int field = at + 4;
        for (int i = 0; i < values.length && field + 8 <= end; i++) {
          if (values[i] == UNSET_32) {
            values[i] = directory.getLong(field);
            field += 8;
          }
        }
      }
      at = end;
    }
  }

  /** The data begins behind the local header, whose name must agree with the directory's. */
  private Entry locate(String name, long headerOffset, long bytes, long crc, long directoryOffset)
      throws IOException {
    if (headerOffset < 0 || headerOffset > directoryOffset - LOCAL_BYTES) {
      throw fault("entry " + name + " begins outside the file");
    }
    ByteBuffer local = read(headerOffset, LOCAL_BYTES);
    int nameBytes = unsigned16(local, 26);
    long offset = headerOffset + LOCAL_BYTES + nameBytes + unsigned16(local, 28);
    if (local.getInt(0) != LOCAL_SIGNATURE
        || offset > directoryOffset
        || !name.equals(name(read(headerOffset + LOCAL_BYTES, nameBytes), 0, nameBytes))) {
      throw fault("entry " + name + " has a local header that does not belong to it");
    }
    if (bytes < 0 || bytes > directoryOffset - offset) {
      throw fault("entry " + name + " of " + bytes + " bytes ends outside the file");
    }
    return new Entry(name, headerOffset, offset, bytes, crc);
  }

  private void checkOverlap() {
    List<Entry> ordered =
        entries.values().stream().sorted(Comparator.comparingLong(Entry::headerOffset)).toList();
    for (int i = 1; i < ordered.size(); i++) {
      Entry before = ordered.get(i - 1);
      if (before.offset() + before.bytes() > ordered.get(i).headerOffset()) {
        throw fault("entries " + before.name() + " and " + ordered.get(i).name() + " overlap");
      }
    }
  }

  private String name(ByteBuffer bytes, int at, int length) {
    String name;
    try {
      name = StandardCharsets.UTF_8.newDecoder().decode(bytes.slice(at, length)).toString();
    } catch (CharacterCodingException e) {
      throw new WeightsException(source, "an entry's name is not UTF-8", e);
    }
    boolean control = name.chars().anyMatch(Character::isISOControl);
    if (control
        || name.isEmpty()
        || name.startsWith("/")
        || name.contains("\\")
        || name.contains(":")
        || Arrays.asList(name.split("/", -1)).contains("..")) {
      throw fault("entry name \"" + (control ? "(control characters)" : name) + "\" is unsafe");
    }
    return name;
  }

  private ByteBuffer read(long offset, int length) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
    while (buffer.hasRemaining()) {
      if (channel.read(buffer, offset + buffer.position()) < 0) {
        throw fault("is truncated at byte " + (offset + buffer.position()));
      }
    }
    return buffer.flip();
  }

  private WeightsException fault(String reason) {
    return new WeightsException(source, reason);
  }

  private static int unsigned16(ByteBuffer bytes, int at) {
    return Short.toUnsignedInt(bytes.getShort(at));
  }

  private static long unsigned32(ByteBuffer bytes, int at) {
    return Integer.toUnsignedLong(bytes.getInt(at));
  }
}
