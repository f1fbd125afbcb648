package io.bitloom.worker.checkpoint;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.bitloom.worker.tensor.DType;
import io.bitloom.worker.tensor.Scope;
import io.bitloom.worker.tensor.Tensors;
import io.bitloom.worker.tensor.TorchDevice;
import io.bitloom.worker.tensor.Weights;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.pytorch.Tensor;

/** Writes weights as a safetensors file. */
public final class SafetensorsWriter {
  private static final int ALIGNMENT = 8;
  private static final int CHUNK_BYTES = 1 << 20;

  private SafetensorsWriter() {}

  /**
   * Writes the tensors and then moves the finished file to its place, so that a reader sees the old
   * file or the whole new one. Wide elements come first, which keeps every tensor aligned.
   *
   * @throws IOException if the folder cannot be written
   */
  public static void write(Path file, Weights weights, Map<String, String> metadata)
      throws IOException {
    Path unfinished =
        Files.createTempFile(file.toAbsolutePath().getParent(), file.getFileName() + ".", ".part");
    try {
      try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(unfinished))) {
        List<String> names =
            weights.names().stream()
                .sorted(Comparator.comparing(name -> -Tensors.dtype(weights.get(name)).bytes()))
                .toList();
        writeHeader(out, names, weights, metadata);
        for (String name : names) {
          writeData(out, weights.get(name));
        }
      }
      Files.move(unfinished, file, StandardCopyOption.ATOMIC_MOVE);
    } finally {
      Files.deleteIfExists(unfinished);
    }
  }

  private static void writeHeader(
      OutputStream out, List<String> names, Weights weights, Map<String, String> metadata)
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
      DType dtype = Tensors.dtype(tensor);
      long bytes = tensor.numel() * dtype.bytes();
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

  private static void writeData(OutputStream out, Tensor tensor) throws IOException {
    try (Scope scope = Scope.open()) {
      Tensor plain = tensor.detach().to(TorchDevice.CPU.torch(), tensor.scalar_type()).contiguous();
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

  private static JsonArray numbers(long... values) {
    JsonArray array = new JsonArray();
    Arrays.stream(values).forEach(array::add);
    return array;
  }
}
