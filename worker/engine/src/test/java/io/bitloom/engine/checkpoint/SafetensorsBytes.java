package io.bitloom.engine.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Writes safetensors files byte by byte, sound or broken. */
final class SafetensorsBytes {
  private SafetensorsBytes() {}

  static Path write(Path file, String header, byte... data) throws IOException {
    return write(file, header.getBytes(StandardCharsets.UTF_8).length, header, data);
  }

  static Path write(Path file, long headerLength, String header, byte... data) throws IOException {
    byte[] json = header.getBytes(StandardCharsets.UTF_8);
    return Files.write(
        file,
        ByteBuffer.allocate(8 + json.length + data.length)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putLong(headerLength)
            .put(json)
            .put(data)
            .array());
  }
}
