package io.bitloom.engine.checkpoint;

import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.WeightsException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The JSON header of a safetensors file. It is read as a stream and against the format's own rules:
 * a known set of members, each once, and tensors that cover the data without gap or overlap.
 *
 * @param metadata the strings under {@code __metadata__}
 * @param tensors in the order of the header
 */
record SafetensorsHeader(Map<String, String> metadata, List<StoredTensor> tensors) {
  private static final String METADATA = "__metadata__";

  /** No model has so many. */
  private static final int MAX_TENSORS = 1 << 18;

  /**
   * Reads a header.
   *
   * @param source the file, for messages
   * @param dataStart first byte after the header
   * @param dataBytes length of the file after the header
   */
  static SafetensorsHeader parse(String source, String json, long dataStart, long dataBytes) {
    Map<String, String> metadata = new LinkedHashMap<>();
    List<StoredTensor> tensors = new ArrayList<>();
    Set<String> names = new HashSet<>();
    try (JsonReader reader = StrictJson.reader(json)) {
      expect(source, "header", reader, JsonToken.BEGIN_OBJECT);
      reader.beginObject();
      while (reader.hasNext()) {
        String name = reader.nextName();
        if (!names.add(name)) {
          throw new WeightsException(source, name, "occurs twice in the header");
        }
        if (name.equals(METADATA)) {
          readMetadata(source, reader, metadata);
        } else {
          if (tensors.size() == MAX_TENSORS) {
            throw new WeightsException(source, "has more than " + MAX_TENSORS + " tensors");
          }
          tensors.add(readTensor(source, name, reader, dataStart, dataBytes));
        }
      }
      reader.endObject();
      StrictJson.end(source, reader);
    } catch (IOException | IllegalStateException e) {
      throw StrictJson.malformed(source, e);
    }
    checkCover(source, tensors, dataStart, dataBytes);
    return new SafetensorsHeader(metadata, List.copyOf(tensors));
  }

  private static void readMetadata(String source, JsonReader reader, Map<String, String> metadata)
      throws IOException {
    expect(source, METADATA, reader, JsonToken.BEGIN_OBJECT);
    reader.beginObject();
    while (reader.hasNext()) {
      String key = reader.nextName();
      expect(source, METADATA + " entry " + key, reader, JsonToken.STRING);
      if (metadata.put(key, reader.nextString()) != null) {
        throw new WeightsException(source, METADATA + " entry " + key + " occurs twice");
      }
    }
    reader.endObject();
  }

  private static StoredTensor readTensor(
      String source, String name, JsonReader reader, long dataStart, long dataBytes)
      throws IOException {
    DType dtype = null;
    long[] shape = null;
    long[] offsets = null;
    expect(source, "tensor " + name, reader, JsonToken.BEGIN_OBJECT);
    reader.beginObject();
    while (reader.hasNext()) {
      String member = reader.nextName();
      if (member.equals("dtype") && dtype == null) {
        dtype = readDtype(source, name, reader);
      } else if (member.equals("shape") && shape == null) {
        shape = readNumbers(source, name, member, reader);
      } else if (member.equals("data_offsets") && offsets == null) {
        offsets = readNumbers(source, name, member, reader);
      } else {
        throw new WeightsException(
            source, name, "member \"" + member + "\" is unknown or occurs twice");
      }
    }
    reader.endObject();
    if (dtype == null || shape == null || offsets == null) {
      throw new WeightsException(source, name, "needs dtype, shape and data_offsets");
    }
    if (offsets.length != 2 || offsets[0] > offsets[1] || offsets[1] > dataBytes) {
      throw new WeightsException(
          source,
          name,
          "data_offsets "
              + Arrays.toString(Arrays.copyOf(offsets, Math.min(3, offsets.length)))
              + " are outside the "
              + dataBytes
              + " bytes of data"
              + (offsets.length == 2 && offsets[0] <= offsets[1]
                  ? "; the file is cut off, fetch it again"
                  : ""));
    }
    long elements = StoredTensor.elements(source, name, shape);
    long bytes = offsets[1] - offsets[0];
    if (bytes % dtype.bytes() != 0 || bytes / dtype.bytes() != elements) {
      throw new WeightsException(
          source, name, bytes + " bytes do not hold " + elements + " elements of " + dtype);
    }
    return new StoredTensor(
        name, dtype, Arrays.stream(shape).boxed().toList(), dataStart + offsets[0], bytes);
  }

  private static DType readDtype(String source, String name, JsonReader reader) throws IOException {
    expect(source, "tensor " + name + ": dtype", reader, JsonToken.STRING);
    String text = reader.nextString();
    for (DType dtype : DType.values()) {
      if (dtype.name().equals(text)) {
        return dtype;
      }
    }
    throw new WeightsException(source, name, "dtype \"" + text + "\" is not supported");
  }

  private static long[] readNumbers(String source, String name, String member, JsonReader reader)
      throws IOException {
    expect(source, "tensor " + name + ": " + member, reader, JsonToken.BEGIN_ARRAY);
    List<Long> numbers = new ArrayList<>();
    reader.beginArray();
    while (reader.hasNext()) {
      expect(source, "tensor " + name + ": " + member, reader, JsonToken.NUMBER);
      String number = reader.nextString();
      if (number.length() > 18 || !number.chars().allMatch(c -> c >= '0' && c <= '9')) {
        throw new WeightsException(
            source, name, member + ": " + number + " is not a whole number of bytes or elements");
      }
      numbers.add(Long.parseLong(number));
    }
    reader.endArray();
    return numbers.stream().mapToLong(Long::longValue).toArray();
  }

  /** The format demands that the tensors fill the data exactly: nothing shared, nothing hidden. */
  private static void checkCover(
      String source, List<StoredTensor> tensors, long dataStart, long dataBytes) {
    List<StoredTensor> ordered = new ArrayList<>(tensors);
    ordered.sort(
        Comparator.comparingLong(StoredTensor::offset).thenComparingLong(StoredTensor::bytes));
    long end = dataStart;
    for (StoredTensor tensor : ordered) {
      if (tensor.offset() < end) {
        throw new WeightsException(source, tensor.name(), "overlaps the tensor before it");
      }
      if (tensor.offset() > end) {
        throw new WeightsException(
            source,
            tensor.name(),
            (tensor.offset() - end) + " bytes before it belong to no tensor");
      }
      end += tensor.bytes();
    }
    if (end != dataStart + dataBytes) {
      throw new WeightsException(
          source, (dataStart + dataBytes - end) + " bytes at the end belong to no tensor");
    }
  }

  private static void expect(String source, String what, JsonReader reader, JsonToken expected)
      throws IOException {
    JsonToken found = reader.peek();
    if (found != expected) {
      throw new WeightsException(source, what + ": expected " + expected + ", found " + found);
    }
  }
}
