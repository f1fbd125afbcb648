package io.bitloom.loadtests.queue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** How long the disk takes to sync what was appended to a file, as Redis does it. */
final class DiskSync {

  private static final int SAMPLES = 500;
  private static final int BYTES = 2048;

  private DiskSync() {}

  static Latencies measure(Path folder) throws IOException {
    Path path = Files.createTempFile(folder, "sync", "");
    Latencies latencies = new Latencies();
    try (FileChannel file = FileChannel.open(path, StandardOpenOption.APPEND)) {
      for (int i = 0; i < SAMPLES; i++) {
        file.write(ByteBuffer.allocate(BYTES));
        long start = System.nanoTime();
        file.force(false);
        latencies.add(System.nanoTime() - start);
      }
    } finally {
      Files.delete(path);
    }
    return latencies;
  }
}
