package io.bitloom.engine.model;

import com.google.gson.JsonObject;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * The transformers of the official model ladder. All have the settings of the released models: text
 * of Flan-T5-XL, shared adaptive norm, bit labels, RoPE stretched to the largest grid.
 *
 * <p>They are known by the names of the official constructors, {@code infinity_2b}, or without the
 * prefix. The number of chunks is that of the official scripts; for the 20B model, whose weights
 * are not public, it is the smallest number that the official generation can run with.
 */
public enum InfinityPreset {
  LAYER12(12, 768, 8, 4),
  LAYER16(16, 1152, 12, 4),
  LAYER24(24, 1536, 16, 4),
  LAYER32(32, 2080, 20, 4),
  LAYER40(40, 2688, 24, 4),
  LAYER48(48, 3360, 28, 4),
  MODEL_2B(32, 2048, 16, 8),
  MODEL_8B(40, 3584, 28, 8),
  MODEL_20B(58, 4608, 36, 2);

  private static final String PREFIX = "infinity_";
  private static final int TEXT_CHANNELS = 2048;
  private static final int TEXT_LENGTH = 512;

  private final int depth;
  private final int width;
  private final int heads;
  private final int chunks;

  InfinityPreset(int depth, int width, int heads, int chunks) {
    this.depth = depth;
    this.width = width;
    this.heads = heads;
    this.chunks = chunks;
  }

  /** The preset of this name. */
  public static Optional<InfinityPreset> find(String name) {
    String full = name.startsWith(PREFIX) ? name : PREFIX + name;
    return Arrays.stream(values()).filter(preset -> preset.label().equals(full)).findFirst();
  }

  /** The preset with these numbers of blocks and channels. */
  public static Optional<InfinityPreset> find(int depth, int width) {
    return Arrays.stream(values())
        .filter(preset -> preset.depth == depth && preset.width == width)
        .findFirst();
  }

  /** The preset that has exactly this architecture, whatever the bits per token. */
  public static Optional<InfinityPreset> of(InfinityConfig config) {
    return Arrays.stream(values())
        .filter(
            preset -> InfinityConfig.parse(preset.settings(), config.bitsPerToken()).equals(config))
        .findFirst();
  }

  /** All names, for messages. */
  public static String labels() {
    return Arrays.stream(values()).map(InfinityPreset::label).collect(Collectors.joining(", "));
  }

  /** The official name. */
  public String label() {
    return PREFIX + name().toLowerCase(Locale.ROOT).replace("model_", "");
  }

  /** Heads of self- and cross-attention. */
  public int heads() {
    return heads;
  }

  /** Whether a token stands for 2×2 cells of the tokenizer. */
  public boolean spatialPatchify() {
    return this == MODEL_8B;
  }

  /** The settings under the names of the official constructor. */
  public JsonObject settings() {
    JsonObject settings = new JsonObject();
    settings.addProperty("embed_dim", width);
    settings.addProperty("depth", depth);
    settings.addProperty("num_heads", heads);
    settings.addProperty("block_chunks", chunks);
    settings.addProperty("mlp_ratio", 4);
    settings.addProperty("text_channels", TEXT_CHANNELS);
    settings.addProperty("text_maxlen", TEXT_LENGTH);
    settings.addProperty("shared_aln", true);
    settings.addProperty("head_aln", true);
    settings.addProperty("cos_attn", true);
    settings.addProperty("use_bit_label", 1);
    settings.addProperty("add_lvl_embeding_only_first_block", 1);
    settings.addProperty("rope2d_each_sa_layer", 1);
    settings.addProperty("rope2d_normalized_by_hw", 2);
    settings.addProperty("apply_spatial_patchify", spatialPatchify() ? 1 : 0);
    return settings;
  }
}
