package io.bitloom.engine.tensor;

import java.util.Map;

/** Weights of any size that take no memory. */
public final class MetaWeights {
  private MetaWeights() {}

  /** A float32 tensor without values for every name and shape of a layout. */
  public static Weights of(Map<String, long[]> layout) {
    Weights weights = new Weights("meta");
    try (Scope scope = Scope.open()) {
      layout.forEach(
          (name, shape) -> weights.put(name, Tensors.empty(DType.F32, TorchDevice.META, shape)));
    }
    return weights;
  }
}
