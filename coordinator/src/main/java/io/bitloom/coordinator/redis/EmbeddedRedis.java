package io.bitloom.coordinator.redis;

import java.io.IOException;
import java.nio.file.Path;

/**
 * A Redis server of our own for a single machine: a process that keeps its data in a directory,
 * with every write synced to disk before it is acknowledged, and that listens on loopback only.
 *
 * <p>It survives a kill of the coordinator; the next one on the same directory adopts it. Several
 * coordinators on one directory share it, and the last one that closes stops it.
 */
public final class EmbeddedRedis implements AutoCloseable {

  /**
   * Starts the server of this directory, or adopts the one that runs. Blocks until it answers.
   *
   * @throws IOException if it cannot be started; the message holds the end of its log
   */
  public static EmbeddedRedis start(Path directory) throws IOException {
    throw new UnsupportedOperationException();
  }

  /** Where it listens, {@code redis://127.0.0.1:PORT}. */
  public String uri() {
    throw new UnsupportedOperationException();
  }

  public int port() {
    throw new UnsupportedOperationException();
  }

  /** Stops the server if no other coordinator uses it. */
  @Override
  public void close() {
    throw new UnsupportedOperationException();
  }
}
