package io.bitloom.engine.tensor.link;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What a shared library for x86-64 says to the dynamic linker, in the dynamic section of its ELF
 * file (System V ABI, chapter 5).
 *
 * @param soname the name by which others need it ({@code DT_SONAME})
 * @param needed the libraries that it needs ({@code DT_NEEDED})
 * @param runPath folders in which those are looked for ({@code DT_RUNPATH}, else {@code DT_RPATH}),
 *     as they stand there, with {@code $ORIGIN}
 */
record ElfFile(Optional<String> soname, List<String> needed, List<String> runPath) {
  private static final int HEADER_BYTES = 64;
  private static final int MAGIC = 0x464c457f; // 0x7f E L F
  private static final int CLASS_64_LITTLE_ENDIAN = 0x0102;
  private static final short X86_64 = 62;

  private static final int LOAD = 1;
  private static final int DYNAMIC = 2;

  private static final int ENTRY_BYTES = 16;
  private static final int NEEDED = 1;
  private static final int STRING_TABLE = 5;
  private static final int STRING_TABLE_SIZE = 10;
  private static final int SONAME = 14;
  private static final int RPATH = 15;
  private static final int RUNPATH = 29;

  /** Far more than any library has; more is a broken file. */
  private static final long MOST_BYTES = 64L << 20;

  private record Segment(int type, long offset, long address, long size) {
    boolean holds(long where) {
      return type == LOAD && where >= address && where - address < size;
    }
  }

  private record Entry(long tag, long value) {}

  /**
   * Reads headers and dynamic section, a few kilobytes.
   *
   * @throws IOException if it cannot be read, or is no library for x86-64; the message has the file
   */
  static ElfFile read(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      List<Segment> segments = segments(channel);
      List<Entry> entries = new ArrayList<>();
      for (Segment segment : segments) {
        if (segment.type == DYNAMIC) {
          entries.addAll(entries(bytes(channel, segment.offset, segment.size)));
        }
      }
      return of(entries, strings(channel, segments, entries));
    } catch (EOFException | IllegalArgumentException | IndexOutOfBoundsException e) {
      throw new IOException(file + " is no shared library for x86-64, or is cut off", e);
    }
  }

  private static List<Segment> segments(FileChannel channel) throws IOException {
    ByteBuffer header = bytes(channel, 0, HEADER_BYTES);
    if (header.getInt(0) != MAGIC
        || header.getShort(4) != CLASS_64_LITTLE_ENDIAN
        || header.getShort(18) != X86_64) {
      throw new IllegalArgumentException("not ELF for x86-64");
    }
    int size = Short.toUnsignedInt(header.getShort(54));
    int count = Short.toUnsignedInt(header.getShort(56));
    ByteBuffer table = bytes(channel, header.getLong(32), (long) size * count);
    List<Segment> segments = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int at = i * size;
      segments.add(
          new Segment(
              table.getInt(at),
              table.getLong(at + 8),
              table.getLong(at + 16),
              table.getLong(at + 32)));
    }
    return segments;
  }

  private static List<Entry> entries(ByteBuffer section) {
    List<Entry> entries = new ArrayList<>();
    for (int at = 0; at + ENTRY_BYTES <= section.limit() && section.getLong(at) != 0; ) {
      entries.add(new Entry(section.getLong(at), section.getLong(at + 8)));
      at += ENTRY_BYTES;
    }
    return entries;
  }

  /** The names of the dynamic section; it has their address in memory, not in the file. */
  private static ByteBuffer strings(
      FileChannel channel, List<Segment> segments, List<Entry> entries) throws IOException {
    long address = value(entries, STRING_TABLE);
    for (Segment segment : segments) {
      if (segment.holds(address)) {
        return bytes(
            channel,
            segment.offset + (address - segment.address),
            value(entries, STRING_TABLE_SIZE));
      }
    }
    throw new IllegalArgumentException("no names");
  }

  private static long value(List<Entry> entries, int tag) {
    return entries.stream()
        .filter(entry -> entry.tag == tag)
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException("no entry " + tag))
        .value;
  }

  private static ElfFile of(List<Entry> entries, ByteBuffer strings) {
    List<String> runPath = texts(entries, RUNPATH, strings);
    if (runPath.isEmpty()) {
      runPath = texts(entries, RPATH, strings);
    }
    return new ElfFile(
        texts(entries, SONAME, strings).stream().findFirst(),
        texts(entries, NEEDED, strings),
        runPath.stream()
            .flatMap(path -> List.of(path.split(":")).stream())
            .filter(folder -> !folder.isEmpty())
            .toList());
  }

  private static List<String> texts(List<Entry> entries, int tag, ByteBuffer strings) {
    return entries.stream()
        .filter(entry -> entry.tag == tag)
        .map(entry -> text(strings, Math.toIntExact(entry.value)))
        .toList();
  }

  private static String text(ByteBuffer strings, int start) {
    int end = start;
    while (strings.get(end) != 0) {
      end++;
    }
    return new String(strings.array(), start, end - start, StandardCharsets.UTF_8);
  }

  private static ByteBuffer bytes(FileChannel channel, long offset, long count) throws IOException {
    if (offset < 0 || count < 0 || count > MOST_BYTES) {
      throw new IllegalArgumentException("a size is out of range");
    }
    ByteBuffer buffer = ByteBuffer.allocate((int) count).order(ByteOrder.LITTLE_ENDIAN);
    while (buffer.hasRemaining()) {
      if (channel.read(buffer, offset + buffer.position()) < 0) {
        throw new EOFException();
      }
    }
    return buffer.flip();
  }
}
