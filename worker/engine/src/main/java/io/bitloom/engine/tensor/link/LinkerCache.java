package io.bitloom.engine.tensor.link;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The list of libraries that {@code ldconfig} keeps for the dynamic linker of glibc (ld.so(8)), in
 * the format of glibc 2.2 and newer ({@code elf/cache.c}, {@code dl-cache.h}).
 */
final class LinkerCache {
  private static final byte[] MAGIC = "glibc-ld.so.cache1.1".getBytes(StandardCharsets.US_ASCII);
  private static final int HEADER_BYTES = 48;
  private static final int ENTRY_BYTES = 24;
  private static final int X86_64_OF_GLIBC = 0x0303;

  private LinkerCache() {}

  /** The x86-64 libraries of the list by name; none if there is no list that can be read. */
  static Map<String, Path> read(Path file) {
    try {
      return entries(Files.readAllBytes(file));
    } catch (IOException | IndexOutOfBoundsException e) {
      return Map.of();
    }
  }

  private static Map<String, Path> entries(byte[] content) {
    int start = start(content);
    ByteBuffer list = ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN);
    int count = list.getInt(start + MAGIC.length);
    Map<String, Path> libraries = new LinkedHashMap<>();
    for (int i = 0; i < count; i++) {
      int at = start + HEADER_BYTES + i * ENTRY_BYTES;
      if (list.getInt(at) == X86_64_OF_GLIBC) {
        String name = text(content, start + list.getInt(at + 4));
        libraries.putIfAbsent(name, Path.of(text(content, start + list.getInt(at + 8))));
      }
    }
    return libraries;
  }

  /** Behind a list in an older format there may be. */
  private static int start(byte[] content) {
    for (int start = 0; start <= content.length - MAGIC.length; start += 4) {
      boolean same = true;
      for (int i = 0; i < MAGIC.length && same; i++) {
        same = content[start + i] == MAGIC[i];
      }
      if (same) {
        return start;
      }
    }
    throw new IndexOutOfBoundsException("no list of glibc");
  }

  private static String text(byte[] content, int start) {
    int end = start;
    while (content[end] != 0) {
      end++;
    }
    return new String(content, start, end - start, StandardCharsets.UTF_8);
  }
}
