package io.bitloom.engine.tensor.cpu;

import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.bytedeco.pytorch.GeneratorOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * Which algorithm is the quickest for a convolution on this processor, by measurement: once for
 * every shape, and then for all processes of this machine that find it in the {@link TuningFile}.
 * So equal prompts give equal pictures to the last bit on a machine, whatever is measured later.
 */
final class ConvolutionTuning {
  /** Shapes below are computed directly: there is nothing to gain that is worth a measurement. */
  private static final double LEAST_OPERATIONS = 100e6;

  /**
   * Enough for what a call costs whatever the size (filters) not to decide; a tenth of a second.
   */
  private static final double MEASURED_OPERATIONS = 10e9;

  /** Rows below which a strip of a large map is no example of it. */
  private static final long LEAST_ROWS = 32;

  /**
   * The direct sum is the most exact one, so another algorithm has to gain something by it; and
   * what is nearly as fast should not be chosen by chance.
   */
  private static final double WORTHWHILE = 0.85;

  private static final Map<ConvolutionShape, ConvolutionAlgorithm> CHOSEN =
      new ConcurrentHashMap<>();

  private ConvolutionTuning() {}

  /** Lets every shape be measured anew, if the file has been cleared. */
  static void forget() {
    CHOSEN.clear();
  }

  /** The algorithm for a shape; measures on the first call for it. */
  static ConvolutionAlgorithm algorithm(ConvolutionShape shape) {
    ConvolutionAlgorithm chosen = CHOSEN.get(shape);
    if (chosen == null) {
      chosen = choose(shape);
      CHOSEN.put(shape, chosen);
    }
    return chosen;
  }

  private static ConvolutionAlgorithm choose(ConvolutionShape shape) {
    List<ConvolutionAlgorithm> candidates =
        Arrays.stream(ConvolutionAlgorithm.values()).filter(it -> it.takes(shape)).toList();
    if (candidates.size() == 1 || shape.operations() < LEAST_OPERATIONS) {
      return ConvolutionAlgorithm.DIRECT;
    }
    TuningFile.Choice choice =
        TuningFile.ofThisProcessor().choose(shape.toString(), () -> measure(shape, candidates));
    return candidates.stream()
        .filter(candidate -> candidate.name().equals(choice.fastest()))
        .findFirst()
        .orElse(ConvolutionAlgorithm.DIRECT); // noted by another version
  }

  private static TuningFile.Choice measure(
      ConvolutionShape shape, List<ConvolutionAlgorithm> candidates) {
    ConvolutionShape example = shape.shortened(MEASURED_OPERATIONS, LEAST_ROWS);
    DType dtype = example.dtype();
    try (Scope scope = Scope.open()) {
      Tensor map = random(dtype, 1, example.in(), example.height(), example.width());
      Tensor x = Tensors.channelsLast(map);
      Tensor weight = random(dtype, example.out(), example.in(), 3, 3);
      Tensor bias = random(dtype, example.out());
      Map<String, Runnable> runs = new LinkedHashMap<>();
      for (ConvolutionAlgorithm candidate : candidates) {
        runs.put(candidate.name(), () -> candidate.apply(example.doubled(), x, weight, bias));
      }
      return TuningFile.Choice.measured(ConvolutionAlgorithm.DIRECT.name(), WORTHWHILE, runs);
    }
  }

  /** Of a generator of its own, because the global one belongs to the models. */
  static Tensor random(DType dtype, long... shape) {
    GeneratorOptional generator = new GeneratorOptional(torch.make_generator_cpu(1));
    return Tensors.to(torch.rand(shape, generator), dtype);
  }
}
