package io.bitloom.training.transformer;

import io.bitloom.engine.model.InfinityConfig;
import io.bitloom.engine.model.InfinityLayout;
import io.bitloom.engine.model.UnconditionalText;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.engine.tensor.Weights;
import io.bitloom.training.config.ConfigField;
import io.bitloom.training.config.ConfigFile;
import java.util.Map;
import org.bytedeco.pytorch.GeneratorOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * The first weights of a transformer, as the official trainer makes them: normal with standard
 * deviation √(1/3C), layers that add to the residual stream smaller by √(2·depth), gates and
 * modulation nearly zero. Every tensor has its own random stream, which follows from seed and name.
 *
 * @param gate factor on the initial gates γ of the blocks (official scripts: 5e-6)
 * @param modulation factor on the initial scales and shifts (1e-3)
 * @param head factor on the last layer (0.02)
 */
public record InfinityInitialization(
    @ConfigField(value = "5e-6", most = 10) double gate,
    @ConfigField(value = "1e-3", most = 10) double modulation,
    @ConfigField(value = "0.02", most = 10) double head) {
  /** The values of the official scripts. */
  public static final InfinityInitialization REFERENCE =
      ConfigFile.defaults(InfinityInitialization.class);

  private static final double FIRST_TEMPERATURE = Math.log(4);

  /** Makes all tensors of an architecture, on the CPU; no gradients are asked for yet. */
  public Weights weights(InfinityConfig config, long seed) {
    Weights weights = new Weights("new transformer");
    for (Map.Entry<String, long[]> entry : InfinityLayout.of(config).entrySet()) {
      try (Scope scope = Scope.open()) {
        String name = entry.getKey();
        weights.put(name, tensor(config, name, entry.getValue(), seed));
      }
    }
    return weights;
  }

  private Tensor tensor(InfinityConfig config, String name, long[] shape, long seed) {
    if (name.equals("cfg_uncond")) {
      return UnconditionalText.initial(shape[0], shape[1]);
    }
    if (name.contains("scale_mul")) {
      return constant(FIRST_TEMPERATURE, shape);
    }
    if (name.endsWith("ca_gamma") || (shape.length == 1 && name.endsWith("weight"))) {
      return constant(1, shape); // gates of cross-attention and the scales of norms
    }
    if (shape.length == 1) {
      return constant(0, shape); // biases
    }
    double width = config.embedDim();
    if (name.endsWith("ada_gss")) {
      return gatesThenModulation(normal(name, 1 / Math.sqrt(width), seed, shape), 2);
    }
    Tensor plain = normal(name, Math.sqrt(1 / (3 * width)), seed, shape);
    if (name.endsWith("sa.proj.weight")
        || (name.endsWith("ca.proj.weight") && !name.startsWith("text_proj_for_sos"))
        || name.endsWith("ffn.fc2.weight")) {
      return Tensors.times(plain, 1 / Math.sqrt(2.0 * config.depth()));
    }
    if (name.equals("head_nm.ada_lin.1.weight")) {
      return Tensors.times(plain, modulation);
    }
    if (name.equals(lastLayer(config))) {
      return Tensors.times(plain, head);
    }
    if (name.contains("block") && name.endsWith("ada_lin.1.weight")) {
      return gatesThenModulation(plain, 0);
    }
    return plain;
  }

  /** Two parts of gates, then four of scales and shifts, along the axis that holds the six. */
  private Tensor gatesThenModulation(Tensor plain, int axis) {
    long gates = plain.size(axis) / 3;
    plain.narrow(axis, 0, gates).mul_(new Scalar(gate));
    plain.narrow(axis, gates, plain.size(axis) - gates).mul_(new Scalar(modulation));
    return plain;
  }

  private static String lastLayer(InfinityConfig config) {
    int layer = (config.headAdaptiveNorm() ? 0 : 1) + (config.headDepth() == 2 ? 2 : 0);
    return layer == 0 ? "head.weight" : "head." + layer + ".weight";
  }

  private static Tensor constant(double value, long... shape) {
    return Tensors.plus(Tensors.zeros(DType.F32, TorchDevice.CPU, shape), value);
  }

  private static Tensor normal(String name, double std, long seed, long... shape) {
    long own = new java.util.SplittableRandom(seed * 31 + name.hashCode()).nextLong() >>> 1;
    return Tensors.empty(DType.F32, TorchDevice.CPU, shape)
        .normal_(0, std, new GeneratorOptional(torch.make_generator_cpu(own)));
  }
}
