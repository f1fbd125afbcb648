package io.bitloom.engine.model;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * The architecture of an Infinity transformer, under the names of the official constructor.
 *
 * @param embedDim width C of the residual stream
 * @param depth number of blocks
 * @param numHeads heads of self- and cross-attention; C must divide by it
 * @param blockChunks into how many equal chunks the blocks are grouped: names the weights, and says
 *     where level embeddings go if they are not added once
 * @param mlpRatio width of the feed-forward layer over C, before rounding to a multiple of 256
 * @param textChannels width of the text encoder's features
 * @param textMaxLength most text rows of a prompt: length of the learned unconditional text
 * @param bitsPerToken d, bits that a token decides; four times the tokenizer's channels with
 *     spatial patchify; for a VAR the channels of its codebook
 * @param spatialPatchify whether a token stands for 2×2 cells of the tokenizer (8B model)
 * @param bitLabels whether d binary classifiers predict the bits (the paper's infinite-vocabulary
 *     classifier); otherwise one classifier over 2^d indices
 * @param normEps ε of all norms
 * @param rmsNorm whether norms divide by the root mean square; otherwise layer norm
 * @param wordNorm whether the code input is normalised before its embedding
 * @param sharedAdaptiveNorm whether one network computes scale, shift and gate for all blocks, each
 *     block adding its own offset; otherwise every block has such a network
 * @param headAdaptiveNorm whether the norm before the head is modulated by the condition
 * @param headDepth linear layers of the head, 1 or 2
 * @param cosAttention whether self-attention compares directions (L2-normalised q and k with a
 *     learned temperature per head)
 * @param attentionTau what the logits of self-attention are divided by besides √c, without cosine
 *     attention
 * @param swiGlu whether the feed-forward layer is gated by SiLU instead of a GELU
 * @param crossAttentionGate whether cross-attention has a learned gate per channel
 * @param levelEmbeddingOnce whether the scale's embedding is added before the first block only;
 *     otherwise before every chunk
 * @param ropeMode how positions of different scales relate: 0 as counted, 1 interpolated from the
 *     largest grid, 2 stretched to the largest grid (released models)
 * @param learnedPositions whether tokens get learned absolute positions before the first block, for
 *     comparison; otherwise queries and keys are turned by RoPE2d (released models)
 * @param square what makes it a class-conditional VAR instead; null for an Infinity transformer
 */
public record InfinityConfig(
    int embedDim,
    int depth,
    int numHeads,
    int blockChunks,
    double mlpRatio,
    int textChannels,
    int textMaxLength,
    int bitsPerToken,
    boolean spatialPatchify,
    boolean bitLabels,
    double normEps,
    boolean rmsNorm,
    boolean wordNorm,
    boolean sharedAdaptiveNorm,
    boolean headAdaptiveNorm,
    int headDepth,
    boolean cosAttention,
    double attentionTau,
    boolean swiGlu,
    boolean crossAttentionGate,
    boolean levelEmbeddingOnce,
    int ropeMode,
    boolean learnedPositions,
    SquareVar square) {

  /** Scales that the level embedding has a row for. */
  public static final int MAX_SCALES = 15;

  /** Arguments of the official constructor that say nothing about what a trained model computes. */
  private static final Set<String> TRAINING =
      Set.of(
          "drop_rate",
          "drop_path_rate",
          "cond_drop_rate",
          "rand_uncond",
          "raw_scale_schedule",
          "selecting_idx",
          "top_p",
          "top_k",
          "customized_flash_attn",
          "fused_mlp",
          "fused_norm",
          "checkpointing",
          "pad_to_multiplier",
          "use_flex_attn",
          "batch_size",
          "pn",
          "train_h_div_w_list",
          "video_frames",
          "always_training_scales",
          "inference_mode");

  private static final Set<String> ARCHITECTURE =
      Set.of(
          "embed_dim",
          "depth",
          "num_heads",
          "block_chunks",
          "mlp_ratio",
          "text_channels",
          "text_maxlen",
          "apply_spatial_patchify",
          "use_bit_label",
          "norm_eps",
          "rms_norm",
          "nm0",
          "shared_aln",
          "head_aln",
          "head_depth",
          "cos_attn",
          "tau",
          "swiglu",
          "cross_attn_layer_scale",
          "add_lvl_embeding_only_first_block",
          "rope2d_each_sa_layer",
          "rope2d_normalized_by_hw");

  /** Arguments of the official VAR, whose tokens stand for entries of a codebook. */
  private static final Set<String> VAR =
      Set.of(
          "num_classes",
          "vocab_size",
          "patch_nums",
          "embed_dim",
          "depth",
          "num_heads",
          "mlp_ratio",
          "norm_eps",
          "shared_aln",
          "attn_l2_norm",
          "attn_drop_rate",
          "flash_if_available",
          "fused_if_available");

  private static final int MLP_MULTIPLE = 256;
  private static final int MAX_INDEX_BITS = 24;

  /**
   * @throws IllegalArgumentException if the numbers do not fit together; the message names the
   *     official key
   */
  public InfinityConfig {
    require(embedDim > 0, "embed_dim", embedDim, "positive");
    require(depth > 0, "depth", depth, "positive");
    require(numHeads > 0 && embedDim % numHeads == 0, "num_heads", numHeads, "a divisor of C");
    require(embedDim / numHeads % 4 == 0, "num_heads", numHeads, "with head size divisible by 4");
    require(blockChunks > 0 && depth % blockChunks == 0, "block_chunks", blockChunks, "a divisor");
    require(mlpRatio > 0, "mlp_ratio", mlpRatio, "positive");
    require(
        feedForwardWidth(embedDim, mlpRatio, swiGlu, square) > 0,
        "mlp_ratio",
        mlpRatio,
        "a feed-forward layer of at least " + (square == null ? MLP_MULTIPLE : 1));
    if (square == null) {
      require(textChannels > 0, "text_channels", textChannels, "positive, or num_classes");
      int pool = textChannels / (embedDim > 4096 ? 64 : 128);
      require(pool > 0 && embedDim % pool == 0, "text_channels", textChannels, "heads dividing C");
    }
    require(textMaxLength > 0, "text_maxlen", textMaxLength, "positive");
    require(bitsPerToken > 0, "bits per token", bitsPerToken, "positive");
    require(
        !spatialPatchify || bitsPerToken % 4 == 0,
        "apply_spatial_patchify",
        bitsPerToken,
        "a multiple of 4 bits per token");
    require(
        square != null || bitLabels || (bitsPerToken <= MAX_INDEX_BITS && !spatialPatchify),
        "use_bit_label",
        bitsPerToken,
        "1 for more than " + MAX_INDEX_BITS + " bits per token and with spatial patchify");
    require(attentionTau > 0, "tau", attentionTau, "positive");
    require(normEps > 0, "norm_eps", normEps, "positive");
    require(headDepth == 1 || headDepth == 2, "head_depth", headDepth, "1 or 2");
    require(ropeMode >= 0 && ropeMode <= 2, "rope2d_normalized_by_hw", ropeMode, "0, 1 or 2");
  }

  /**
   * Reads the official constructor's arguments; an argument that is not there has the official
   * default, those for training are not looked at.
   *
   * @param bitsPerToken d, which the official constructor takes from the tokenizer
   * @throws IllegalArgumentException if a value is of the wrong kind or not supported, or an
   *     argument is none of the official constructor's; the message names the key
   */
  public static InfinityConfig parse(JsonObject json, int bitsPerToken) {
    if (json.has("num_classes")) {
      return parseVar(json, bitsPerToken);
    }
    for (String key : json.keySet()) {
      if (!ARCHITECTURE.contains(key) && !TRAINING.contains(key)) {
        throw new IllegalArgumentException(
            key + " is not known, it is no argument of the official constructor");
      }
    }
    int rope = integer(json, "rope2d_each_sa_layer", -1);
    require(
        rope == 0 || rope == 1,
        "rope2d_each_sa_layer",
        rope < 0 ? "nothing" : rope,
        "1, or 0 for learned absolute positions");
    return new InfinityConfig(
        integer(json, "embed_dim", 1024),
        integer(json, "depth", 16),
        integer(json, "num_heads", 16),
        Math.max(1, integer(json, "block_chunks", 1)),
        number(json, "mlp_ratio", 4),
        integer(json, "text_channels", 0),
        integer(json, "text_maxlen", 0),
        bitsPerToken,
        flag(json, "apply_spatial_patchify", false),
        flag(json, "use_bit_label", true),
        number(json, "norm_eps", 1e-6),
        flag(json, "rms_norm", false),
        flag(json, "nm0", false),
        flag(json, "shared_aln", false),
        flag(json, "head_aln", true),
        integer(json, "head_depth", 1),
        flag(json, "cos_attn", true),
        number(json, "tau", 1),
        flag(json, "swiglu", false),
        number(json, "cross_attn_layer_scale", -1) >= 0,
        flag(json, "add_lvl_embeding_only_first_block", true),
        integer(json, "rope2d_normalized_by_hw", 0),
        rope == 0,
        null);
  }

  /** The arguments of the official VAR, and {@code vocab_size}, which it takes from its VQVAE. */
  private static InfinityConfig parseVar(JsonObject json, int channels) {
    for (String key : json.keySet()) {
      if (!VAR.contains(key) && !TRAINING.contains(key)) {
        throw new IllegalArgumentException(key + " is not known, it is no argument of VAR");
      }
    }
    int depth = integer(json, "depth", 16);
    return new InfinityConfig(
        integer(json, "embed_dim", 1024),
        depth,
        integer(json, "num_heads", 16),
        1,
        number(json, "mlp_ratio", 4),
        SquareVar.LABEL_CHANNELS,
        1,
        channels,
        false,
        false,
        number(json, "norm_eps", 1e-6),
        false,
        false,
        flag(json, "shared_aln", false),
        true,
        1,
        flag(json, "attn_l2_norm", false),
        SquareVar.ATTENTION_TAU,
        false,
        false,
        true,
        0,
        true,
        new SquareVar(
            integer(json, "num_classes", 1000), integer(json, "vocab_size", 4096), sides(json)));
  }

  private static List<Integer> sides(JsonObject json) {
    if (!json.has("patch_nums")) {
      return SquareVar.usualSides();
    }
    require(json.get("patch_nums").isJsonArray(), "patch_nums", json.get("patch_nums"), "a list");
    List<Integer> sides = new ArrayList<>();
    for (JsonElement side : json.getAsJsonArray("patch_nums")) {
      JsonObject entry = new JsonObject();
      entry.add("patch_nums", side);
      sides.add(integer(entry, "patch_nums", 0));
    }
    return sides;
  }

  /** Scales that the level embedding has a row for. */
  public int maxScales() {
    return square == null ? MAX_SCALES : square.scales().size();
  }

  /** Size of one attention head. */
  public int headDim() {
    return embedDim / numHeads;
  }

  /** Blocks in one chunk. */
  public int blocksPerChunk() {
    return depth / blockChunks;
  }

  /** Name of block k in a checkpoint: the index restarts in every chunk. */
  public String blockName(int k) {
    return blockChunks == 1
        ? "blocks." + k + "."
        : "block_chunks." + k / blocksPerChunk() + ".module." + k % blocksPerChunk() + ".";
  }

  /** Prefix of a block's self-attention. */
  String selfAttentionName() {
    return square == null ? "sa." : "attn.";
  }

  /** Whether the scale's embedding is added before block k. */
  public boolean levelEmbeddingBefore(int k) {
    int interval = blockChunks == 1 ? 1 : blocksPerChunk();
    return levelEmbeddingOnce ? k == 0 : k % interval == 0;
  }

  /**
   * Width of the feed-forward layer: C · ratio, to the nearest multiple of 256 (VAR: of 1), half to
   * even.
   */
  public int mlpWidth() {
    return feedForwardWidth(embedDim, mlpRatio, swiGlu, square);
  }

  private static int feedForwardWidth(
      int embedDim, double mlpRatio, boolean swiGlu, SquareVar square) {
    if (square != null) {
      return (int) Math.rint(embedDim * mlpRatio);
    }
    int width = (int) Math.rint(embedDim * mlpRatio / MLP_MULTIPLE) * MLP_MULTIPLE;
    return swiGlu ? (int) Math.rint(2.0 * width / 3 / MLP_MULTIPLE) * MLP_MULTIPLE : width;
  }

  /** Heads of the attention that pools the text into one vector. */
  public int poolHeads() {
    return textChannels / (embedDim > 4096 ? 64 : 128);
  }

  /** Channels of the tokenizer's features. */
  public int tokenizerChannels() {
    return spatialPatchify ? bitsPerToken / 4 : bitsPerToken;
  }

  /** Logits per token: two per bit, or one per index. */
  public int logitsPerToken() {
    if (square != null) {
      return square.vocabulary();
    }
    return bitLabels ? 2 * bitsPerToken : 1 << bitsPerToken;
  }

  private static void require(boolean holds, String key, Object value, String expected) {
    if (!holds) {
      throw new IllegalArgumentException(key + ": expected " + expected + ", got " + value);
    }
  }

  private static int integer(JsonObject json, String key, int otherwise) {
    double value = number(json, key, otherwise);
    require(value == Math.rint(value) && Math.abs(value) < 1e9, key, value, "a whole number");
    return (int) value;
  }

  private static boolean flag(JsonObject json, String key, boolean otherwise) {
    double value = number(json, key, otherwise ? 1 : 0);
    require(value == 0 || value == 1, key, value, "0 or 1");
    return value == 1;
  }

  private static double number(JsonObject json, String key, double otherwise) {
    JsonElement element = json.get(key);
    if (element == null || element.isJsonNull()) {
      return otherwise;
    }
    require(element instanceof JsonPrimitive, key, element, "a number");
    JsonPrimitive value = element.getAsJsonPrimitive();
    if (value.isBoolean()) {
      return value.getAsBoolean() ? 1 : 0;
    }
    require(value.isNumber(), key, element, "a number");
    return value.getAsDouble();
  }
}
