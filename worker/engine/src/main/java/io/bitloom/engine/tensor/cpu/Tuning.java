package io.bitloom.engine.tensor.cpu;

import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Kernels;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.bytedeco.pytorch.Tensor;

/**
 * What was measured on this processor and is noted for all processes: the quickest algorithm of
 * each convolution, and whether bfloat16 is quicker than float32.
 */
public final class Tuning {
  /** Bfloat16 costs digits, so it has to gain something by it. */
  private static final double WORTHWHILE = 0.9;

  private static final List<DType> TYPES = List.of(DType.F32, DType.BF16);

  private static final String TYPE_OF_PRODUCTS = "type of products";
  private static final String TYPE_OF_CONVOLUTIONS = "type of convolutions";

  private Tuning() {}

  /**
   * The type in which a model draws fastest on this processor: bfloat16 where both a product and a
   * convolution of usual sizes were measured to be over a tenth faster, else float32. Takes some
   * tens of milliseconds the first time.
   */
  public static DType fastestType() {
    if (!OneDnn.bf16()) {
      return DType.F32;
    }
    Map<DType, ConvolutionAlgorithm> algorithms = new EnumMap<>(DType.class);
    for (DType dtype : TYPES) {
      algorithms.put(dtype, ConvolutionTuning.algorithm(convolution(dtype)));
    }
    TuningFile file = TuningFile.ofThisProcessor();
    boolean gains =
        isBf16(file.choose(TYPE_OF_PRODUCTS, Tuning::products))
            && isBf16(file.choose(TYPE_OF_CONVOLUTIONS, () -> convolutions(algorithms)));
    return gains ? DType.BF16 : DType.F32;
  }

  private static boolean isBf16(TuningFile.Choice choice) {
    return choice.fastest().equals(DType.BF16.name());
  }

  private static TuningFile.Choice products() {
    try (Scope scope = Scope.open()) {
      Map<String, Runnable> runs = new LinkedHashMap<>();
      List<Kernels.Matrix> matrices = new ArrayList<>();
      for (DType dtype : TYPES) {
        Kernels.Matrix matrix = new CpuKernels().matrix(ConvolutionTuning.random(dtype, 3072, 768));
        matrices.add(matrix);
        Tensor x = ConvolutionTuning.random(dtype, 512, 768);
        runs.put(dtype.name(), () -> matrix.times(x, null));
      }
      TuningFile.Choice choice = TuningFile.Choice.measured(DType.F32.name(), WORTHWHILE, runs);
      matrices.forEach(Kernels.Matrix::close);
      return choice;
    }
  }

  private static ConvolutionShape convolution(DType dtype) {
    return new ConvolutionShape(false, dtype, 256, 256, 64, 64);
  }

  private static TuningFile.Choice convolutions(Map<DType, ConvolutionAlgorithm> algorithms) {
    try (Scope scope = Scope.open()) {
      Map<String, Runnable> runs = new LinkedHashMap<>();
      for (DType dtype : TYPES) {
        Tensor x = Tensors.channelsLast(ConvolutionTuning.random(dtype, 1, 256, 64, 64));
        Tensor weight = ConvolutionTuning.random(dtype, 256, 256, 3, 3);
        ConvolutionAlgorithm algorithm = algorithms.get(dtype);
        runs.put(dtype.name(), () -> algorithm.apply(false, x, weight, null));
      }
      return TuningFile.Choice.measured(DType.F32.name(), WORTHWHILE, runs);
    }
  }

  /** The file in which it is noted; deleting it lets everything be measured anew. */
  public static Path file() {
    return TuningFile.ofThisProcessor().path();
  }

  /**
   * Lets everything be measured anew.
   *
   * @throws IOException if the file cannot be deleted
   */
  public static void forget() throws IOException {
    TuningFile.ofThisProcessor().clear();
    ConvolutionTuning.forget();
  }

  /** A line for each choice, with what the candidates took. */
  public static List<String> lines() {
    return TuningFile.ofThisProcessor().choices().entrySet().stream()
        .map(entry -> entry.getKey() + ": " + describe(entry.getValue()))
        .toList();
  }

  private static String describe(TuningFile.Choice choice) {
    String times =
        choice.milliseconds().entrySet().stream()
            .map(it -> String.format(Locale.ROOT, "%s %.1f ms", name(it.getKey()), it.getValue()))
            .collect(Collectors.joining(", "));
    return name(choice.fastest()) + " (" + times + ")";
  }

  private static String name(String constant) {
    return constant.toLowerCase(Locale.ROOT);
  }
}
