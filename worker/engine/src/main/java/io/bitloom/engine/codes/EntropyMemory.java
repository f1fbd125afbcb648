package io.bitloom.engine.codes;

import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.pytorch.GeneratorOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * Measures what the entropy penalty of a quantizer costs in memory: the highest resident memory of
 * this process in one forward and backward pass, less what was resident before. Linux only; nothing
 * else should be at work in the process.
 */
public final class EntropyMemory {
  private static final Path STATUS = Path.of("/proc/self/status");
  private static final Path CLEAR = Path.of("/proc/self/clear_refs");
  private static final String RESET_PEAK = "5";

  private EntropyMemory() {}

  /**
   * Bytes of one pass over cells of d channels.
   *
   * @throws IOException if the kernel does not tell
   */
  public static long bytes(Quantizer quantizer, int d, int cells) throws IOException {
    pass(quantizer, d, Math.min(cells, 16)); // what is only set up once
    try (Scope scope = Scope.open()) {
      Tensor residual = residual(d, cells);
      Pointer.trimMemory();
      long before = kilobytes("VmRSS");
      Files.writeString(CLEAR, RESET_PEAK);
      penalty(quantizer, residual);
      return (kilobytes("VmHWM") - before) << 10;
    }
  }

  private static void pass(Quantizer quantizer, int d, int cells) {
    try (Scope scope = Scope.open()) {
      penalty(quantizer, residual(d, cells));
    }
  }

  private static Tensor residual(int d, int cells) {
    return torch
        .randn(new long[] {1, d, 1, cells}, new GeneratorOptional(torch.make_generator_cpu(1)))
        .set_requires_grad(true);
  }

  private static void penalty(Quantizer quantizer, Tensor residual) {
    try (Scope scope = Scope.open()) {
      Quantizer.Quantized quantized = quantizer.quantize(residual);
      quantized.tokenEntropy().sub(Tensors.times(quantized.codebookEntropy(), 1)).backward();
    }
  }

  private static long kilobytes(String field) throws IOException {
    for (String line : Files.readAllLines(STATUS)) {
      if (line.startsWith(field + ":")) {
        return Long.parseLong(line.replaceAll("\\D", ""));
      }
    }
    throw new IOException(STATUS + ": has no " + field);
  }
}
