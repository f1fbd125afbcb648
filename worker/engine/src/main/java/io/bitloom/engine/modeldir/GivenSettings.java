package io.bitloom.engine.modeldir;

import com.google.gson.JsonObject;
import io.bitloom.engine.checkpoint.StrictJson;
import java.nio.file.Path;

/**
 * Settings that somebody gives for a checkpoint: a JSON object under the official names, for a
 * transformer or, if it has a {@code codebook_dim}, for a tokenizer; or a {@code model.json}.
 */
public final class GivenSettings {
  private static final String TOKENIZER_SETTING = "codebook_dim";

  private final JsonObject json;

  private GivenSettings(JsonObject json) {
    this.json = json;
  }

  /** No settings. */
  public static GivenSettings none() {
    return new GivenSettings(new JsonObject());
  }

  /**
   * The settings in a file.
   *
   * @throws io.bitloom.engine.tensor.WeightsException if it is not one JSON object
   */
  public static GivenSettings read(Path file) {
    return new GivenSettings(StrictJson.object(file));
  }

  /** What is given for a part of a model; empty if nothing is. */
  JsonObject of(Role role) {
    if (json.has(Role.TRANSFORMER.label()) || json.has(Role.TOKENIZER.label())) {
      JsonObject part = object(json, role.label());
      return part.has("config") ? object(part, "config") : part;
    }
    boolean forTokenizer = json.has(TOKENIZER_SETTING);
    return forTokenizer == (role == Role.TOKENIZER) && role != Role.TEXT ? json : new JsonObject();
  }

  private static JsonObject object(JsonObject parent, String name) {
    return parent.has(name) && parent.get(name).isJsonObject()
        ? parent.getAsJsonObject(name)
        : new JsonObject();
  }
}
