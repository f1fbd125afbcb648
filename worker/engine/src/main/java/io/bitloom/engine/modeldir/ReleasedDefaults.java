package io.bitloom.engine.modeldir;

import com.google.gson.JsonObject;
import io.bitloom.common.schedule.SizeClass;
import io.bitloom.engine.model.InfinityConfig;
import io.bitloom.engine.model.InfinityPreset;
import io.bitloom.engine.model.SquareVar;
import io.bitloom.engine.tensor.WeightsException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** What the official scripts draw with, by model. */
final class ReleasedDefaults {
  /** The official cfg counts from 0, and grows linearly over the scales. */
  private static final int VAR_CFG = 4;

  private ReleasedDefaults() {}

  /**
   * Fields of a prompt line: those of the 8B example for that model, those of the example of VAR,
   * else those of the 2B script.
   *
   * @param preset name of the official model, or empty
   */
  static JsonObject of(InfinityConfig config, String preset) {
    boolean large = preset.equals(InfinityPreset.MODEL_8B.label());
    JsonObject defaults = new JsonObject();
    if (config.square() != null) {
      defaults.addProperty("guidance", 1 + VAR_CFG);
      defaults.addProperty("guidance_schedule", "pyramid");
      defaults.addProperty("temperature", 1);
      defaults.addProperty("top_p", 0.95);
      defaults.addProperty("top_k", 900);
      return defaults;
    }
    defaults.addProperty("guidance", large ? 3 : 4);
    defaults.addProperty("temperature", large ? 1 : 0.5);
    defaults.addProperty("top_p", 0.97);
    return defaults;
  }

  /**
   * All size classes that the transformer can draw; the released Infinity models were trained for
   * the largest, which comes first.
   */
  static List<SizeClass> sizes(InfinityConfig config, String preset) {
    if (config.square() != null) {
      SquareVar square = config.square();
      return List.of(
          square.size().orElseThrow(() -> new WeightsException("import", square.unknownSides())));
    }
    List<SizeClass> sizes = new ArrayList<>(SizeClass.ofAllShapes());
    boolean released =
        preset.equals(InfinityPreset.MODEL_2B.label())
            || preset.equals(InfinityPreset.MODEL_8B.label());
    if (released) {
      Collections.rotate(sizes, 1);
    }
    return sizes;
  }
}
