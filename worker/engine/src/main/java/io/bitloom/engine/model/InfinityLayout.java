package io.bitloom.engine.model;

import io.bitloom.engine.tensor.Layouts;
import io.bitloom.engine.tensor.Weights;
import io.bitloom.engine.tensor.WeightsException;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

/**
 * Names and shapes of all tensors of an official checkpoint, in the order of the official state
 * dict's modules.
 */
public final class InfinityLayout {
  /** Buffers of older checkpoints, which the official loader recomputes as well. */
  private static final Set<String> RECOMPUTED =
      Set.of(
          "lvl_1L", "attn_bias_for_masking", "Infinity_visible_kvlen", "Infinity_invisible_qlen");

  private final InfinityConfig config;
  private final Map<String, long[]> shapes = new LinkedHashMap<>();

  private InfinityLayout(InfinityConfig config) {
    this.config = config;
    int width = config.embedDim();
    condition();
    put("lvl_embed.weight", config.maxScales(), width);
    if (config.square() == null && config.learnedPositions()) {
      put(PositionEmbedding.ROWS, PositionEmbedding.PLACES, width);
      put(PositionEmbedding.COLUMNS, PositionEmbedding.PLACES, width);
    }
    if (config.wordNorm()) {
      norm("norm0_ve", config.bitsPerToken());
    }
    linear("word_embed", config.bitsPerToken(), width);
    if (config.sharedAdaptiveNorm()) {
      linear("shared_ada_lin.1", width, 6 * width);
    }
    head();
    for (int k = 0; k < config.depth(); k++) {
      block(config.blockName(k));
    }
  }

  /** Name to shape of every tensor that a model of this architecture has. */
  public static Map<String, long[]> of(InfinityConfig config) {
    return Collections.unmodifiableMap(new InfinityLayout(config).shapes);
  }

  /**
   * Whether a tensor of a checkpoint is a constant that training leaves alone: the zero bias of the
   * keys, and the weight of ones that the official RMS norm keeps.
   */
  public static boolean isBuffer(String name) {
    return name.endsWith("zero_k_bias") || name.endsWith("ln_wo_grad.weight");
  }

  /** Whether a tensor is a buffer that follows from the settings; such are not looked at. */
  public static boolean isRecomputed(String name) {
    return RECOMPUTED.contains(name);
  }

  /**
   * Compares weights with the architecture.
   *
   * @throws WeightsException if tensors are missing, have another shape or are not part of the
   *     architecture; the message names them
   */
  public static void check(InfinityConfig config, Weights weights) {
    check(config, weights, name -> false);
  }

  /** {@link #check(InfinityConfig, Weights)} but for some names. */
  static void check(InfinityConfig config, Weights weights, Predicate<String> passedOver) {
    Map<String, long[]> shapes = new LinkedHashMap<>();
    weights.names().stream()
        .filter(passedOver.negate())
        .forEach(name -> shapes.put(name, weights.get(name).shape()));
    Layouts.check(weights.source(), faults(config, shapes));
  }

  /**
   * Compares the shapes of a checkpoint's tensors with the architecture.
   *
   * @return a line for every tensor that is missing, of another shape or not part of it
   */
  public static List<String> faults(InfinityConfig config, Map<String, long[]> shapes) {
    Map<String, long[]> expected = new LinkedHashMap<>(of(config));
    // The unconditional text may be longer or shorter than the model's: it is cropped or padded.
    long[] unconditional = config.square() == null ? shapes.get("cfg_uncond") : null;
    if (unconditional != null && unconditional.length == 2 && unconditional[0] > 0) {
      expected.put("cfg_uncond", new long[] {unconditional[0], config.textChannels()});
    }
    return Layouts.faults(expected, shapes, RECOMPUTED);
  }

  private void condition() {
    int width = config.embedDim();
    if (config.square() != null) {
      put("pos_start", 1, 1, width);
      put("class_emb.weight", config.square().classes() + 1, width);
      put("pos_1LC", 1, config.square().tokens(), width);
      return;
    }
    put("cfg_uncond", config.textMaxLength(), config.textChannels());
    put("pos_start", 1, 1, width);
    put("text_norm.weight", config.textChannels());
    int poolHeads = config.poolHeads();
    String pool = "text_proj_for_sos.ca.";
    put(pool + "mat_q", 1, poolHeads, width / poolHeads);
    put(pool + "v_bias", width);
    put(pool + "zero_k_bias", width);
    put(pool + "mat_kv.weight", 2 * width, config.textChannels());
    linear(pool + "proj", width, width);
    linear("text_proj_for_ca.0", config.textChannels(), width);
    linear("text_proj_for_ca.2", width, width);
  }

  private void head() {
    int width = config.embedDim();
    if (config.headAdaptiveNorm()) {
      normWithoutAffine("head_nm.ln_wo_grad");
      linear("head_nm.ada_lin.1", width, 2 * width);
    }
    int layer = 0;
    if (!config.headAdaptiveNorm()) {
      norm("head." + layer++, width);
    }
    if (config.headDepth() == 2) {
      linear("head." + layer, width, width);
      linear("head." + (layer + 2), width, config.logitsPerToken());
    } else {
      linear(layer == 0 ? "head" : "head." + layer, width, config.logitsPerToken());
    }
  }

  private void block(String block) {
    int width = config.embedDim();
    if (config.sharedAdaptiveNorm()) {
      put(block + "ada_gss", 1, 1, 6, width);
    }
    if (config.crossAttentionGate()) {
      put(block + "ca_gamma", width);
    }
    selfAttention(block + config.selfAttentionName());
    if (config.square() == null) {
      crossAttention(block);
    }
    feedForward(block + "ffn.");
    normWithoutAffine(block + "ln_wo_grad");
    if (!config.sharedAdaptiveNorm()) {
      linear(block + "ada_lin.1", width, 6 * width);
    }
  }

  private void selfAttention(String sa) {
    int width = config.embedDim();
    if (config.cosAttention()) {
      put(sa + "scale_mul_1H11", 1, config.numHeads(), 1, 1);
    }
    put(sa + "q_bias", width);
    put(sa + "v_bias", width);
    put(sa + "zero_k_bias", width);
    put(sa + "mat_qkv.weight", 3 * width, width);
    linear(sa + "proj", width, width);
  }

  private void crossAttention(String block) {
    int width = config.embedDim();
    norm(block + "ca_norm", width);
    put(block + "ca.v_bias", width);
    put(block + "ca.zero_k_bias", width);
    linear(block + "ca.mat_q", width, width);
    put(block + "ca.mat_kv.weight", 2 * width, width);
    linear(block + "ca.proj", width, width);
  }

  private void feedForward(String ffn) {
    int width = config.embedDim();
    int hidden = config.mlpWidth();
    if (config.swiGlu()) {
      put(ffn + "fcg.weight", hidden, width);
      put(ffn + "fc1.weight", hidden, width);
      put(ffn + "fc2.weight", width, hidden);
    } else {
      linear(ffn + "fc1", width, hidden);
      linear(ffn + "fc2", hidden, width);
    }
  }

  private void norm(String name, int channels) {
    put(name + ".weight", channels);
    if (!config.rmsNorm()) {
      put(name + ".bias", channels);
    }
  }

  /** The official RMS norm keeps its weight of ones as a buffer; layer norm keeps nothing. */
  private void normWithoutAffine(String name) {
    if (config.rmsNorm()) {
      put(name + ".weight", config.embedDim());
    }
  }

  private void linear(String name, int in, int out) {
    put(name + ".weight", out, in);
    put(name + ".bias", out);
  }

  private void put(String name, long... shape) {
    shapes.put(name, shape);
  }
}
