package io.bitloom.common.prompt;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Map;

/**
 * How the bytes of a file or an object become lines of prompts.
 *
 * @param name for messages
 * @param format of the content, which may be compressed by gzip or Zstandard whatever its name
 * @param columns fields of prompts by the columns of a table that have them; empty: the columns
 *     have the fields' own names
 * @param mostBytes that the content may have when it is uncompressed
 */
public record PromptContent(
    String name, PromptFormat format, Map<String, String> columns, long mostBytes) {

  /** Content of any length, whose columns have the names of fields. */
  public PromptContent(String name, PromptFormat format) {
    this(name, format, Map.of(), Long.MAX_VALUE);
  }

  /**
   * Lines of UTF-8 or of an encoding that they begin with.
   *
   * @param bytes from the start; closed with what is returned, and if this fails
   * @throws PromptFileException if it cannot be such content; reading may fail likewise
   */
  public InputStream open(SeekableBytes bytes) throws IOException {
    if (format == PromptFormat.PARQUET) {
      InputStream rows = new ParquetLines(name, bytes, columns);
      return mostBytes < Long.MAX_VALUE ? new Bounded(rows) : rows;
    }
    InputStream content = Compression.undone(name, bytes);
    if (content != bytes && mostBytes < Long.MAX_VALUE) {
      content = new Bounded(content);
    }
    return format == PromptFormat.CSV
        ? new TableLines(name, PromptLineReader.utf8(name, content), columns)
        : content;
  }

  /** A small file can have much in it. */
  private final class Bounded extends FilterInputStream {

    private long count;

    Bounded(InputStream in) {
      super(in);
    }

    @Override
    public int read() throws IOException {
      int b = in.read();
      count(b < 0 ? 0 : 1);
      return b;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
      int n = in.read(bytes, offset, length);
      count(Math.max(0, n));
      return n;
    }

    @Override
    public long skip(long bytes) throws IOException {
      long n = in.skip(bytes);
      count(n);
      return n;
    }

    private void count(long more) throws PromptFileException {
      count += more;
      if (count > mostBytes) {
        throw new PromptFileException(
            name, "has more than " + mostBytes + " bytes when it is uncompressed");
      }
    }
  }
}
