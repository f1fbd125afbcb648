package io.bitloom.engine.checkpoint;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.zip.CRC32;

/** Writes zip archives field by field, sound or broken. */
public final class ZipBytes {
  /** The fields of one entry, to be changed before the archive is written. */
  public static final class Entry {
    String name;
    String localName;
    byte[] content;
    int flags;
    int method;
    long bytes;
    long headerOffset = -1;
    long crc = -1; // that of the content

    private Entry(String name, byte[] content) {
      this.name = name;
      this.localName = name;
      this.content = content;
      this.bytes = content.length;
    }
  }

  private final List<Entry> entries = new ArrayList<>();
  private boolean zip64;

  public ZipBytes add(String name, byte... content) {
    entries.add(new Entry(name, content));
    return this;
  }

  public ZipBytes change(int entry, Consumer<Entry> change) {
    change.accept(entries.get(entry));
    return this;
  }

  public ZipBytes zip64() {
    zip64 = true;
    return this;
  }

  public Path write(Path file) throws IOException {
    return Files.write(file, bytes());
  }

  public byte[] bytes() {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (Entry entry : entries) {
      if (entry.headerOffset < 0) {
        entry.headerOffset = out.size();
      }
      byte[] name = entry.localName.getBytes(StandardCharsets.UTF_8);
      ByteBuffer header = buffer(30);
      header.putInt(0x04034b50).putShort(6, (short) entry.flags);
      header.putShort(26, (short) name.length);
      out.writeBytes(header.array());
      out.writeBytes(name);
      out.writeBytes(entry.content);
    }
    int start = out.size();
    for (Entry entry : entries) {
      byte[] name = entry.name.getBytes(StandardCharsets.UTF_8);
      ByteBuffer header = buffer(46);
      header.putInt(0x02014b50).putShort(8, (short) entry.flags);
      header.putShort(10, (short) entry.method);
      header.putInt(16, (int) (entry.crc < 0 ? crc(entry.content) : entry.crc));
      header.putInt(20, (int) (zip64 ? -1 : entry.bytes));
      header.putInt(24, (int) (zip64 ? -1 : entry.bytes));
      header.putShort(28, (short) name.length);
      header.putShort(30, (short) (zip64 ? 28 : 0));
      header.putInt(42, (int) (zip64 ? -1 : entry.headerOffset));
      out.writeBytes(header.array());
      out.writeBytes(name);
      if (zip64) {
        ByteBuffer extra = buffer(28).putShort((short) 1).putShort((short) 24);
        extra.putLong(entry.bytes).putLong(entry.bytes).putLong(entry.headerOffset);
        out.writeBytes(extra.array());
      }
    }
    int length = out.size() - start;
    if (zip64) {
      long end = out.size();
      ByteBuffer record = buffer(56).putInt(0x06064b50).putLong(44);
      record.putLong(24, entries.size()).putLong(32, entries.size());
      record.putLong(40, length).putLong(48, start);
      out.writeBytes(record.array());
      out.writeBytes(buffer(20).putInt(0x07064b50).putInt(0).putLong(end).array());
    }
    ByteBuffer end = buffer(22).putInt(0x06054b50);
    end.putShort(8, (short) (zip64 ? -1 : entries.size()));
    end.putShort(10, (short) (zip64 ? -1 : entries.size()));
    end.putInt(12, zip64 ? -1 : length).putInt(16, zip64 ? -1 : start);
    out.writeBytes(end.array());
    return out.toByteArray();
  }

  private static long crc(byte[] content) {
    CRC32 crc = new CRC32();
    crc.update(content);
    return crc.getValue();
  }

  private static ByteBuffer buffer(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }
}
