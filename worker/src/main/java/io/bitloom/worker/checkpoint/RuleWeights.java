package io.bitloom.worker.checkpoint;

import com.google.gson.JsonObject;
import io.bitloom.worker.tensor.DType;
import io.bitloom.worker.tensor.LibTorch;
import io.bitloom.worker.tensor.Scope;
import io.bitloom.worker.tensor.Tensors;
import io.bitloom.worker.tensor.TorchDevice;
import io.bitloom.worker.tensor.Weights;
import io.bitloom.worker.tensor.WeightsException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/**
 * Weights that are computed from a rule instead of stored ({@code .rule.json}), see {@link
 * RuleTensor}. Real-size models for tests in a few kilobytes.
 */
public final class RuleWeights {
  private static final int MAX_CONSTANT_ELEMENTS = 1 << 16;

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
    List<RuleTensor> tensors = tensors();
    checkHashes();
    checkExampleNames("first_values");
    checkExampleNames("last_values");
    JsonFields constants = rule.object("constant");
    Weights weights = new Weights(source);
    try (Scope scope = Scope.open()) {
      for (RuleTensor tensor : tensors) {
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

  private List<RuleTensor> tensors() {
    JsonFields entries = rule.object("tensors");
    List<RuleTensor> tensors = new ArrayList<>();
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
      tensors.add(new RuleTensor(name, shape, entry.number("offset"), entry.number("scale")));
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
    if (elements > MAX_CONSTANT_ELEMENTS) {
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
      String computed = String.format("0x%016x", RuleTensor.hash(name));
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
  private void checkExamples(String member, RuleTensor tensor, Tensor values, boolean atEnd) {
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
