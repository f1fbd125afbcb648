package io.bitloom.engine.tensor.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CpuCoresTest {
  @TempDir private Path root;

  /** Eight processors on four cores: 0 and 4, 1 and 5 and so on. */
  private OptionalInt coresOf(String allowed) throws IOException {
    write(
        "proc/self/status",
        "Name:\tjava\nCpus_allowed:\tff\nCpus_allowed_list:\t" + allowed + "\n");
    for (int i = 0; i < 8; i++) {
      int core = i % 4;
      write(
          "sys/devices/system/cpu/cpu" + i + "/topology/thread_siblings_list",
          core + "," + (core + 4) + "\n");
    }
    return CpuCores.count(root);
  }

  private void write(String file, String text) throws IOException {
    Files.createDirectories(root.resolve(file).getParent());
    Files.writeString(root.resolve(file), text);
  }

  @Test
  void hardwareThreadsOfACoreAreOneCore() throws IOException {
    assertEquals(OptionalInt.of(4), coresOf("0-7"));
    assertEquals(OptionalInt.of(1), coresOf("1,5"));
    assertEquals(OptionalInt.of(3), coresOf("0-2,5-6"));
    assertEquals(OptionalInt.of(1), coresOf("3"));
  }

  @Test
  void whatTheSystemDoesNotTellIsNotGuessed() throws IOException {
    assertEquals(OptionalInt.empty(), CpuCores.count(root));
    assertEquals(OptionalInt.empty(), coresOf("0-8")); // nothing is known of the ninth
    assertEquals(OptionalInt.empty(), coresOf("all"));
    assertEquals(OptionalInt.empty(), coresOf("7-99999999999"));
  }
}
