package io.bitloom.engine.codes;

import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Supplier;
import org.bytedeco.pytorch.InferenceMode;
import org.bytedeco.pytorch.Tensor;

/**
 * Floating-point values that are known in advance, moved once to each device and type that they are
 * wanted in: moved at every use, a GPU would wait for them at every scale.
 */
final class Constant implements AutoCloseable {
  private final Supplier<Tensor> formula;
  private final Map<Place, Tensor> known = new HashMap<>();

  private record Place(TorchDevice device, DType dtype) {}

  /** The values that a formula gives on the CPU. */
  Constant(Supplier<Tensor> formula) {
    this.formula = formula;
  }

  /** A vector. */
  static Constant of(double... values) {
    return new Constant(() -> Tensors.of(values, TorchDevice.CPU, DType.F64, values.length));
  }

  /** The values in the type and on the device of a tensor; they stay the constant's. */
  Tensor like(Tensor tensor) {
    Place place = new Place(TorchDevice.of(tensor), Tensors.dtype(tensor));
    return known.computeIfAbsent(place, this::moved);
  }

  private Tensor moved(Place place) {
    try (Scope scope = Scope.open();
        InferenceMode off = new InferenceMode(false)) { // gradients may pass by it later
      return Scope.own(Tensors.to(formula.get(), place.device(), place.dtype()));
    }
  }

  @Override
  public void close() {
    known.values().forEach(Tensor::close);
    known.clear();
  }
}
