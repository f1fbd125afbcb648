package io.bitloom.engine.checkpoint;

import io.bitloom.engine.tensor.WeightsException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32;

/**
 * What a file of {@code torch.save} consists of.
 *
 * @param content the pickled value
 * @param storages rows of elements by the key that the pickle calls them
 */
record TorchArchive(Object content, Map<String, StoredZip.Entry> storages) {
  private static final String PICKLE = "data.pkl";
  private static final String DATA = "data/";
  private static final long MAX_PICKLE_BYTES = 128L << 20;

  /**
   * Reads a zip archive, PyTorch's format since 1.6.
   *
   * @throws WeightsException naming file and reason
   */
  static TorchArchive ofZip(Path file) {
    String source = file.toString();
    Map<String, StoredZip.Entry> entries = StoredZip.entries(file);
    String root = root(source, entries);
    if (entries.containsKey(root + "byteorder")
        && !new String(bytes(file, entries.get(root + "byteorder"), 16), StandardCharsets.US_ASCII)
            .equals("little")) {
      throw new WeightsException(source, "byteorder is not little");
    }
    ByteBuffer pickle = ByteBuffer.wrap(bytes(file, entries.get(root + PICKLE), MAX_PICKLE_BYTES));
    Map<String, StoredZip.Entry> storages = new HashMap<>();
    entries.forEach(
        (name, entry) -> {
          if (name.startsWith(root + DATA)) {
            storages.put(name.substring(root.length() + DATA.length()), entry);
          }
        });
    return new TorchArchive(PickleReader.read(source, pickle), storages);
  }

  private static String root(String source, Map<String, StoredZip.Entry> entries) {
    List<String> roots =
        entries.keySet().stream()
            .filter(name -> name.equals(PICKLE) || name.matches("[^/]+/" + PICKLE))
            .map(name -> name.substring(0, name.length() - PICKLE.length()))
            .toList();
    if (roots.size() != 1) {
      throw new WeightsException(
          source,
          "is a zip archive but no PyTorch checkpoint: "
              + (roots.size() > 1
                  ? "it has " + roots.size() + " of " + PICKLE
                  : "it holds " + some(entries) + "; if there are weight files in it, unpack it"));
    }
    if (entries.containsKey(roots.get(0) + "constants.pkl")) {
      throw new WeightsException(
          source,
          "is a TorchScript program, not a checkpoint: save its tensors with"
              + " torch.save(torch.jit.load(FILE).state_dict(), NEW)");
    }
    return roots.get(0);
  }

  private static String some(Map<String, StoredZip.Entry> entries) {
    List<String> names = entries.keySet().stream().limit(3).toList();
    return names.isEmpty()
        ? "nothing"
        : String.join(", ", names) + (entries.size() > 3 ? ", …" : "");
  }

  private static byte[] bytes(Path file, StoredZip.Entry entry, long limit) {
    if (entry.bytes() > limit) {
      throw new WeightsException(
          file.toString(), entry.name() + " has " + entry.bytes() + " bytes, too many");
    }
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ);
        InputStream in = Channels.newInputStream(channel.position(entry.offset()))) {
      byte[] bytes = in.readNBytes((int) entry.bytes());
      CRC32 crc = new CRC32();
      crc.update(bytes);
      if (entry.crc() != StoredZip.NO_CRC && entry.crc() != crc.getValue()) {
        throw damaged(file, entry);
      }
      return bytes;
    } catch (IOException e) {
      throw new WeightsException(file.toString(), "cannot be read: " + e.getMessage(), e);
    }
  }

  private static WeightsException damaged(Path file, StoredZip.Entry entry) {
    return new WeightsException(
        file.toString(),
        "entry " + entry.name() + " is damaged, its CRC-32 is wrong; fetch the file again");
  }

  /**
   * Reads a storage and compares its checksum.
   *
   * @throws WeightsException if it is another one
   */
  static void verify(Path file, StoredZip.Entry storage) {
    if (storage.crc() == StoredZip.NO_CRC) {
      return;
    }
    CRC32 crc = new CRC32();
    ByteBuffer buffer = ByteBuffer.allocateDirect((int) Math.min(1 << 20, storage.bytes() + 1));
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      long read = 0;
      while (read < storage.bytes()) {
        buffer.clear().limit((int) Math.min(buffer.capacity(), storage.bytes() - read));
        int count = channel.read(buffer, storage.offset() + read);
        if (count < 0) {
          throw damaged(file, storage);
        }
        crc.update(buffer.flip());
        read += count;
      }
    } catch (IOException e) {
      throw new WeightsException(file.toString(), "cannot be read: " + e.getMessage(), e);
    }
    if (crc.getValue() != storage.crc()) {
      throw damaged(file, storage);
    }
  }
}
