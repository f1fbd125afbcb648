package io.bitloom.engine.modeldir;

import com.google.gson.JsonObject;
import java.util.List;
import java.util.Map;

/**
 * What is known of the architecture of a part of a model.
 *
 * @param settings under the official names
 * @param origin where the settings come from, for people
 * @param assumed settings that cannot be seen in the tensors and are those of the released models
 */
public record Architecture(JsonObject settings, String origin, List<String> assumed) {

  /** Settings that somebody has written down. */
  static Architecture given(JsonObject settings, String origin) {
    return new Architecture(settings, origin, List.of());
  }

  /** The same with other settings; what is set is no longer assumed. */
  Architecture with(JsonObject changes) {
    JsonObject changed = settings.deepCopy();
    changes.asMap().forEach(changed::add);
    List<String> still =
        assumed.stream()
            .filter(line -> !changes.has(line.substring(0, line.indexOf(' '))))
            .toList();
    return new Architecture(changed, origin, still);
  }

  /** The shape of a tensor; empty if there is no such tensor, or it has another number of axes. */
  static long[] shape(Map<String, long[]> shapes, String name, int axes) {
    long[] shape = shapes.get(name);
    return shape == null || shape.length != axes ? new long[0] : shape;
  }
}
