package io.bitloom.training.run;

import com.google.protobuf.CodedOutputStream;
import io.bitloom.common.file.WholeFile;
import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.zip.CRC32C;

/**
 * A file that TensorBoard reads: {@code tensorflow.Event} messages as TFRecords, each with the
 * masked CRC-32C of its length and of its bytes.
 *
 * @see <a
 *     href="https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/util/event.proto">
 *     event.proto</a>
 */
final class EventFile implements AutoCloseable {
  private static final int WALL_TIME = 1;
  private static final int STEP = 2;
  private static final int FILE_VERSION = 3;
  private static final int SUMMARY = 5;
  private static final int VALUE = 1;
  private static final int TAG = 1;
  private static final int SIMPLE_VALUE = 2;
  private static final int IMAGE = 4;
  private static final int HEIGHT = 1;
  private static final int WIDTH = 2;
  private static final int COLOR_SPACE = 3;
  private static final int ENCODED = 4;
  private static final int RGB = 3;

  private static final int CRC_MASK = 0xa282ead8;

  private final Path file;
  private final OutputStream out;

  private EventFile(Path file) throws IOException {
    this.file = file;
    this.out = new BufferedOutputStream(Files.newOutputStream(file));
  }

  /** The fields of a message. */
  private interface Fields {
    void write(CodedOutputStream out) throws IOException;
  }

  /** Starts a file in a folder, under a name that TensorBoard looks for. */
  static EventFile create(Path folder, double wallTime) throws IOException {
    Files.createDirectories(folder);
    String name =
        String.format(
            Locale.ROOT,
            "events.out.tfevents.%d.%d",
            (long) wallTime,
            ProcessHandle.current().pid());
    EventFile file = new EventFile(folder.resolve(name));
    file.event(wallTime, 0, out -> out.writeString(FILE_VERSION, "brain.Event:2"));
    return file;
  }

  /** Writes numbers of a step. */
  void scalars(double wallTime, long step, Map<String, Double> values) throws IOException {
    byte[] summary =
        message(
            out -> {
              for (Map.Entry<String, Double> value : values.entrySet()) {
                out.writeByteArray(
                    VALUE,
                    message(
                        inner -> {
                          inner.writeString(TAG, value.getKey());
                          inner.writeFloat(SIMPLE_VALUE, value.getValue().floatValue());
                        }));
              }
            });
    event(wallTime, step, out -> out.writeByteArray(SUMMARY, summary));
  }

  /** Writes a PNG picture of a step. */
  void picture(double wallTime, long step, String tag, int width, int height, byte[] png)
      throws IOException {
    byte[] image =
        message(
            out -> {
              out.writeInt32(HEIGHT, height);
              out.writeInt32(WIDTH, width);
              out.writeInt32(COLOR_SPACE, RGB);
              out.writeByteArray(ENCODED, png);
            });
    byte[] value =
        message(
            out -> {
              out.writeString(TAG, tag);
              out.writeByteArray(IMAGE, image);
            });
    byte[] summary = message(out -> out.writeByteArray(VALUE, value));
    event(wallTime, step, out -> out.writeByteArray(SUMMARY, summary));
  }

  private void event(double wallTime, long step, Fields what) throws IOException {
    byte[] event =
        message(
            out -> {
              out.writeDouble(WALL_TIME, wallTime);
              out.writeInt64(STEP, step);
              what.write(out);
            });
    byte[] length =
        ByteBuffer.allocate(Long.BYTES)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putLong(event.length)
            .array();
    try {
      out.write(length);
      out.write(maskedCrc(length));
      out.write(event);
      out.write(maskedCrc(event));
      out.flush();
    } catch (IOException e) {
      throw WholeFile.named(file, e);
    }
  }

  private static byte[] message(Fields fields) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    CodedOutputStream out = CodedOutputStream.newInstance(bytes);
    fields.write(out);
    out.flush();
    return bytes.toByteArray();
  }

  private static byte[] maskedCrc(byte[] bytes) {
    CRC32C crc = new CRC32C();
    crc.update(bytes);
    int masked = Integer.rotateRight((int) crc.getValue(), 15) + CRC_MASK;
    return ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN).putInt(masked).array();
  }

  @Override
  public void close() throws IOException {
    out.close();
  }
}
