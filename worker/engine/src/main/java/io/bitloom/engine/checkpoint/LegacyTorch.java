package io.bitloom.engine.checkpoint;

import io.bitloom.engine.checkpoint.Pickled.Storage;
import io.bitloom.engine.tensor.WeightsException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads what {@code torch.save} wrote before PyTorch 1.6, as many published networks still are: the
 * pickles of a magic number, the format's version, the machine, the content and the keys of the
 * storages; then each storage, the number of its elements (64 bits) before them.
 */
final class LegacyTorch {
  /** The magic number, as the pickle opcode LONG1 writes it, behind the pickle's protocol. */
  private static final String MAGIC = "\u008a\nl\u00fc\u009cF\u00f9 j\u00a8P\u0019.";

  private static final int MAGIC_WITHIN = 32;
  private static final long VERSION = 1001;
  private static final long MAX_PICKLE_BYTES = 128L << 20;

  private LegacyTorch() {}

  /** Whether a file that begins like this is of this format. */
  static boolean is(String head) {
    int at = head.indexOf(MAGIC);
    return at >= 2 && at < MAGIC_WITHIN && head.charAt(0) == 0x80;
  }

  /**
   * Reads the pickles and finds the storages, whose data is left alone.
   *
   * @throws WeightsException naming file and reason
   */
  static TorchArchive read(Path file) {
    String source = file.toString();
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      long size = channel.size();
      ByteBuffer pickles = start(channel, Math.min(size, MAX_PICKLE_BYTES));
      PickleReader.read(source, pickles); // the magic number
      if (!Long.valueOf(VERSION).equals(PickleReader.read(source, pickles))) {
        throw new WeightsException(source, "is of an unknown version of torch.save");
      }
      if (!(PickleReader.read(source, pickles) instanceof Map<?, ?> machine)
          || !Boolean.TRUE.equals(machine.get("little_endian"))) {
        throw new WeightsException(source, "was not written by a little-endian machine");
      }
      Map<String, Storage> named = new HashMap<>();
      Object content =
          PickleReader.read(source, pickles, storage -> named.put(storage.key(), storage));
      if (!(PickleReader.read(source, pickles) instanceof List<?> keys)) {
        throw new WeightsException(source, "has no list of its storages");
      }
      return new TorchArchive(content, storages(source, channel, pickles.position(), named, keys));
    } catch (IOException e) {
      throw new WeightsException(source, "cannot be read: " + e.getMessage(), e);
    }
  }

  private static ByteBuffer start(FileChannel channel, long length) throws IOException {
    return channel.map(FileChannel.MapMode.READ_ONLY, 0, length);
  }

  private static Map<String, StoredZip.Entry> storages(
      String source, FileChannel channel, long from, Map<String, Storage> named, List<?> keys)
      throws IOException {
    long size = channel.size();
    long at = from;
    Map<String, StoredZip.Entry> storages = new HashMap<>();
    for (Object key : keys) {
      Storage storage = key instanceof String name ? named.get(name) : null;
      if (storage == null) {
        throw new WeightsException(
            source, "has a storage of unknown type, behind which no other can be found");
      }
      ByteBuffer count = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
      while (count.hasRemaining()) {
        if (channel.read(count, at + count.position()) < 0) {
          throw cut(source, storage);
        }
      }
      long elements = count.getLong(0);
      long offset = at + Long.BYTES;
      int width = storage.dtype().bytes();
      if (elements < 0 || elements > (size - offset) / width) {
        throw cut(source, storage);
      }
      at = offset + elements * width;
      storages.put(
          storage.key(),
          new StoredZip.Entry(storage.key(), offset, offset, elements * width, StoredZip.NO_CRC));
    }
    return storages;
  }

  private static WeightsException cut(String source, Storage storage) {
    return new WeightsException(
        source, "ends within storage " + storage.key() + ", it is cut off; fetch it again");
  }
}
