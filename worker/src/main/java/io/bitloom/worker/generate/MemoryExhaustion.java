package io.bitloom.worker.generate;

import java.util.Locale;

/** Tells failures for want of memory, on the device or in the JVM, from all others. */
final class MemoryExhaustion {
  private MemoryExhaustion() {}

  /**
   * Whether memory ran out. libtorch has one exception class for everything in Java, so its text
   * decides: {@code CUDA out of memory} on GPUs, {@code DefaultCPUAllocator: not enough memory} or
   * {@code can't allocate memory} on CPUs, {@code std::bad_alloc} from C++.
   */
  static boolean causes(Throwable failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof OutOfMemoryError || says(cause.getMessage())) {
        return true;
      }
    }
    return false;
  }

  private static boolean says(String message) {
    if (message == null) {
      return false;
    }
    String text = message.toLowerCase(Locale.ROOT);
    return text.contains("out of memory")
        || text.contains("not enough memory")
        || text.contains("can't allocate memory")
        || text.contains("bad_alloc");
  }
}
