package io.bitloom.common.file;

import java.io.BufferedOutputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;

/** Writes files that are there as a whole or not at all, even if the disk is full. */
public final class WholeFile {

  /** What a file is to hold. */
  public interface Content {
    void writeTo(OutputStream out) throws IOException;
  }

  /** How the unfinished file is made. */
  private interface Opening {
    OutputStream open(Path part) throws IOException;
  }

  private WholeFile() {}

  /**
   * Writes a file, in place of the one that was there.
   *
   * @throws IOException of the content as it is; a fault in writing names the file
   */
  public static void write(Path file, Content content) throws IOException {
    write(file, content, Files::newOutputStream);
  }

  /**
   * Writes a file that nobody but its owner can read at any moment, in place of the one that was
   * there: for what holds a password.
   *
   * @throws IOException see {@link #write}
   */
  public static void writeSecret(Path file, Content content) throws IOException {
    write(file, content, WholeFile::newSecret);
  }

  /** Writes a text in UTF-8 that only its owner can read, see {@link #writeSecret}. */
  public static void writeSecret(Path file, String text) throws IOException {
    writeSecret(file, out -> out.write(text.getBytes(StandardCharsets.UTF_8)));
  }

  /** A new file, as an old one would keep its permissions, and somebody may have it open. */
  private static OutputStream newSecret(Path part) throws IOException {
    Files.deleteIfExists(part);
    return Channels.newOutputStream(
        Files.newByteChannel(
            part,
            Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"))));
  }

  private static void write(Path file, Content content, Opening opening) throws IOException {
    Path part = file.resolveSibling("." + file.getFileName() + ".part");
    try {
      try (OutputStream out = new BufferedOutputStream(new NamedOutput(file, opening.open(part)))) {
        content.writeTo(out);
      }
      Files.move(part, file, StandardCopyOption.ATOMIC_MOVE);
    } finally {
      Files.deleteIfExists(part);
    }
  }

  /** Writes a text in UTF-8. */
  public static void write(Path file, String text) throws IOException {
    write(file, text.getBytes(StandardCharsets.UTF_8));
  }

  public static void write(Path file, byte[] bytes) throws IOException {
    write(file, out -> out.write(bytes));
  }

  /** A fault with the name of its file, which those of streams and channels lack. */
  public static FileSystemException named(Path file, IOException fault) {
    if (fault instanceof FileSystemException known) {
      return known;
    }
    FileSystemException named = new FileSystemException(file.toString(), null, fault.getMessage());
    named.initCause(fault);
    return named;
  }

  private static final class NamedOutput extends FilterOutputStream {

    private final Path file;

    NamedOutput(Path file, OutputStream out) {
      super(out);
      this.file = file;
    }

    @Override
    public void write(int b) throws IOException {
      write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      try {
        out.write(bytes, offset, length);
      } catch (IOException e) {
        throw named(file, e);
      }
    }

    @Override
    public void close() throws IOException {
      try {
        out.close();
      } catch (IOException e) {
        throw named(file, e);
      }
    }
  }
}
