package io.bitloom.client.cluster;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/**
 * A file that grows to a size, then becomes {@code FILE.1}, as those before it {@code FILE.2} and
 * so on, of which the oldest go. What was there when the program started stays. Thread-safe.
 */
final class RotatingLog implements AutoCloseable {

  /** Bytes of a file before it is put aside. */
  static final long MAX_BYTES = 16L << 20;

  /** Files that were put aside and are kept. */
  static final int OLD_FILES = 4;

  /** A file may be so many times as long as it should, so that its last line ends. */
  private static final long LONGEST_FILES = 2;

  private final Path file;
  private final long maxBytes;
  private final int oldFiles;
  private OutputStream out;
  private long size;

  RotatingLog(Path file) {
    this(file, MAX_BYTES, OLD_FILES);
  }

  RotatingLog(Path file, long maxBytes, int oldFiles) {
    this.file = file;
    this.maxBytes = maxBytes;
    this.oldFiles = oldFiles;
  }

  Path file() {
    return file;
  }

  /**
   * Appends some output; a line is not divided among files unless it is as long as one. What cannot
   * be written, on a full disk for example, is dropped: the program that says it must not stop for
   * it.
   *
   * @param length how many of the bytes
   */
  synchronized void write(byte[] bytes, int length) {
    try {
      open();
      int rest = size + length > maxBytes ? afterFirstLine(bytes, length) : 0;
      if (rest > 0 || size > LONGEST_FILES * maxBytes) {
        append(bytes, 0, rest);
        rotate();
      }
      append(bytes, rest, length - rest);
    } catch (IOException e) {
      close();
    }
  }

  private static int afterFirstLine(byte[] bytes, int length) {
    for (int i = 0; i < length; i++) {
      if (bytes[i] == '\n') {
        return i + 1;
      }
    }
    return 0;
  }

  private void open() throws IOException {
    if (out == null) {
      out = Files.newOutputStream(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
      size = Files.size(file);
    }
  }

  private void append(byte[] bytes, int from, int length) throws IOException {
    out.write(bytes, from, length);
    size += length;
  }

  private void rotate() throws IOException {
    close();
    for (int i = oldFiles; i > 0; i--) {
      Path newer = i == 1 ? file : old(i - 1);
      if (Files.exists(newer)) {
        Files.move(newer, old(i), StandardCopyOption.REPLACE_EXISTING);
      }
    }
    open();
  }

  private Path old(int number) {
    return file.resolveSibling(file.getFileName() + "." + number);
  }

  @Override
  public synchronized void close() {
    try {
      if (out != null) {
        out.close();
      }
    } catch (IOException e) {
      // Nothing of it is kept back: every write went to the system.
    } finally {
      out = null;
    }
  }
}
