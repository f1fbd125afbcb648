package io.bitloom.worker.modeldir;

import com.google.gson.JsonObject;
import io.bitloom.common.schedule.SizeClass;
import io.bitloom.worker.model.InfinityPreset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/** What the official scripts draw with, by model. */
final class ReleasedDefaults {
  private ReleasedDefaults() {}

  /**
   * Fields of a prompt line: those of the 8B example for that model, else those of the 2B script.
   *
   * @param preset name of the official model, or empty
   */
  static JsonObject of(String preset) {
    boolean large = preset.equals(InfinityPreset.MODEL_8B.label());
    JsonObject defaults = new JsonObject();
    defaults.addProperty("guidance", large ? 3 : 4);
    defaults.addProperty("temperature", large ? 1 : 0.5);
    defaults.addProperty("top_p", 0.97);
    return defaults;
  }

  /** All size classes; the released models were trained for the largest, which comes first. */
  static List<SizeClass> sizes(String preset) {
    List<SizeClass> sizes = new ArrayList<>(Arrays.asList(SizeClass.values()));
    boolean released =
        preset.equals(InfinityPreset.MODEL_2B.label())
            || preset.equals(InfinityPreset.MODEL_8B.label());
    if (released) {
      Collections.rotate(sizes, 1);
    }
    return sizes;
  }
}
