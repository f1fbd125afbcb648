package io.bitloom.engine.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import java.util.Arrays;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class InfinityPresetTest {
  /** Parameters as the official implementation counts them, in millions. */
  @ParameterizedTest
  @CsvSource({
    "infinity_layer12, 12, 768, 8, 125",
    "layer24, 24, 1536, 16, 941",
    "2b, 32, 2048, 16, 2205",
    "infinity_8b, 40, 3584, 28, 8376",
    "layer48, 48, 3360, 28, 8767",
    "infinity_20b, 58, 4608, 36, 19952"
  })
  void theLadderHasTheOfficialSizes(String name, int depth, int width, int heads, int millions) {
    InfinityPreset preset = InfinityPreset.find(name).orElseThrow();
    int bits = preset.spatialPatchify() ? 56 : 32;
    InfinityConfig config = InfinityConfig.parse(preset.settings(), bits);
    assertEquals(depth, config.depth());
    assertEquals(width, config.embedDim());
    assertEquals(heads, config.numHeads());
    long parameters =
        InfinityLayout.of(config).entrySet().stream()
            .filter(tensor -> !InfinityLayout.isBuffer(tensor.getKey()))
            .mapToLong(tensor -> Arrays.stream(tensor.getValue()).reduce(1, (a, b) -> a * b))
            .sum();
    assertEquals(millions, Math.round(parameters / 1e6), preset.label());
  }

  @ParameterizedTest
  @EnumSource(InfinityPreset.class)
  void everyRungCanBeConfiguredWithEveryBitWidthAndSwitch(InfinityPreset preset) {
    for (int bits : new int[] {16, 18, 20, 24, 32, 64}) {
      for (int rope = 0; rope <= 2; rope++) {
        JsonObject settings = preset.settings();
        settings.addProperty("rope2d_normalized_by_hw", rope);
        settings.addProperty("apply_spatial_patchify", 0);
        settings.addProperty("rms_norm", rope == 1);
        settings.addProperty("swiglu", rope == 2);
        settings.addProperty("add_lvl_embeding_only_first_block", rope == 0 ? 1 : 0);
        InfinityConfig config = InfinityConfig.parse(settings, bits);
        assertEquals(rope, config.ropeMode());
        assertEquals(2 * bits, config.logitsPerToken());
        assertTrue(InfinityLayout.of(config).containsKey(config.blockName(0) + "sa.proj.weight"));
      }
    }
  }

  @Test
  void aConfigurationIsKnownByItsPresetAndAnotherOneIsNot() {
    InfinityConfig config = InfinityConfig.parse(InfinityPreset.MODEL_2B.settings(), 32);
    assertEquals(Optional.of(InfinityPreset.MODEL_2B), InfinityPreset.of(config));
    JsonObject changed = InfinityPreset.MODEL_2B.settings();
    changed.addProperty("swiglu", true);
    assertEquals(Optional.empty(), InfinityPreset.of(InfinityConfig.parse(changed, 32)));
    assertEquals(Optional.empty(), InfinityPreset.find("3b"));
  }
}
