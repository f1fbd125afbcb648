package io.bitloom.common.prompt;

import io.airlift.compress.zstd.ZstdInputStream;
import java.io.BufferedInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.zip.GZIPInputStream;

/** Files that are compressed by gzip or Zstandard, which their first bytes tell. */
final class Compression {

  private static final int BUFFER_BYTES = 1 << 16;
  private static final int SIGNATURE_BYTES = 4;

  private Compression() {}

  /**
   * The content of a file, whether it is compressed or not.
   *
   * @param name for messages
   */
  static InputStream undone(String name, InputStream in) throws IOException {
    BufferedInputStream bytes = new BufferedInputStream(in, BUFFER_BYTES);
    bytes.mark(SIGNATURE_BYTES);
    byte[] first = bytes.readNBytes(SIGNATURE_BYTES);
    bytes.reset();
    try {
      if (begins(first, 0x1F, 0x8B)) {
        return new Checked(name, new GZIPInputStream(bytes, BUFFER_BYTES));
      }
      return begins(first, 0x28, 0xB5, 0x2F, 0xFD)
          ? new Checked(name, new ZstdInputStream(bytes))
          : bytes;
    } catch (IOException e) {
      bytes.close();
      throw damaged(name, e);
    }
  }

  private static boolean begins(byte[] first, int... signature) {
    if (first.length < signature.length) {
      return false;
    }
    for (int i = 0; i < signature.length; i++) {
      if ((first[i] & 0xFF) != signature[i]) {
        return false;
      }
    }
    return true;
  }

  private static PromptFileException damaged(String name, Exception e) {
    return new PromptFileException(name, "cannot be uncompressed: " + e.getMessage());
  }

  /** Names the file in the errors of a decompressor. */
  private static final class Checked extends FilterInputStream {

    private final String name;

    Checked(String name, InputStream in) {
      super(in);
      this.name = name;
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
      try {
        return in.read(bytes, offset, length);
      } catch (IOException | RuntimeException e) {
        throw damaged(name, e);
      }
    }
  }
}
