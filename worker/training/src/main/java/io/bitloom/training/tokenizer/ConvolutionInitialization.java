package io.bitloom.training.tokenizer;

import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.engine.tensor.Weights;
import java.util.Arrays;
import java.util.Map;
import java.util.SplittableRandom;
import org.bytedeco.pytorch.GeneratorOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * The first weights of convolutional networks, as PyTorch makes them: kernels uniform in
 * ±1/√fan-in, biases zero, norms the identity. Every tensor has its own random stream.
 */
final class ConvolutionInitialization {
  private ConvolutionInitialization() {}

  static Weights weights(String source, Map<String, long[]> layout, long seed) {
    Weights weights = new Weights(source);
    layout.forEach(
        (name, shape) -> {
          try (Scope scope = Scope.open()) {
            weights.put(name, tensor(name, shape, seed));
          }
        });
    return weights;
  }

  private static Tensor tensor(String name, long[] shape, long seed) {
    if (shape.length == 1) {
      Tensor zeros = Tensors.zeros(DType.F32, TorchDevice.CPU, shape);
      return name.endsWith("weight") ? Tensors.plus(zeros, 1) : zeros;
    }
    double bound = 1 / Math.sqrt(Arrays.stream(shape).skip(1).reduce(1, Math::multiplyExact));
    long own = new SplittableRandom(31 * seed + name.hashCode()).nextLong() >>> 1;
    return Tensors.empty(DType.F32, TorchDevice.CPU, shape)
        .uniform_(-bound, bound, new GeneratorOptional(torch.make_generator_cpu(own)));
  }
}
