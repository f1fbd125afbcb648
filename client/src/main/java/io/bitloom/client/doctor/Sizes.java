package io.bitloom.client.doctor;

import java.util.Locale;

/** Numbers of bytes for people. */
final class Sizes {

  private Sizes() {}

  static String of(long bytes) {
    return bytes < 1L << 30
        ? (bytes >> 20) + " MiB"
        : String.format(Locale.ROOT, "%.1f GiB", bytes / (double) (1L << 30));
  }
}
