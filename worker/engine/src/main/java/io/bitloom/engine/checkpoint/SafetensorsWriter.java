package io.bitloom.engine.checkpoint;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.bitloom.common.file.WholeFile;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.engine.tensor.Weights;
import io.bitloom.engine.tensor.WeightsException;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.pytorch.Tensor;

/** Writes weights as safetensors files. */
public final class SafetensorsWriter {
  private static final int ALIGNMENT = 8;
  private static final int CHUNK_BYTES = 1 << 20;

  private SafetensorsWriter() {}

  /**
   * Writes the tensors as they are, see {@link #write(Path, Weights, Map, DType)}.
   *
   * @throws IOException if the folder cannot be written
   */
  public static void write(Path file, Weights weights, Map<String, String> metadata)
      throws IOException {
    write(file, weights, metadata, null);
  }

  /**
   * Writes the tensors and then moves the finished file to its place, so that a reader sees the old
   * file or the whole new one. Wide elements come first, which keeps every tensor aligned.
   *
   * @param dtype type for tensors of floating-point numbers; null leaves each as it is
   * @throws IOException if the folder cannot be written
   * @throws WeightsException if a value is beyond the range of the type
   */
  public static void write(Path file, Weights weights, Map<String, String> metadata, DType dtype)
      throws IOException {
    write(file, weights, List.copyOf(weights.names()), metadata, dtype);
  }

  /**
   * Writes the tensors into a folder: as {@code model.safetensors}, or, if they are larger than a
   * shard may be, as several files with {@code model.safetensors.index.json}.
   *
   * @param dtype type for tensors of floating-point numbers; null leaves each as it is
   * @param shardBytes most bytes of data in a file; a larger tensor has a file of its own
   * @return the file that stands for all: the only one, or the index
   * @throws IOException if the folder cannot be written
   * @throws WeightsException if a value is beyond the range of the type
   */
  public static Path writeFolder(
      Path folder, Weights weights, Map<String, String> metadata, DType dtype, long shardBytes)
      throws IOException {
    List<List<String>> shards = shards(weights, dtype, shardBytes);
    if (shards.size() == 1) {
      Path file = folder.resolve("model.safetensors");
      write(file, weights, metadata, dtype);
      return file;
    }
    JsonObject map = new JsonObject();
    long total = 0;
    for (int i = 0; i < shards.size(); i++) {
      String name =
          String.format(Locale.ROOT, "model-%05d-of-%05d.safetensors", i + 1, shards.size());
      write(folder.resolve(name), weights, shards.get(i), metadata, dtype);
      for (String tensor : shards.get(i)) {
        map.addProperty(tensor, name);
        total += bytes(weights.get(tensor), dtype);
      }
    }
    JsonObject size = new JsonObject();
    size.addProperty("total_size", total);
    JsonObject index = new JsonObject();
    index.add("metadata", size);
    index.add("weight_map", map);
    Path file = folder.resolve("model.safetensors.index.json");
    WholeFile.write(file, index.toString());
    return file;
  }

  private static List<List<String>> shards(Weights weights, DType dtype, long shardBytes) {
    List<List<String>> shards = new ArrayList<>(List.of(new ArrayList<>()));
    long filled = 0;
    for (String name : weights.names()) {
      long bytes = bytes(weights.get(name), dtype);
      if (filled > 0 && filled + bytes > shardBytes) {
        shards.add(new ArrayList<>());
        filled = 0;
      }
      shards.get(shards.size() - 1).add(name);
      filled += bytes;
    }
    return shards;
  }

  private static void write(
      Path file, Weights weights, List<String> tensors, Map<String, String> metadata, DType dtype)
      throws IOException {
    // No temporary file of Java's, which nobody else may read.
    String process = Long.toString(ProcessHandle.current().pid());
    Path unfinished = file.resolveSibling("." + file.getFileName() + ".part-" + process);
    try {
      try (OutputStream out =
          new BufferedOutputStream(
              Files.newOutputStream(unfinished, StandardOpenOption.CREATE_NEW))) {
        List<String> names =
            tensors.stream()
                .sorted(Comparator.comparing(name -> -typeOf(weights.get(name), dtype).bytes()))
                .toList();
        writeHeader(out, names, weights, metadata, dtype);
        for (String name : names) {
          writeData(out, weights, name, dtype);
        }
      }
      Files.move(unfinished, file, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw WholeFile.named(file, e);
    } finally {
      Files.deleteIfExists(unfinished);
    }
  }

  private static DType typeOf(Tensor tensor, DType floating) {
    DType own = Tensors.dtype(tensor);
    return floating != null && own.floating() ? floating : own;
  }

  private static long bytes(Tensor tensor, DType floating) {
    return tensor.numel() * typeOf(tensor, floating).bytes();
  }

  private static void writeHeader(
      OutputStream out,
      List<String> names,
      Weights weights,
      Map<String, String> metadata,
      DType floating)
      throws IOException {
    JsonObject header = new JsonObject();
    if (!metadata.isEmpty()) {
      JsonObject entries = new JsonObject();
      metadata.forEach(entries::addProperty);
      header.add("__metadata__", entries);
    }
    long offset = 0;
    for (String name : names) {
      Tensor tensor = weights.get(name);
      DType dtype = typeOf(tensor, floating);
      long bytes = bytes(tensor, floating);
      JsonObject entry = new JsonObject();
      entry.addProperty("dtype", dtype.name());
      entry.add("shape", numbers(tensor.shape()));
      entry.add("data_offsets", numbers(offset, offset + bytes));
      header.add(name, entry);
      offset += bytes;
    }
    byte[] json = header.toString().getBytes(StandardCharsets.UTF_8);
    int padded = (json.length + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    byte[] text = Arrays.copyOf(json, padded);
    Arrays.fill(text, json.length, padded, (byte) ' ');
    out.write(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(padded).array());
    out.write(text);
  }

  private static void writeData(OutputStream out, Weights weights, String name, DType floating)
      throws IOException {
    try (Scope scope = Scope.open()) {
      Tensor tensor = weights.get(name);
      DType dtype = typeOf(tensor, floating);
      Tensor plain = tensor.detach().to(TorchDevice.CPU.torch(), dtype.torch()).contiguous();
      if (dtype != Tensors.dtype(tensor) && overflows(tensor, plain)) {
        throw new WeightsException(
            weights.source(), name, "holds values beyond the range of " + dtype);
      }
      long length = plain.nbytes();
      BytePointer bytes = new BytePointer(plain.data_ptr());
      byte[] chunk = new byte[(int) Math.min(CHUNK_BYTES, length)];
      for (long offset = 0; offset < length; offset += chunk.length) {
        int count = (int) Math.min(chunk.length, length - offset);
        bytes.position(offset).get(chunk, 0, count);
        out.write(chunk, 0, count);
      }
    }
  }

  private static boolean overflows(Tensor tensor, Tensor converted) {
    return Tensors.isFinite(tensor) && !Tensors.isFinite(converted);
  }

  private static JsonArray numbers(long... values) {
    JsonArray array = new JsonArray();
    Arrays.stream(values).forEach(array::add);
    return array;
  }
}
