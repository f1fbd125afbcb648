package io.bitloom.training.data;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Optional;
import java.util.zip.CRC32C;

/**
 * Features that were computed once, on disk: one file per key, with a checksum, so that a damaged
 * file is as good as none. Used by several threads and processes at a time.
 *
 * @param folder where the files lie
 * @param model what computed the features, part of every key
 */
public record FeatureCache(Path folder, String model) {
  private static final int HEADER = 2 * Integer.BYTES;

  /** The key of something that features are computed of. */
  public String key(String source) {
    try {
      byte[] text = (model + "\n" + source).getBytes(StandardCharsets.UTF_8);
      return HexFormat.of()
          .formatHex(MessageDigest.getInstance("SHA-256").digest(text))
          .substring(0, 40);
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every JDK has SHA-256", e);
    }
  }

  /** The features of a key, if they are there and whole. */
  public Optional<float[]> find(String key) {
    try {
      byte[] bytes = Files.readAllBytes(file(key));
      if (bytes.length < HEADER) {
        return Optional.empty();
      }
      ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
      int checksum = buffer.getInt();
      int count = buffer.getInt();
      if (bytes.length != HEADER + (long) count * Float.BYTES || checksum != checksum(bytes)) {
        return Optional.empty();
      }
      float[] values = new float[count];
      buffer.asFloatBuffer().get(values);
      return Optional.of(values);
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  /**
   * Stores features.
   *
   * @throws IOException if the folder cannot be written
   */
  public void put(String key, float[] values) throws IOException {
    ByteBuffer buffer =
        ByteBuffer.allocate(HEADER + values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    buffer.putInt(0).putInt(values.length);
    buffer.slice().order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().put(values);
    buffer.putInt(0, checksum(buffer.array()));
    Path file = file(key);
    Files.createDirectories(file.getParent());
    Path unfinished = Files.createTempFile(file.getParent(), key, ".part");
    Files.write(unfinished, buffer.array());
    Files.move(unfinished, file, StandardCopyOption.ATOMIC_MOVE);
  }

  private Path file(String key) {
    return folder.resolve(key.substring(0, 2)).resolve(key);
  }

  private static int checksum(byte[] bytes) {
    CRC32C crc = new CRC32C();
    crc.update(bytes, Integer.BYTES, bytes.length - Integer.BYTES);
    return (int) crc.getValue();
  }
}
