package io.bitloom.engine.nn;

import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.engine.tensor.Weights;
import io.bitloom.engine.tensor.WeightsException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.bytedeco.pytorch.Tensor;

/**
 * The parameters from which a model builds its layers, taken from {@link Weights} by name and
 * shape. They belong to this object and live until it is closed; {@link #at(String)} gives a view
 * under a prefix.
 *
 * <p>Frozen parameters are for inference: matrices of linear layers have the wanted type, all
 * others are float32, because norms, embeddings and gates are small and their precision is cheap.
 * The matrices are taken out of the weights one by one, so that a large model never lies in memory
 * twice. Trainable parameters are the weights themselves, so that gradients reach them.
 */
public final class Parameters implements AutoCloseable {
  private final Weights weights;
  private final TorchDevice device;
  private final DType dtype;
  private final boolean trainable;
  private final List<Runnable> owned;

  private Parameters(
      Weights weights, TorchDevice device, DType dtype, boolean trainable, List<Runnable> owned) {
    this.weights = weights;
    this.device = device;
    this.dtype = dtype;
    this.trainable = trainable;
    this.owned = owned;
  }

  /** Parameters for inference on a device, with linear layers of type {@code dtype}. */
  public static Parameters frozen(Weights weights, TorchDevice device, DType dtype) {
    return new Parameters(weights, device, dtype, false, new ArrayList<>());
  }

  /**
   * The weights as they are, for training; the weights must outlive the model and lie on the
   * device. Linear layers compute in {@code dtype}, everything else in float32 (mixed precision).
   */
  public static Parameters trainable(Weights weights, TorchDevice device, DType dtype) {
    return new Parameters(weights, device, dtype, true, new ArrayList<>());
  }

  /** The parameters whose names begin with {@code prefix}, seen without it. */
  public Parameters at(String prefix) {
    return new Parameters(weights.at(prefix), device, dtype, trainable, owned);
  }

  /** The same parameters with linear layers of another type. */
  public Parameters as(DType dtype) {
    return new Parameters(weights, device, dtype, trainable, owned);
  }

  /** What linear layers compute in. */
  public DType dtype() {
    return dtype;
  }

  /** The device of the parameters. */
  public TorchDevice device() {
    return device;
  }

  /**
   * A parameter that is no matrix of a linear layer.
   *
   * @throws WeightsException if it is missing or of another shape
   */
  public Tensor get(String name, long... shape) {
    return ready(weights.get(name, shape));
  }

  /**
   * A parameter of whatever shape that is no matrix of a linear layer.
   *
   * @throws WeightsException if it is missing
   */
  public Tensor get(String name) {
    return ready(weights.get(name));
  }

  private Tensor ready(Tensor tensor) {
    return trainable ? tensor : own(Tensors.to(tensor, device, DType.F32));
  }

  /**
   * The layer of {@code name.weight} (out, in) and {@code name.bias} (out).
   *
   * @throws WeightsException if one is missing or of another shape
   */
  public Linear linear(String name, int in, int out) {
    return layer(name, weights.get(name + ".bias", out), in, out);
  }

  /**
   * The layer of {@code name.weight} (out, in) without a bias of its own.
   *
   * @throws WeightsException if the weight is missing or of another shape
   */
  public Linear linearWithoutBias(String name, int in, int out) {
    return layer(name, null, in, out);
  }

  /**
   * A tensor that follows from parameters: computed once for frozen ones, at every use for
   * trainable ones.
   */
  public Supplier<Tensor> derived(Supplier<Tensor> formula) {
    if (trainable) {
      return formula;
    }
    try (Scope scope = Scope.open()) {
      Tensor value = own(formula.get());
      return () -> value;
    }
  }

  /** {@link #derived}, in the type that linear layers compute in. */
  public Supplier<Tensor> derivedForLinear(Supplier<Tensor> formula) {
    return derived(() -> Tensors.to(formula.get(), dtype));
  }

  private Linear layer(String name, Tensor bias, int in, int out) {
    String matrix = name + ".weight";
    Linear layer =
        trainable
            ? Linear.trainable(
                weights.get(matrix, out, in),
                bias,
                dtype,
                LowRank.find(weights, name, in, out).orElse(null))
            : frozen(matrix, bias, in, out);
    owned.add(layer::close);
    return layer;
  }

  private Linear frozen(String name, Tensor bias, int in, int out) {
    try (Scope scope = Scope.open();
        Tensor weight = weights.take(name, out, in)) {
      return Linear.frozen(
          Tensors.to(weight, device, dtype), bias == null ? null : Tensors.to(bias, device, dtype));
    }
  }

  private Tensor own(Tensor tensor) {
    Tensor handle = Scope.own(new Tensor(tensor));
    owned.add(handle::close);
    return handle;
  }

  @Override
  public void close() {
    owned.forEach(Runnable::run);
    owned.clear();
  }
}
