package io.bitloom.engine.image.decode;

import java.io.IOException;
import java.util.Locale;
import java.util.concurrent.Semaphore;

/**
 * Half of the heap, shared by all decoding threads: who decodes a picture first sets aside what its
 * header announces, and waits while there is not enough.
 */
final class DecodeMemory implements AutoCloseable {
  private static final int MIB = 1 << 20;
  private static final int ALL =
      (int) Math.min(1 << 20, Runtime.getRuntime().maxMemory() / 2 / MIB);
  private static final Semaphore FREE = new Semaphore(ALL, true);

  private final int taken;

  private DecodeMemory(int taken) {
    this.taken = taken;
  }

  /**
   * Sets memory aside until it is closed.
   *
   * @throws IOException if that much is never free
   */
  static DecodeMemory of(long bytes) throws IOException {
    long needed = bytes / MIB + 1;
    if (needed > ALL) {
      throw new IOException(
          String.format(
              Locale.ROOT,
              "needs %,d MiB to be decoded, and half of the heap is %,d MiB (-Xmx gives more)",
              needed,
              ALL));
    }
    try {
      FREE.acquire((int) needed);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("reading was interrupted", e);
    }
    return new DecodeMemory((int) needed);
  }

  @Override
  public void close() {
    FREE.release(taken);
  }
}
