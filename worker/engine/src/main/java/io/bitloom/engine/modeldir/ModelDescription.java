package io.bitloom.engine.modeldir;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.bitloom.common.error.FieldViolation;
import io.bitloom.common.rules.ImagePrompt;
import io.bitloom.common.rules.ImagePromptRules;
import io.bitloom.common.rules.PromptJson;
import io.bitloom.common.rules.PromptLineException;
import io.bitloom.common.schedule.SizeClass;
import io.bitloom.engine.checkpoint.JsonFields;
import io.bitloom.engine.checkpoint.StrictJson;
import io.bitloom.engine.model.InfinityConfig;
import io.bitloom.engine.model.InfinityPreset;
import io.bitloom.engine.model.SquareVar;
import io.bitloom.engine.tensor.WeightsException;
import io.bitloom.engine.tokenizer.TokenizerConfig;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * What {@code model.json} says of a model.
 *
 * <p>It has these members:
 *
 * <ul>
 *   <li>{@code format}: 1
 *   <li>{@code name}, {@code description}: for people and for {@code bitloom submit --model}
 *   <li>{@code sizes}: size classes that the model draws, its usual one first; of a
 *       class-conditional model {@code var256} or {@code var512}, which must have its {@code
 *       patch_nums} as scales
 *   <li>{@code defaults}: fields of a prompt line that hold where a prompt says nothing; optional
 *   <li>{@code transformer}, {@code tokenizer}: {@code preset}, the name of an official model
 *       ({@link InfinityPreset}, {@link TokenizerConfig#preset}), and {@code config} under the
 *       names of the official constructors, which goes before the preset; one of them is enough. A
 *       transformer with {@code num_classes} is a class-conditional VAR ({@link SquareVar}), whose
 *       tokenizer has the codebook's {@code vocab_size}. {@code weights}: a file name, or {@code
 *       {"random": …}} as {@link RandomWeights} reads it; {@code section}: which state dict of a
 *       file with several, if not the preferred one
 *   <li>{@code text_encoder}: {@code type} and what that type needs, see {@link TextEncoders}
 *   <li>{@code sha256}: digest of every weight file by name; absent where there is none
 * </ul>
 */
final class ModelDescription {
  private static final int FORMAT = 1;
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,63}");

  private final String source;
  private final JsonFields json;
  private final String name;
  private final List<SizeClass> sizes;
  private final ImagePrompt defaults;
  private final TokenizerConfig tokenizer;
  private final InfinityConfig transformer;

  /**
   * Reads and checks the file.
   *
   * @param source names the file in messages
   * @throws WeightsException naming file and member, if anything is missing or wrong
   */
  ModelDescription(String source, byte[] content) {
    this.source = source;
    this.json =
        JsonFields.of(
            source, StrictJson.object(source, new String(content, StandardCharsets.UTF_8)));
    json.onlyMembers(
        "format",
        "name",
        "description",
        "sizes",
        "defaults",
        "transformer",
        "tokenizer",
        "text_encoder",
        "sha256");
    if (json.integer("format") != FORMAT) {
      throw new WeightsException(
          source, "format: expected " + FORMAT + ", found " + json.integer("format"));
    }
    this.name = json.text("name");
    if (!NAME.matcher(name).matches()) {
      throw new WeightsException(
          source, "name: expected letters, digits, dots, dashes and underscores");
    }
    this.sizes = sizes(json);
    this.defaults = json.has("defaults") ? defaults(json.object("defaults")) : ImagePrompt.NONE;
    this.tokenizer = parseTokenizer();
    this.transformer = parseTransformer();
    checkSizes();
  }

  String name() {
    return name;
  }

  /** Size classes that the model draws, its usual one first; not empty. */
  List<SizeClass> sizes() {
    return sizes;
  }

  /** What holds where a prompt says nothing. */
  ImagePrompt defaults() {
    return defaults;
  }

  InfinityConfig transformer() {
    return transformer;
  }

  TokenizerConfig tokenizer() {
    return tokenizer;
  }

  /** All members. */
  JsonFields json() {
    return json;
  }

  /** The member of a part. */
  JsonFields part(Role part) {
    return json.object(part.member());
  }

  /**
   * What {@code model.json} says of the architecture of transformer or tokenizer, under the
   * official names.
   */
  JsonObject settings(Role part) {
    JsonFields members = json.object(part.member());
    JsonObject settings = members.has("preset") ? preset(part, members.text("preset")) : null;
    if (settings == null) {
      return members.object("config").json();
    }
    if (members.has("config")) {
      members.object("config").json().asMap().forEach(settings::add);
    }
    return settings;
  }

  private JsonObject preset(Role part, String name) {
    Optional<JsonObject> preset =
        part == Role.TRANSFORMER
            ? InfinityPreset.find(name).map(InfinityPreset::settings)
            : TokenizerConfig.preset(name);
    return preset.orElseThrow(
        () ->
            new WeightsException(
                source,
                part.member()
                    + ".preset: expected "
                    + (part == Role.TRANSFORMER
                        ? "one of " + InfinityPreset.labels()
                        : "infinity_vae_d14, d16, d18, d20, d24, d32 or d64")
                    + ", found \""
                    + name
                    + "\""));
  }

  private TokenizerConfig parseTokenizer() {
    try {
      return TokenizerConfig.of(settings(Role.TOKENIZER));
    } catch (IllegalArgumentException e) {
      throw new WeightsException(source, "tokenizer.config: " + e.getMessage(), e);
    }
  }

  /** Bits per token and the size of a token follow from the tokenizer, so both must agree. */
  private InfinityConfig parseTransformer() {
    InfinityConfig config;
    JsonObject settings = settings(Role.TRANSFORMER);
    try {
      boolean patchify =
          InfinityConfig.parse(settings, Pairing.PATCH_CELLS * tokenizer.codebookDim())
              .spatialPatchify();
      int bits = (patchify ? Pairing.PATCH_CELLS : 1) * tokenizer.codebookDim();
      config = InfinityConfig.parse(settings, bits);
    } catch (IllegalArgumentException e) {
      throw new WeightsException(source, "transformer.config: " + e.getMessage(), e);
    }
    Pairing.check(source, config, config.bitsPerToken(), "of the same file", tokenizer);
    return config;
  }

  /** A VAR has the one size whose scales are its token maps; Infinity has those of all shapes. */
  private void checkSizes() {
    List<SizeClass> drawn =
        transformer.square() == null
            ? SizeClass.ofAllShapes()
            : transformer.square().size().map(List::of).orElse(List.of());
    if (drawn.isEmpty()) {
      throw new WeightsException(
          source, "transformer.config: " + transformer.square().unknownSides());
    }
    if (!drawn.containsAll(sizes)) {
      throw new WeightsException(
          source, "sizes: the transformer draws " + SizeClass.labels(drawn) + ", found " + sizes);
    }
  }

  private List<SizeClass> sizes(JsonFields json) {
    List<SizeClass> sizes = new ArrayList<>();
    for (JsonElement label : json.elements("sizes")) {
      sizes.add(
          SizeClass.find(label.isJsonPrimitive() ? label.getAsString() : "")
              .orElseThrow(
                  () ->
                      new WeightsException(
                          source,
                          "sizes: expected some of " + SizeClass.labels() + ", found " + label)));
    }
    if (sizes.isEmpty()) {
      throw new WeightsException(source, "sizes: at least one is needed");
    }
    return List.copyOf(sizes);
  }

  private ImagePrompt defaults(JsonFields json) {
    try {
      ImagePrompt defaults = PromptJson.parseDefaults(json.json().toString());
      List<FieldViolation> violations = ImagePromptRules.defaults().checkDefaults(defaults);
      if (!violations.isEmpty()) {
        throw new WeightsException(source, "defaults: " + violations.get(0));
      }
      return defaults;
    } catch (PromptLineException e) {
      throw new WeightsException(source, "defaults: " + e.getMessage(), e);
    }
  }
}
