package io.bitloom.engine.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.Weights;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MappedFileTest {
  private static final int LARGE = 1 << 19; // two mebibytes of float32

  @TempDir private Path folder;

  @Test
  void tensorsOfBothFormatsLieInTheMappedFileAndAreNotCopied() throws IOException {
    Path safetensors = folder.resolve("model.safetensors");
    Path torch = folder.resolve("model.pth");
    try (Weights weights = weights()) {
      SafetensorsWriter.write(safetensors, weights, Map.of());
      TorchFile.bare(torch, weights);
    }
    for (Path file : List.of(safetensors, torch)) {
      try (Weights mapped = Checkpoints.open(file)) {
        for (String name : mapped.names()) {
          assertEquals(Optional.of(file.toRealPath()), fileAt(address(mapped.get(name))), name);
        }
        assertArrayEquals(new float[] {1, 2, 3}, Tensors.floats(mapped.get("small", 3)));
      }
    }
  }

  @Test
  void aLargeTensorThatIsFreedGivesItsMappingBackWhileTheOthersStay() throws IOException {
    Path file = folder.resolve("model.safetensors");
    try (Weights weights = weights()) {
      SafetensorsWriter.write(file, weights, Map.of());
    }
    try (Weights mapped = Checkpoints.open(file)) {
      long before = mappings(file);
      mapped.take("large", LARGE).close();
      assertEquals(before - 1, mappings(file));
      assertEquals(Optional.of(file.toRealPath()), fileAt(address(mapped.get("other"))));
    }
    assertEquals(0, mappings(file));
  }

  private static Weights weights() {
    Weights weights = new Weights("memory");
    try (Scope scope = Scope.open()) {
      weights.put("large", Tensors.of(new float[LARGE], LARGE));
      weights.put("other", Tensors.of(new float[LARGE], LARGE));
      weights.put("small", Tensors.of(new float[] {1, 2, 3}, 3));
    }
    return weights;
  }

  private static long address(Tensor tensor) {
    return tensor.data_ptr().address();
  }

  /** The file that the system has mapped at an address of this process. */
  private static Optional<Path> fileAt(long address) throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/self/maps"))) {
      String[] range = line.substring(0, line.indexOf(' ')).split("-");
      long from = Long.parseUnsignedLong(range[0], 16);
      long to = Long.parseUnsignedLong(range[1], 16);
      if (Long.compareUnsigned(address, from) >= 0 && Long.compareUnsigned(address, to) < 0) {
        int path = line.indexOf('/');
        return path < 0 ? Optional.empty() : Optional.of(Path.of(line.substring(path)));
      }
    }
    return Optional.empty();
  }

  private static long mappings(Path file) throws IOException {
    String path = file.toRealPath().toString();
    return Files.readAllLines(Path.of("/proc/self/maps")).stream()
        .filter(line -> line.endsWith(path))
        .count();
  }
}
