package io.bitloom.common.prompt;

import io.airlift.compress.Decompressor;
import io.airlift.compress.lz4.Lz4Decompressor;
import io.airlift.compress.snappy.SnappyDecompressor;
import io.airlift.compress.zstd.ZstdDecompressor;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.zip.GZIPInputStream;
import org.apache.parquet.bytes.BytesInput;
import org.apache.parquet.compression.CompressionCodecFactory;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;

/**
 * Uncompresses pages of Parquet files by what is there in Java alone. A page that says that it is
 * larger than it may be is not even begun.
 */
final class PageCodecs implements CompressionCodecFactory {

  private final int mostBytes;

  /**
   * @param mostBytes of a page when it is uncompressed
   */
  PageCodecs(int mostBytes) {
    this.mostBytes = mostBytes;
  }

  @Override
  public BytesInputDecompressor getDecompressor(CompressionCodecName codec) {
    return switch (codec) {
      case UNCOMPRESSED -> new Pages((bytes, size) -> bytes);
      case GZIP ->
          new Pages(
              (bytes, size) ->
                  new GZIPInputStream(new ByteArrayInputStream(bytes)).readNBytes(size));
      case SNAPPY -> new Pages(by(new SnappyDecompressor()));
      case ZSTD -> new Pages(by(new ZstdDecompressor()));
      case LZ4_RAW -> new Pages(by(new Lz4Decompressor()));
      default -> throw new IllegalArgumentException("is compressed by " + codec);
    };
  }

  private interface Uncompression {
    byte[] of(byte[] bytes, int size) throws IOException;
  }

  private static Uncompression by(Decompressor decompressor) {
    return (bytes, size) -> {
      byte[] page = new byte[size];
      decompressor.decompress(bytes, 0, bytes.length, page, 0, size);
      return page;
    };
  }

  private final class Pages implements BytesInputDecompressor {

    private final Uncompression uncompression;

    Pages(Uncompression uncompression) {
      this.uncompression = uncompression;
    }

    @Override
    public BytesInput decompress(BytesInput bytes, int size) throws IOException {
      ByteArrayOutputStream compressed = new ByteArrayOutputStream();
      bytes.writeAllTo(compressed);
      return BytesInput.from(uncompressed(compressed.toByteArray(), size));
    }

    @Override
    public void decompress(ByteBuffer in, int compressedSize, ByteBuffer out, int size)
        throws IOException {
      byte[] bytes = new byte[compressedSize];
      in.get(bytes);
      out.put(uncompressed(bytes, size));
    }

    private byte[] uncompressed(byte[] bytes, int size) throws IOException {
      if (size < 0 || size > mostBytes) {
        throw new IOException("a page has " + size + " bytes, more than " + mostBytes);
      }
      byte[] page = uncompression.of(bytes, size);
      if (page.length != size) {
        throw new IOException("a page has not the " + size + " bytes that it should have");
      }
      return page;
    }

    @Override
    public void release() {}
  }

  @Override
  public BytesInputCompressor getCompressor(CompressionCodecName codec) {
    throw new UnsupportedOperationException("files are only read");
  }

  @Override
  public void release() {}
}
