package io.bitloom.engine.image.decode;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.imageio.stream.FileImageInputStream;
import javax.imageio.stream.ImageInputStream;
import javax.imageio.stream.ImageInputStreamImpl;

/** Streams over the bytes of pictures. */
final class PictureStreams {
  /** Larger files are read piece by piece. */
  private static final long MOST_IN_MEMORY = 16 << 20;

  private PictureStreams() {}

  /** All of a file. */
  static ImageInputStream open(Path file) throws IOException {
    return Files.size(file) > MOST_IN_MEMORY ? header(file) : of(Files.readAllBytes(file));
  }

  /** A file of which little will be read. */
  static ImageInputStream header(Path file) throws IOException {
    return new FileImageInputStream(new RandomAccessFile(file.toFile(), "r"));
  }

  /** Bytes in memory. */
  static ImageInputStream of(byte[] bytes) {
    return new InMemory(bytes);
  }

  private static final class InMemory extends ImageInputStreamImpl {
    private final byte[] bytes;

    private InMemory(byte[] bytes) {
      this.bytes = bytes;
    }

    @Override
    public int read() throws IOException {
      checkClosed();
      bitOffset = 0;
      return streamPos < bytes.length ? bytes[(int) streamPos++] & 0xff : -1;
    }

    @Override
    public int read(byte[] to, int offset, int length) throws IOException {
      checkClosed();
      bitOffset = 0;
      if (length == 0) {
        return 0;
      }
      int count = (int) Math.min(length, bytes.length - streamPos);
      if (count <= 0) {
        return -1;
      }
      System.arraycopy(bytes, (int) streamPos, to, offset, count);
      streamPos += count;
      return count;
    }

    @Override
    public long length() {
      return bytes.length;
    }
  }
}
