package io.bitloom.worker.cli;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** How much memory the process has, libtorch's included: the JVM knows only of its own. */
final class ResidentMemory {

  /** Pages of the process: all, and those in memory; see {@code proc(5)}. */
  private static final Path STATM = Path.of("/proc/self/statm");

  /** Of Linux on x86-64, the only system that Bitloom runs on. */
  private static final long PAGE_BYTES = 4096;

  private ResidentMemory() {}

  static void bindTo(MeterRegistry registry) {
    Gauge.builder("bitloom.worker.memory", ResidentMemory::residentBytes)
        .description("Memory that the process has, in the GPU's memory nothing")
        .baseUnit("bytes")
        .register(registry);
  }

  private static double residentBytes() {
    try {
      return Long.parseLong(Files.readString(STATM).split(" ")[1]) * (double) PAGE_BYTES;
    } catch (IOException e) {
      return Double.NaN;
    }
  }
}
