package io.bitloom.worker.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.bitloom.engine.ChildJvm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The instruction sets of other processors, as far as this one has them: the libraries are told to
 * use no more. Each has a process of its own, because they choose when they are loaded.
 */
@Timeout(300)
class ProcessorsIT {
  private static final Path CPU_FLAGS = Path.of("/proc/cpuinfo");
  private static final List<String> AVX2 = List.of("avx2", "fma");
  private static final List<String> AVX512 = List.of("avx512f", "avx512bw", "avx512vl", "avx512dq");
  private static final List<String> AVX512_BF16 = List.of("avx512f", "avx512_bf16");
  private static final String ATEN = "ATEN_CPU_CAPABILITY";
  private static final String ONEDNN = "ONEDNN_MAX_CPU_ISA";
  private static final String OPENBLAS = "OPENBLAS_CORETYPE";

  /** What the libraries may use, and the flags that a processor needs for it. */
  private enum Setting {
    ALL_OF_THIS_PROCESSOR(List.of(), Map.of()),
    ATEN_DEFAULT(List.of(), Map.of(ATEN, "default")),
    ATEN_AVX2(AVX2, Map.of(ATEN, "avx2")),
    ATEN_AVX512(AVX512, Map.of(ATEN, "avx512")),
    ONEDNN_SSE41(List.of("sse4_1"), Map.of(ONEDNN, "SSE41")),
    ONEDNN_AVX2(AVX2, Map.of(ONEDNN, "AVX2")),
    ONEDNN_AVX512(AVX512, Map.of(ONEDNN, "AVX512_CORE")),
    ONEDNN_AVX512_BF16(AVX512_BF16, Map.of(ONEDNN, "AVX512_CORE_BF16")),
    OPENBLAS_HASWELL(AVX2, Map.of(OPENBLAS, "Haswell")),
    OPENBLAS_SKYLAKEX(AVX512, Map.of(OPENBLAS, "SkylakeX")),
    OPENBLAS_ZEN(AVX2, Map.of(OPENBLAS, "Zen")),
    OLDEST(AVX2, Map.of(ATEN, "default", ONEDNN, "SSE41", OPENBLAS, "Haswell")),
    AVX2_ONLY(AVX2, Map.of(ATEN, "avx2", ONEDNN, "AVX2", OPENBLAS, "Haswell")),
    AVX512_WITHOUT_BF16(
        AVX512, Map.of(ATEN, "avx512", ONEDNN, "AVX512_CORE", OPENBLAS, "SkylakeX"));

    private final List<String> flags;
    private final Map<String, String> environment;

    /** Whether it is a processor as there are some, not one library's limit alone. */
    boolean together() {
      return environment.size() != 1;
    }

    Setting(List<String> flags, Map<String, String> environment) {
      this.flags = flags;
      this.environment = environment;
    }
  }

  @ParameterizedTest
  @EnumSource(Setting.class)
  void everythingHoldsWithTheInstructionsOfOtherProcessors(Setting setting) throws Exception {
    Set<String> missing = new TreeSet<>(setting.flags);
    missing.removeAll(flags());
    assumeTrue(missing.isEmpty(), setting + ": not run, this processor lacks " + missing);
    try (ChildJvm child =
        ChildJvm.start(
            ProcessorPromises.class,
            List.of("-Xmx256m"),
            setting.environment,
            ParityFixturesTest.FIXTURES.toString(),
            String.valueOf(setting.together()))) {
      String result = child.awaitLine(ProcessorPromises.RESULT);
      assertEquals(ProcessorPromises.RESULT + "holds", result.replace(" | ", "\n"));
    }
  }

  private static Set<String> flags() throws IOException {
    if (!Files.isReadable(CPU_FLAGS)) {
      return Set.of(); // only what needs none is run
    }
    try (var lines = Files.lines(CPU_FLAGS)) {
      return lines
          .filter(line -> line.startsWith("flags"))
          .findFirst()
          .map(line -> (Set<String>) new HashSet<>(Arrays.asList(line.split("\\s+"))))
          .orElse(Set.of());
    }
  }
}
