package io.bitloom.common.prompt;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.apache.parquet.io.DelegatingSeekableInputStream;
import org.apache.parquet.io.InputFile;
import org.apache.parquet.io.SeekableInputStream;

/** Bytes as the Parquet library wants them, if they can be such a file. */
final class ParquetInput implements InputFile {

  /** What such a file begins and ends with. */
  private static final byte[] MAGIC = "PAR1".getBytes(StandardCharsets.US_ASCII);

  /** The length of the footer, and the magic. */
  private static final int END_BYTES = Integer.BYTES + MAGIC.length;

  /** The library reads the footer as a whole, however long it says that it is. */
  private static final int MOST_FOOTER_BYTES = 16 << 20;

  private final SeekableBytes bytes;

  /**
   * @param file for messages
   * @throws PromptFileException if it is not whole, or has more to say about itself than fits into
   *     the memory
   */
  ParquetInput(String file, SeekableBytes bytes) throws IOException {
    this.bytes = bytes;
    long size = bytes.size();
    if (size < MAGIC.length + END_BYTES) {
      throw new PromptFileException(file, "is too short for a Parquet file: " + size + " bytes");
    }
    bytes.seek(size - END_BYTES);
    byte[] end = bytes.readNBytes(END_BYTES);
    if (end.length < END_BYTES
        || !Arrays.equals(end, Integer.BYTES, END_BYTES, MAGIC, 0, MAGIC.length)) {
      throw new PromptFileException(file, "is no Parquet file, or not all of one");
    }
    int footer = ByteBuffer.wrap(end).order(ByteOrder.LITTLE_ENDIAN).getInt();
    if (footer < 0 || footer > MOST_FOOTER_BYTES) {
      throw new PromptFileException(
          file, "has a footer of " + footer + " bytes, more than " + MOST_FOOTER_BYTES);
    }
    bytes.seek(0);
  }

  @Override
  public long getLength() {
    return bytes.size();
  }

  @Override
  public SeekableInputStream newStream() {
    return new DelegatingSeekableInputStream(bytes) {
      @Override
      public long getPos() {
        return bytes.position();
      }

      @Override
      public void seek(long position) throws IOException {
        bytes.seek(position);
      }
    };
  }
}
