package io.bitloom.training.transformer;

import io.bitloom.engine.model.InfinityConfig;
import io.bitloom.engine.model.InfinityLayout;
import io.bitloom.engine.nn.LowRank;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.engine.tensor.Weights;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.GeneratorOptional;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * Fine-tuning by low-rank changes of the blocks' matrices, with all weights of the model as they
 * are (LoRA, arXiv 2106.09685): W + alpha / rank · B·A, where B is zero at first.
 *
 * @param rank rows of A
 * @param alpha strength of the change
 * @param targets which layers of a block, by the beginning of their name: {@code sa}, {@code ca},
 *     {@code ffn.fc1}
 * @param base digest of the model that is changed
 */
public record Lora(int rank, double alpha, List<String> targets, String base) {
  private static final String WEIGHT = ".weight";

  /**
   * @throws IllegalArgumentException if there is no target
   */
  public Lora {
    if (targets.isEmpty()) {
      throw new IllegalArgumentException("targets: expected at least one, found none");
    }
    targets = List.copyOf(targets);
  }

  /**
   * The layers that are changed: name to (out, in).
   *
   * @throws IllegalArgumentException naming a target that no block has
   */
  Map<String, long[]> layers(InfinityConfig config) {
    Map<String, long[]> all = InfinityLayout.of(config);
    Map<String, long[]> found = new TreeMap<>();
    for (String target : targets) {
      int before = found.size();
      for (String block : IntStream.range(0, config.depth()).mapToObj(config::blockName).toList()) {
        all.forEach(
            (name, shape) -> {
              boolean matrix = shape.length == 2 && name.endsWith(WEIGHT);
              if (matrix && name.startsWith(block + target + ".")) {
                found.put(name.substring(0, name.length() - WEIGHT.length()), shape);
              }
            });
      }
      if (found.size() == before) {
        throw new IllegalArgumentException(
            "targets: no block has \"" + target + "\", or it is named twice");
      }
    }
    return found;
  }

  /** Adds the changes to the weights of a model: A is uniform in ±1/√in, B zero. */
  void addTo(Weights weights, InfinityConfig config, long seed) {
    layers(config)
        .forEach(
            (layer, shape) -> {
              try (Scope scope = Scope.open()) {
                double bound = 1 / Math.sqrt(shape[1]);
                long own = new SplittableRandom(31 * seed + layer.hashCode()).nextLong() >>> 1;
                weights.put(
                    layer + LowRank.DOWN,
                    Tensors.empty(DType.F32, TorchDevice.CPU, rank, shape[1])
                        .uniform_(
                            -bound, bound, new GeneratorOptional(torch.make_generator_cpu(own))));
                weights.put(
                    layer + LowRank.UP, Tensors.zeros(DType.F32, TorchDevice.CPU, shape[0], rank));
                weights.put(
                    layer + LowRank.ALPHA,
                    Tensors.zeros(DType.F32, TorchDevice.CPU, 1).add_(new Scalar(alpha)));
              }
            });
  }

  /** The weights with every change made, and without what described it; others are shared. */
  static Weights merged(Weights weights) {
    Weights merged = new Weights(weights.source());
    for (String name : weights.names()) {
      if (LowRank.isPart(name)) {
        continue;
      }
      try (Scope scope = Scope.open();
          NoGradGuard noGradients = new NoGradGuard()) {
        merged.put(name, changed(weights, name).orElseGet(() -> new Tensor(weights.get(name))));
      }
    }
    return merged;
  }

  private static Optional<Tensor> changed(Weights weights, String name) {
    if (!name.endsWith(WEIGHT)) {
      return Optional.empty();
    }
    Tensor matrix = weights.get(name);
    String layer = name.substring(0, name.length() - WEIGHT.length());
    return matrix.dim() != 2
        ? Optional.empty()
        : LowRank.find(weights, layer, matrix.size(1), matrix.size(0))
            .map(change -> matrix.detach().add(change.change()));
  }
}
