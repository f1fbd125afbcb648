package io.bitloom.common.prompt;

import io.airlift.compress.Compressor;
import io.airlift.compress.lz4.Lz4Compressor;
import io.airlift.compress.snappy.SnappyCompressor;
import io.airlift.compress.zstd.ZstdCompressor;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.function.BiConsumer;
import java.util.zip.GZIPOutputStream;
import org.apache.parquet.bytes.BytesInput;
import org.apache.parquet.compression.CompressionCodecFactory;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.example.data.simple.SimpleGroupFactory;
import org.apache.parquet.hadoop.ParquetWriter;
import org.apache.parquet.hadoop.example.ExampleParquetWriter;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.apache.parquet.io.LocalOutputFile;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.MessageTypeParser;

/** Writes Parquet files by Apache's library. */
final class ParquetFiles {

  private ParquetFiles() {}

  /**
   * Writes a file.
   *
   * @param columns as in a Parquet schema: {@code required binary prompt (UTF8); optional int64
   *     seed;}
   * @param fill a row of this number
   */
  static byte[] of(
      Path folder,
      String columns,
      CompressionCodecName codec,
      int rows,
      BiConsumer<Group, Integer> fill)
      throws IOException {
    Path file = folder.resolve("written.parquet");
    Files.deleteIfExists(file);
    MessageType schema = MessageTypeParser.parseMessageType("message rows { " + columns + " }");
    SimpleGroupFactory groups = new SimpleGroupFactory(schema);
    try (ParquetWriter<Group> writer =
        ExampleParquetWriter.builder(new LocalOutputFile(file))
            .withType(schema)
            .withCompressionCodec(codec)
            .withCodecFactory(new Codecs())
            .withRowGroupSize(20_000L)
            .withPageSize(2_000)
            .build()) {
      for (int i = 0; i < rows; i++) {
        Group row = groups.newGroup();
        fill.accept(row, i);
        writer.write(row);
      }
    }
    return Files.readAllBytes(file);
  }

  private static final class Codecs implements CompressionCodecFactory {
    @Override
    public BytesInputCompressor getCompressor(CompressionCodecName codec) {
      return new BytesInputCompressor() {
        @Override
        public BytesInput compress(BytesInput bytes) throws IOException {
          ByteArrayOutputStream plain = new ByteArrayOutputStream();
          bytes.writeAllTo(plain);
          return BytesInput.from(compressed(codec, plain.toByteArray()));
        }

        @Override
        public CompressionCodecName getCodecName() {
          return codec;
        }

        @Override
        public void release() {}
      };
    }

    private static byte[] compressed(CompressionCodecName codec, byte[] plain) {
      return switch (codec) {
        case UNCOMPRESSED -> plain;
        case GZIP -> gzip(plain);
        case SNAPPY -> by(new SnappyCompressor(), plain);
        case ZSTD -> by(new ZstdCompressor(), plain);
        case LZ4_RAW -> by(new Lz4Compressor(), plain);
        default -> throw new IllegalArgumentException(codec.name());
      };
    }

    private static byte[] gzip(byte[] plain) {
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
        gzip.write(plain);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      return out.toByteArray();
    }

    private static byte[] by(Compressor compressor, byte[] plain) {
      byte[] out = new byte[compressor.maxCompressedLength(plain.length)];
      int length = compressor.compress(plain, 0, plain.length, out, 0, out.length);
      return Arrays.copyOf(out, length);
    }

    @Override
    public BytesInputDecompressor getDecompressor(CompressionCodecName codec) {
      throw new UnsupportedOperationException("files are only written");
    }

    @Override
    public void release() {}
  }
}
