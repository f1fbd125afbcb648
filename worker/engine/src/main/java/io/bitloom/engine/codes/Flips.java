package io.bitloom.engine.codes;

import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import java.util.random.RandomGenerator;
import org.bytedeco.pytorch.Generator;
import org.bytedeco.pytorch.GeneratorOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** Which bits the self-correction turns over. */
@FunctionalInterface
public interface Flips {
  /** Turns nothing over. */
  Flips NONE = (scale, bits) -> bits.bitwise_xor(bits);

  /**
   * The mask of a scale.
   *
   * @param scale its number, from 0
   * @param bits of that scale, (B, h, w, d)
   * @return 1 where a bit is to be flipped, 0 elsewhere, of the same shape
   */
  Tensor mask(int scale, Tensor bits);

  /**
   * Random flips as in training: for each scale one probability for the whole batch, drawn from {0,
   * 0.01, …, strength}, then every bit on its own.
   */
  static Flips random(double strength, RandomGenerator random) {
    int hundredths = (int) (100 * strength);
    return (scale, bits) -> {
      try (Scope scope = Scope.open()) {
        double probability = random.nextInt(hundredths + 1) * 0.01;
        Generator generator = torch.make_generator_cpu(random.nextLong() >>> 1);
        Tensor uniform = torch.rand(bits.shape(), new GeneratorOptional(generator));
        return scope.keep(
            Tensors.to(
                Tensors.to(uniform.lt(new Scalar(probability)), DType.U8), TorchDevice.of(bits)));
      }
    };
  }
}
