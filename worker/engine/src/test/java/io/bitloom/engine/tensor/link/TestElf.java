package io.bitloom.engine.tensor.link;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Shared libraries with nothing in them but what they need; {@code readelf} reads them, too. */
public final class TestElf {
  private static final int HEADER = 64;
  private static final int SEGMENT = 56;
  private static final long ADDRESS = 0x10000; // of the file in memory

  private final ByteArrayOutputStream names = new ByteArrayOutputStream();
  private final List<long[]> entries = new ArrayList<>();

  private TestElf() {
    names.write(0);
  }

  /** Writes a library that has its file's name and needs others. */
  public static Path write(Path file, String runPath, List<String> needed) throws IOException {
    TestElf elf = new TestElf();
    elf.add(14, file.getFileName().toString());
    for (String name : needed) {
      elf.add(1, name);
    }
    if (!runPath.isEmpty()) {
      elf.add(29, runPath);
    }
    return Files.write(file, elf.bytes());
  }

  private void add(long tag, String name) throws IOException {
    entries.add(new long[] {tag, names.size()});
    names.write(name.getBytes(StandardCharsets.UTF_8));
    names.write(0);
  }

  private byte[] bytes() {
    int dynamic = HEADER + 2 * SEGMENT;
    int dynamicBytes = 16 * (entries.size() + 3);
    int table = dynamic + dynamicBytes;
    int size = table + names.size();
    entries.add(new long[] {5, ADDRESS + table});
    entries.add(new long[] {10, names.size()});
    entries.add(new long[] {0, 0});
    ByteBuffer file = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    file.put(new byte[] {0x7f, 'E', 'L', 'F', 2, 1, 1}).position(16);
    file.putShort((short) 3).putShort((short) 62).putInt(1); // a shared library for x86-64
    file.putLong(0).putLong(HEADER).putLong(0).putInt(0);
    file.putShort((short) HEADER).putShort((short) SEGMENT).putShort((short) 2);
    file.position(HEADER);
    segment(file, 1, 0, size);
    segment(file, 2, dynamic, dynamicBytes);
    entries.forEach(entry -> file.putLong(entry[0]).putLong(entry[1]));
    return file.put(names.toByteArray()).array();
  }

  private static void segment(ByteBuffer file, int type, long offset, long size) {
    file.putInt(type).putInt(4).putLong(offset).putLong(ADDRESS + offset).putLong(0);
    file.putLong(size).putLong(size).putLong(8);
  }
}
