package io.bitloom.worker.tensor;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.pytorch.GeneratorOptional;
import org.bytedeco.pytorch.InferenceMode;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * Which algorithm is the quickest for a convolution on this processor, by measurement: once for
 * every shape, and then for all processes of this machine that find it in the {@link TuningFile}.
 * So equal prompts give equal pictures to the last bit on a machine, whatever is measured later.
 */
public final class ConvolutionTuning {
  /** Shapes below are computed directly: there is nothing to gain that is worth a measurement. */
  private static final double LEAST_OPERATIONS = 20e6;

  /**
   * Enough for what a call costs whatever the size (filters) not to decide; a tenth of a second.
   */
  private static final double MEASURED_OPERATIONS = 10e9;

  /** Rows below which a strip of a large map is no example of it. */
  private static final long LEAST_ROWS = 32;

  private static final int ROUNDS = 2;

  /** The direct sum is the most exact one, so another algorithm has to gain something by it. */
  private static final double WORTHWHILE = 0.95;

  private static final Map<ConvolutionShape, ConvolutionAlgorithm> CHOSEN =
      new ConcurrentHashMap<>();

  private ConvolutionTuning() {}

  /** The file of this processor, beside the native libraries. */
  private static TuningFile file() {
    String processor = Processor.identity();
    String name = "bitloom-tuning-" + Integer.toHexString(processor.hashCode()) + ".json";
    try {
      return new TuningFile(Loader.getCacheDir().toPath().resolve(name), processor);
    } catch (IOException e) {
      throw new UncheckedIOException("there is no JavaCPP cache", e); // the natives lie in it
    }
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
    TuningFile.Choice choice = file().choose(shape.toString(), () -> measure(shape, candidates));
    return candidates.stream()
        .filter(candidate -> candidate.name().equals(choice.fastest()))
        .findFirst()
        .orElse(ConvolutionAlgorithm.DIRECT); // noted by another version
  }

  private static TuningFile.Choice measure(
      ConvolutionShape shape, List<ConvolutionAlgorithm> candidates) {
    ConvolutionShape example = shape.shortened(MEASURED_OPERATIONS, LEAST_ROWS);
    Map<ConvolutionAlgorithm, Double> fastest = new EnumMap<>(ConvolutionAlgorithm.class);
    try (InferenceMode inference = new InferenceMode(true);
        Scope scope = Scope.open()) {
      Tensor x =
          Tensors.channelsLast(
              random(example.dtype(), 1, example.in(), example.height(), example.width()));
      Tensor weight = random(example.dtype(), example.out(), example.in(), 3, 3);
      Tensor bias = random(example.dtype(), example.out());
      for (int round = 0; round <= ROUNDS; round++) { // the first one warms up
        for (ConvolutionAlgorithm candidate : candidates) {
          double seconds = seconds(() -> candidate.apply(example.doubled(), x, weight, bias));
          if (round > 0) {
            fastest.merge(candidate, seconds, Math::min);
          }
        }
      }
    }
    return choice(fastest);
  }

  private static TuningFile.Choice choice(Map<ConvolutionAlgorithm, Double> seconds) {
    ConvolutionAlgorithm best = ConvolutionAlgorithm.DIRECT;
    double bound = WORTHWHILE * seconds.get(best);
    Map<String, Double> milliseconds = new TreeMap<>();
    for (Map.Entry<ConvolutionAlgorithm, Double> measured : seconds.entrySet()) {
      milliseconds.put(measured.getKey().name(), Math.round(measured.getValue() * 1e5) / 1e2);
      if (measured.getValue() < bound) {
        best = measured.getKey();
        bound = measured.getValue();
      }
    }
    return new TuningFile.Choice(best.name(), milliseconds);
  }

  /** Of a generator of its own, because the global one belongs to the models. */
  private static Tensor random(DType dtype, long... shape) {
    GeneratorOptional generator = new GeneratorOptional(torch.make_generator_cpu(1));
    return Tensors.to(torch.rand(shape, generator), dtype);
  }

  private static double seconds(Runnable run) {
    try (Scope scope = Scope.open()) {
      long start = System.nanoTime();
      run.run();
      return (System.nanoTime() - start) / 1e9;
    }
  }
}
