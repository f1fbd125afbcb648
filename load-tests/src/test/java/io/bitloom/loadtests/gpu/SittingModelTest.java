package io.bitloom.loadtests.gpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.engine.model.InfinityPreset;
import io.bitloom.engine.modeldir.ModelDirectory;
import io.bitloom.engine.tensor.DType;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SittingModelTest {
  private static final Path TEMPLATE = Path.of("models/full125m/model.json");

  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({"M125, LAYER12, 32", "M2B, MODEL_2B, 32", "M8B, MODEL_8B, 56"})
  void theLargeOnesAreTheReleasedArchitectures(SittingModel model, InfinityPreset preset, int bits)
      throws IOException {
    ModelDirectory directory = model.directory(TEMPLATE, folder);

    assertEquals(Optional.of(preset), InfinityPreset.of(directory.transformer()));
    assertEquals(bits, directory.transformer().bitsPerToken());
  }

  @Test
  void theSmallOnesAreOfEveryKind() throws IOException {
    assertTrue(
        SittingModel.TINY_PATCHIFY.directory(TEMPLATE, folder).transformer().spatialPatchify());
    assertEquals(
        24, SittingModel.TINY_VAR.directory(TEMPLATE, folder).transformer().square().vocabulary());
    for (SittingModel model : SittingModel.OF_PARITY) {
      long bytes = model.directory(TEMPLATE, folder).weightBytes(DType.F32);
      assertTrue(bytes < 10_000_000, model + " has " + bytes + " bytes of weights");
    }
  }
}
