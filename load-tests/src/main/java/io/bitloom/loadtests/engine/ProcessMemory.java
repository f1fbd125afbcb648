package io.bitloom.loadtests.engine;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Resident memory of this process, as Linux counts it. */
public final class ProcessMemory {
  private static final Path STATUS = Path.of("/proc/self/status");
  private static final Path CLEAR = Path.of("/proc/self/clear_refs");
  private static final String RESET_PEAK = "5";
  private static final int KILO = 1024;

  private ProcessMemory() {}

  /** Bytes that are resident now. */
  public static long resident() {
    return bytes("VmRSS:");
  }

  /** The most bytes that were resident since {@link #resetPeak()}. */
  public static long peak() {
    return bytes("VmHWM:");
  }

  /** Starts the peak anew from what is resident now. */
  public static void resetPeak() {
    try {
      Files.writeString(CLEAR, RESET_PEAK);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static long bytes(String field) {
    try {
      return Files.readAllLines(STATUS).stream()
          .filter(line -> line.startsWith(field))
          .mapToLong(line -> KILO * Long.parseLong(line.replaceAll("\\D", "")))
          .findFirst()
          .orElseThrow();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
