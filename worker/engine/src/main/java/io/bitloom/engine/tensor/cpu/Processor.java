package io.bitloom.engine.tensor.cpu;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.bytedeco.javacpp.Loader;

/** What decides how quick an algorithm is on this machine: its processor and who limits it. */
final class Processor {
  private static final Path CPU_INFO = Path.of("/proc/cpuinfo");
  private static final Set<String> IDENTITY =
      Set.of("vendor_id", "cpu family", "model", "model name", "stepping", "flags");

  /** Variables by which the libraries take other instructions than they would by themselves. */
  private static final List<String> LIMITS =
      List.of("ATEN_CPU_CAPABILITY", "ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA", "OPENBLAS_CORETYPE");

  private Processor() {}

  /** A text that is equal where measurements can be shared. */
  static String identity() {
    List<String> parts = new ArrayList<>();
    parts.add("pytorch " + version());
    parts.add(System.getProperty("os.arch"));
    parts.addAll(cpuInfo());
    LIMITS.stream()
        .filter(name -> System.getenv(name) != null)
        .forEach(name -> parts.add(name + "=" + System.getenv(name)));
    return String.join("; ", parts);
  }

  private static String version() {
    try {
      return Loader.getVersion("org.bytedeco", "pytorch");
    } catch (IOException e) {
      return "of unknown version"; // the jar has no manifest of Maven's
    }
  }

  /** The lines about the first processor that identify its kind. */
  private static Set<String> cpuInfo() {
    try (Stream<String> lines = Files.lines(CPU_INFO)) {
      Set<String> identity = new TreeSet<>();
      lines
          .takeWhile(line -> !line.isBlank())
          .map(Processor::identifying)
          .filter(Objects::nonNull)
          .forEach(identity::add);
      return identity;
    } catch (IOException | UncheckedIOException e) {
      return Set.of(); // not Linux
    }
  }

  private static String identifying(String line) {
    int colon = line.indexOf(':');
    String name = colon < 0 ? "" : line.substring(0, colon).strip();
    return IDENTITY.contains(name) ? name + " " + line.substring(colon + 1).strip() : null;
  }
}
