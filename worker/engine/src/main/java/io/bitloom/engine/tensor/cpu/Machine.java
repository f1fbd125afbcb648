package io.bitloom.engine.tensor.cpu;

import io.bitloom.engine.tensor.LibTorch;
import io.bitloom.engine.tensor.Processors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.bytedeco.pytorch.global.torch;

/**
 * What computes on the CPU, as far as the libraries and Linux tell. oneDNN does not tell which of
 * the processor's instructions it uses, only {@code ONEDNN_MAX_CPU_ISA} can be seen to forbid some.
 *
 * @param processor its name; empty where Linux does not tell
 * @param instructions those that matter to matrix products and that Linux shows, in Linux's names
 * @param processors that this process may use
 * @param threads CPU threads of one operator
 * @param libtorch version
 * @param kernels instruction set of libtorch's own kernels: DEFAULT, AVX2, AVX512
 * @param oneDnn version of oneDNN
 * @param oneDnnLimit value of {@code ONEDNN_MAX_CPU_ISA}; null where it is not set
 * @param openBlas libtorch's BLAS; null where it cannot be asked
 * @param bf16 whether oneDNN multiplies bfloat16 on this CPU
 * @param nnpack whether libtorch may give convolutions to NNPACK
 */
public record Machine(
    String processor,
    List<String> instructions,
    int processors,
    int threads,
    String libtorch,
    String kernels,
    String oneDnn,
    String oneDnnLimit,
    OpenBlas openBlas,
    boolean bf16,
    boolean nnpack) {
  private static final Path CPU_INFO = Path.of("/proc/cpuinfo");
  private static final List<String> INSTRUCTIONS =
      List.of(
          "avx2",
          "fma",
          "avx512f",
          "avx_vnni",
          "avx512_vnni",
          "avx512_bf16",
          "avx512_fp16",
          "amx_bf16",
          "amx_int8",
          "amx_fp16");
  private static final Pattern TORCH_VERSION = Pattern.compile("TORCH_VERSION=([^,\\s]+)");
  private static final Pattern ONEDNN_VERSION = Pattern.compile("DNN v(\\S+)");
  private static final Pattern NAME = line("model name");
  private static final Pattern FLAGS = line("flags");

  /**
   * This machine and the libraries as they are now.
   *
   * @param threads CPU threads of one operator, which each thread of Java may have set differently
   */
  public static Machine of(int threads) {
    LibTorch.start();
    String cpu = cpuInfo();
    Set<String> flags = Set.copyOf(Arrays.asList(first(FLAGS, cpu).split("\\s+")));
    return new Machine(
        first(NAME, cpu),
        INSTRUCTIONS.stream().filter(flags::contains).toList(),
        Processors.available(),
        threads,
        first(TORCH_VERSION, torch.show_config().getString()),
        torch.get_cpu_capability().getString(),
        first(ONEDNN_VERSION, torch.get_mkldnn_version().getString()),
        Stream.of("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA")
            .map(System::getenv)
            .filter(value -> value != null)
            .findFirst()
            .orElse(null),
        OpenBlas.ofLibTorch().orElse(null),
        CpuKernels.computesBf16(),
        torch.globalContext().userEnabledNNPACK());
  }

  /** One line for people. */
  @Override
  public String toString() {
    return String.format(
        Locale.ROOT,
        "%s%s, %d processor%s: libtorch %s with %s kernels on %s; oneDNN %s%s; %s; %s bfloat16"
            + " arithmetic; NNPACK %s",
        processor.isEmpty() ? "unknown CPU" : processor,
        instructions.isEmpty() ? "" : " (" + String.join(" ", instructions) + ")",
        processors,
        processors == 1 ? "" : "s",
        libtorch,
        kernels,
        threads(threads),
        oneDnn,
        oneDnnLimit == null ? "" : " up to " + oneDnnLimit,
        openBlas == null ? "BLAS unknown" : openBlas,
        bf16 ? "with" : "without",
        nnpack ? "on" : "off");
  }

  static String threads(int count) {
    return count + (count == 1 ? " thread" : " threads");
  }

  private static String cpuInfo() {
    try {
      return Files.readString(CPU_INFO);
    } catch (IOException e) {
      return ""; // not every system has it
    }
  }

  private static Pattern line(String name) {
    return Pattern.compile("^" + name + "\\s*:\\s*(.*?)\\s*$", Pattern.MULTILINE);
  }

  private static String first(Pattern pattern, String text) {
    Matcher matcher = pattern.matcher(text);
    return matcher.find() ? matcher.group(1) : "";
  }
}
