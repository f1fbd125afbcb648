package io.bitloom.training.run;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.WireFormat;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EventFileTest {
  @TempDir private Path folder;

  private static int masked(byte[] bytes) {
    CRC32C crc = new CRC32C();
    crc.update(bytes);
    int value = (int) crc.getValue();
    return ((value >>> 15) | (value << 17)) + 0xa282ead8;
  }

  /** The next record, its checksums compared. */
  private static byte[] record(ByteBuffer file) {
    byte[] length = new byte[Long.BYTES];
    file.get(length);
    assertEquals(masked(length), file.getInt());
    byte[] bytes = new byte[(int) ByteBuffer.wrap(length).order(ByteOrder.LITTLE_ENDIAN).getLong()];
    file.get(bytes);
    assertEquals(masked(bytes), file.getInt());
    return bytes;
  }

  @Test
  void aScalarIsARecordWithChecksumsAfterTheVersion() throws IOException {
    try (EventFile events = EventFile.create(folder, 100)) {
      events.scalars(101.5, 7, Map.of("train/loss", 0.25));
    }
    ByteBuffer file;
    try (Stream<Path> files = Files.list(folder)) {
      file = ByteBuffer.wrap(Files.readAllBytes(files.findFirst().orElseThrow()));
    }
    file.order(ByteOrder.LITTLE_ENDIAN);
    CodedInputStream version = CodedInputStream.newInstance(record(file));
    assertEquals(1, WireFormat.getTagFieldNumber(version.readTag()));
    assertEquals(100, version.readDouble());
    assertEquals(2, WireFormat.getTagFieldNumber(version.readTag()));
    assertEquals(0, version.readInt64());
    version.readTag();
    assertEquals("brain.Event:2", version.readString());

    CodedInputStream event = CodedInputStream.newInstance(record(file));
    event.readTag();
    assertEquals(101.5, event.readDouble());
    event.readTag();
    assertEquals(7, event.readInt64());
    assertEquals(5, WireFormat.getTagFieldNumber(event.readTag()));
    CodedInputStream summary = CodedInputStream.newInstance(event.readByteArray());
    summary.readTag();
    CodedInputStream value = CodedInputStream.newInstance(summary.readByteArray());
    value.readTag();
    assertEquals("train/loss", value.readString());
    value.readTag();
    assertEquals(0.25f, value.readFloat());
    assertEquals(0, file.remaining());
  }
}
