package io.bitloom.engine.checkpoint;

import com.google.gson.JsonObject;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.LibTorch;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.engine.tensor.Weights;
import io.bitloom.engine.tensor.WeightsException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/**
 * Weights that are computed from a rule instead of stored ({@code .rule.json}), see {@link
 * RuleTensor}. Real-size models for tests in a few kilobytes.
 */
public final class RuleWeights implements Checkpoint {
  private static final int MAX_CONSTANT_ELEMENTS = 1 << 16;

  private final Path file;
  private final String source;
  private final JsonFields rule;
  private final long seed;
  private final List<RuleTensor> tensors;

  private RuleWeights(Path file) {
    this.file = file;
    this.source = file.toString();
    this.rule = JsonFields.of(source, StrictJson.object(file));
    this.seed = rule.longInteger("seed");
    this.tensors = tensors();
    checkHashes();
    checkExampleNames("first_values");
    checkExampleNames("last_values");
  }

  /**
   * Reads a rule; no tensor is computed yet.
   *
   * @throws WeightsException if the file is no rule or is at odds with itself
   */
  public static RuleWeights read(Path file) {
    return new RuleWeights(file);
  }

  @Override
  public Path file() {
    return file;
  }

  @Override
  public String section() {
    return BARE;
  }

  @Override
  public List<Path> files() {
    return List.of(file);
  }

  @Override
  public List<CheckpointEntry> entries() {
    List<CheckpointEntry> entries = new ArrayList<>();
    for (RuleTensor tensor : tensors) {
      List<Long> shape = Arrays.stream(tensor.shape()).boxed().toList();
      entries.add(
          new CheckpointEntry(file, tensor.name(), DType.F32, shape, CheckpointEntry.COMPUTED));
    }
    JsonFields constants = rule.object("constant");
    for (String name : constants.names()) {
      JsonFields constant = constants.object(name);
      List<Long> shape = Arrays.stream(constant.integers("shape")).boxed().toList();
      DType dtype = constantType(name, constant);
      entries.add(new CheckpointEntry(file, name, dtype, shape, CheckpointEntry.COMPUTED));
    }
    return entries;
  }

  /** The settings, as a stored weight file has them in its metadata. */
  @Override
  public Optional<JsonObject> config() {
    return Optional.of(rule.object("config").json());
  }

  /**
   * Computes all tensors and checks them against the examples in the file.
   *
   * @throws WeightsException naming the tensor, if it does not fit the machine's memory or has
   *     other values than the file's examples
   */
  @Override
  public Weights load() {
    LibTorch.start();
    checkMemory();
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
      total += elements;
      if (total < 0) {
        throw new WeightsException(source, name, "is too large");
      }
      tensors.add(new RuleTensor(name, shape, entry.number("offset"), entry.number("scale")));
    }
    if (total != rule.longInteger("parameters")) {
      throw new WeightsException(
          source,
          "tensors have " + total + " parameters, the file says " + rule.longInteger("parameters"));
    }
    return tensors;
  }

  private void checkMemory() {
    long free = Pointer.totalPhysicalBytes() / DType.F32.bytes();
    for (RuleTensor tensor : tensors) {
      free -= tensor.elements();
      if (free < 0) {
        throw new WeightsException(
            source, tensor.name(), "does not fit the memory of this machine");
      }
    }
  }

  /** A buffer: {@code value} for all elements, or {@code values} one by one. */
  private Tensor constant(String name, JsonFields entry) {
    long[] shape = entry.integers("shape");
    long elements = StoredTensor.elements(source, name, shape);
    boolean uniform = entry.has("value");
    if (elements > MAX_CONSTANT_ELEMENTS) {
      throw new WeightsException(source, name, "is a constant of " + elements + " elements");
    }
    if (!uniform && entry.elements("values").size() != elements) {
      throw new WeightsException(source, name, "needs " + elements + " values");
    }
    if (constantType(name, entry) == DType.F32) {
      return uniform
          ? Tensors.empty(DType.F32, TorchDevice.CPU, shape)
              .fill_(new Scalar(entry.number("value")))
          : Tensors.to(Tensors.of(entry.numbers("values"), shape), DType.F32);
    }
    return uniform
        ? Tensors.empty(DType.I64, TorchDevice.CPU, shape)
            .fill_(new Scalar(entry.longInteger("value")))
        : Tensors.of(entry.integers("values"), shape);
  }

  private DType constantType(String name, JsonFields entry) {
    String dtype = entry.text("dtype");
    return switch (dtype) {
      case "F32" -> DType.F32;
      case "I64" -> DType.I64;
      default ->
          throw new WeightsException(source, name, "dtype \"" + dtype + "\" is not supported");
    };
  }

  private void checkHashes() {
    JsonFields examples = rule.object("hash_examples");
    for (String name : examples.names()) {
      String computed = String.format(Locale.ROOT, "0x%016x", RuleTensor.hash(name));
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
