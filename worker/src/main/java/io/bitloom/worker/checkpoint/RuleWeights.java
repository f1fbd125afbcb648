package io.bitloom.worker.checkpoint;

import com.google.gson.JsonObject;
import io.bitloom.worker.tensor.DType;
import io.bitloom.worker.tensor.LibTorch;
import io.bitloom.worker.tensor.Scope;
import io.bitloom.worker.tensor.Tensors;
import io.bitloom.worker.tensor.TorchDevice;
import io.bitloom.worker.tensor.Weights;
import io.bitloom.worker.tensor.WeightsException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/**
 * Weights that are computed from a rule instead of stored ({@code .rule.json}): a counter-based
 * random generator (FNV-1a of the tensor's name, then SplitMix64's finaliser), scaled and shifted
 * per tensor. Real-size models for tests in a few kilobytes.
 */
public final class RuleWeights {
  private static final long FNV_START = 0xcbf29ce484222325L;
  private static final long FNV_PRIME = 0x100000001b3L;
  private static final long SEED_STEP = 0xD1B54A32D192ED03L;
  private static final long INDEX_STEP = 0x9E3779B97F4A7C15L;
  private static final int CHUNK = 1 << 16;

  private final String source;
  private final JsonFields rule;
  private final long seed;

  private RuleWeights(String source, JsonFields rule) {
    this.source = source;
    this.rule = rule;
    this.seed = rule.longInteger("seed");
  }

  /**
   * Reads a rule; no tensor is computed yet.
   *
   * @throws WeightsException if the file is no rule
   */
  public static RuleWeights read(Path file) {
    String source = file.toString();
    return new RuleWeights(source, JsonFields.of(source, StrictJson.object(file)));
  }

  /** The model settings, as a stored weight file has them in its metadata. */
  public JsonObject config() {
    return rule.object("config").json();
  }

  /**
   * Computes all tensors and checks them against the examples in the file.
   *
   * @throws WeightsException naming the tensor, if the rule is incomplete, does not fit the
   *     machine's memory, or gives other values than the file's examples
   */
  public Weights load() {
    LibTorch.start();
    List<Generated> tensors = tensors();
    checkHashes();
    checkExampleNames("first_values");
    checkExampleNames("last_values");
    JsonFields constants = rule.object("constant");
    Weights weights = new Weights(source);
    try (Scope scope = Scope.open()) {
      for (Generated tensor : tensors) {
        try (Scope each = Scope.open()) {
          Tensor values = tensor.generate(seed);
          checkExamples("first_values", tensor, values, false);
          checkExamples("last_values", tensor, values, true);
          weights.put(tensor.name(), values);
        }
      }
      for (String name : constants.names()) {
        weights.put(name, constant(name, constants.object(name)));
      }
      return weights;
    } catch (RuntimeException e) {
      weights.close();
      throw e;
    }
  }

  /** One tensor of the rule: value i is offset + scale·(2u − 1) with u in [0, 1) from (name, i). */
  private record Generated(String name, long[] shape, long elements, double offset, double scale) {

    Tensor generate(long seed) {
      Tensor tensor = Tensors.empty(DType.F32, TorchDevice.CPU, shape);
      FloatPointer values = new FloatPointer(tensor.data_ptr());
      long start = hash(name) + seed * SEED_STEP;
      LongStream.range(0, (elements + CHUNK - 1) / CHUNK)
          .parallel()
          .forEach(chunk -> fill(values, start, chunk * CHUNK));
      return tensor;
    }

    private void fill(FloatPointer values, long start, long first) {
      float[] chunk = new float[(int) Math.min(CHUNK, elements - first)];
      for (int i = 0; i < chunk.length; i++) {
        long bits = mix(start + (first + i + 1) * INDEX_STEP);
        double u = (bits >>> 40) * 0x1p-24;
        chunk[i] = (float) (offset + scale * (2 * u - 1));
      }
      values.getPointer(first).put(chunk);
    }
  }

  private static long hash(String name) {
    long hash = FNV_START;
    for (byte unit : name.getBytes(StandardCharsets.UTF_8)) {
      hash = (hash ^ Byte.toUnsignedInt(unit)) * FNV_PRIME;
    }
    return hash;
  }

  private static long mix(long value) {
    long z = value;
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }

  private List<Generated> tensors() {
    JsonFields entries = rule.object("tensors");
    List<Generated> tensors = new ArrayList<>();
    long total = 0;
    for (String name : entries.names()) {
      JsonFields entry = entries.object(name);
      long[] shape = entry.integers("shape");
      long elements = StoredTensor.elements(source, name, shape);
      long free = Pointer.totalPhysicalBytes() / DType.F32.bytes() - total;
      if (elements > free) {
        throw new WeightsException(source, name, "does not fit the memory of this machine");
      }
      total += elements;
      tensors.add(
          new Generated(name, shape, elements, entry.number("offset"), entry.number("scale")));
    }
    if (total != rule.longInteger("parameters")) {
      throw new WeightsException(
          source,
          "tensors have " + total + " parameters, the file says " + rule.longInteger("parameters"));
    }
    return tensors;
  }

  /** A buffer: {@code value} for all elements, or {@code values} one by one. */
  private Tensor constant(String name, JsonFields entry) {
    long[] shape = entry.integers("shape");
    String dtype = entry.text("dtype");
    long elements = StoredTensor.elements(source, name, shape);
    boolean uniform = entry.has("value");
    if (elements > CHUNK) {
      throw new WeightsException(source, name, "is a constant of " + elements + " elements");
    }
    if (!uniform && entry.elements("values").size() != elements) {
      throw new WeightsException(source, name, "needs " + elements + " values");
    }
    switch (dtype) {
      case "F32":
        return uniform
            ? Tensors.empty(DType.F32, TorchDevice.CPU, shape)
                .fill_(new Scalar(entry.number("value")))
            : Tensors.to(Tensors.of(entry.numbers("values"), shape), DType.F32);
      case "I64":
        return uniform
            ? Tensors.empty(DType.I64, TorchDevice.CPU, shape)
                .fill_(new Scalar(entry.longInteger("value")))
            : Tensors.of(entry.integers("values"), shape);
      default:
        throw new WeightsException(source, name, "dtype \"" + dtype + "\" is not supported");
    }
  }

  private void checkHashes() {
    JsonFields examples = rule.object("hash_examples");
    for (String name : examples.names()) {
      String computed = String.format("0x%016x", hash(name));
      if (!computed.equals(examples.text(name))) {
        throw new WeightsException(
            source, name, "hash_examples says " + examples.text(name) + ", computed " + computed);
      }
    }
  }

  private void checkExampleNames(String member) {
    for (String name : rule.object(member).names()) {
      if (!rule.object("tensors").has(name)) {
        throw new WeightsException(source, name, "is in " + member + " but not in tensors");
      }
    }
  }

  /** Compares with the file's examples for this tensor: its first values, or its last. */
  private void checkExamples(String member, Generated tensor, Tensor values, boolean atEnd) {
    JsonFields examples = rule.object(member);
    if (!examples.has(tensor.name())) {
      return;
    }
    double[] expected = examples.numbers(tensor.name());
    if (expected.length > tensor.elements()) {
      throw new WeightsException(
          source, tensor.name(), member + " has more values than the tensor");
    }
    long start = atEnd ? tensor.elements() - expected.length : 0;
    float[] computed = Tensors.floats(values.flatten().narrow(0, start, expected.length));
    for (int i = 0; i < computed.length; i++) {
      if (computed[i] != (float) expected[i]) {
        throw new WeightsException(
            source, tensor.name(), member + " says " + expected[i] + ", computed " + computed[i]);
      }
    }
  }
}
