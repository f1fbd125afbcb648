package io.bitloom.engine.checkpoint;

import com.google.gson.JsonObject;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Weights;
import io.bitloom.engine.tensor.WeightsException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A safetensors file: eight bytes of header length (little-endian), a JSON header, raw data.
 *
 * @see <a href="https://github.com/huggingface/safetensors#format">the format</a>
 */
public final class SafetensorsFile implements Checkpoint {
  private static final int LENGTH_BYTES = 8;

  /** The limit of the reference reader. */
  private static final long MAX_HEADER_BYTES = 100_000_000;

  private final Path file;
  private final SafetensorsHeader header;

  private SafetensorsFile(Path file, SafetensorsHeader header) {
    this.file = file;
    this.header = header;
  }

  /**
   * Reads and checks the header; the data is left alone.
   *
   * @throws WeightsException naming file, tensor and reason, if the file is not to the letter of
   *     the format or uses an element type that Bitloom does not know
   */
  public static SafetensorsFile read(Path file) {
    String source = file.toString();
    ForeignWeightFile.refuse(file, false);
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      long size = channel.size();
      if (size < LENGTH_BYTES) {
        throw new WeightsException(
            source, size + " bytes are too few for a weight file; fetch it again");
      }
      long length = bytes(channel, 0, LENGTH_BYTES).order(ByteOrder.LITTLE_ENDIAN).getLong();
      if (length < 0 || length > MAX_HEADER_BYTES) {
        throw new WeightsException(
            source,
            "is no weight file that Bitloom knows (safetensors, PyTorch): as safetensors, its header"
                + " length "
                + Long.toUnsignedString(length)
                + " is beyond the limit");
      }
      if (length > size - LENGTH_BYTES) {
        throw new WeightsException(
            source,
            "is truncated: header of "
                + length
                + " bytes in a file of "
                + size
                + "; fetch it again");
      }
      String json = StrictJson.text(source, bytes(channel, LENGTH_BYTES, (int) length).array());
      long dataStart = LENGTH_BYTES + length;
      return new SafetensorsFile(
          file, SafetensorsHeader.parse(source, json, dataStart, size - dataStart));
    } catch (IOException e) {
      throw new WeightsException(source, "cannot be read: " + e.getMessage(), e);
    }
  }

  /** The strings under {@code __metadata__}. */
  public Map<String, String> metadata() {
    return Collections.unmodifiableMap(header.metadata());
  }

  @Override
  public Path file() {
    return file;
  }

  @Override
  public String section() {
    return BARE;
  }

  @Override
  public List<Path> files() {
    return List.of(file);
  }

  @Override
  public List<CheckpointEntry> entries() {
    return header.tensors().stream()
        .map(
            tensor ->
                new CheckpointEntry(
                    file, tensor.name(), tensor.dtype(), tensor.shape(), tensor.offset()))
        .toList();
  }

  /** The metadata entry {@code config}. */
  @Override
  public Optional<JsonObject> config() {
    return Optional.ofNullable(metadata().get("config"))
        .map(text -> StrictJson.object(file + ": config", text));
  }

  @Override
  public Weights load() {
    Weights weights = new Weights(file.toString());
    try (Scope scope = Scope.open()) {
      MappedFile mapped = new MappedFile(file);
      for (StoredTensor tensor : header.tensors()) {
        try (Scope each = Scope.open()) {
          weights.put(tensor.name(), mapped.tensor(tensor));
        }
      }
      return weights;
    } catch (RuntimeException e) {
      weights.close();
      throw e;
    }
  }

  private static ByteBuffer bytes(FileChannel channel, long offset, int length) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(length);
    while (buffer.hasRemaining()) {
      if (channel.read(buffer, offset + buffer.position()) < 0) {
        throw new IOException("ended at byte " + (offset + buffer.position()));
      }
    }
    return buffer.flip();
  }
}
