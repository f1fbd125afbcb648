package io.bitloom.engine.modeldir;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.bitloom.common.schedule.ScaleSchedules;
import io.bitloom.common.schedule.SizeClass;
import io.bitloom.engine.model.InfinityPreset;
import io.bitloom.engine.model.SquareVar;
import io.bitloom.engine.tensor.WeightsException;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads the settings of a transformer off the names and shapes of its tensors. */
final class TransformerRecognition {
  private static final Pattern BLOCK =
      Pattern.compile("(block_chunks\\.(\\d+)\\.module\\.\\d+\\.|blocks\\.\\d+\\.)(.*)");
  private static final int MLP_MULTIPLE = 256;
  private static final int USUAL_RATIO = 4;
  private static final int USUAL_HEAD = 128;
  private static final int VAR_HEAD = 64;

  /** Bits per token of the released model with spatial patchify. */
  private static final int PATCHIFIED_BITS = 56;

  private final String source;
  private final Map<String, long[]> shapes;
  private final JsonObject settings = new JsonObject();
  private final List<String> assumed = new ArrayList<>();

  private TransformerRecognition(String source, Map<String, long[]> shapes) {
    this.source = source;
    this.shapes = shapes;
  }

  /**
   * @param source the checkpoint, for messages
   * @throws WeightsException if the tensors that the sizes are read off are missing
   */
  static Architecture recognise(String source, Map<String, long[]> shapes) {
    return new TransformerRecognition(source, shapes).recognise();
  }

  /** d, the width of what the word embedding takes. */
  static int bitsPerToken(String source, Map<String, long[]> shapes) {
    long[] wordEmbed = Architecture.shape(shapes, "word_embed.weight", 2);
    if (wordEmbed.length == 0 || wordEmbed[1] > Integer.MAX_VALUE) {
      throw new WeightsException(source, "word_embed.weight", "is missing or no matrix");
    }
    return (int) wordEmbed[1];
  }

  private Architecture recognise() {
    List<String> blocks = blocks();
    if (blocks.isEmpty()) {
      throw new WeightsException(source, "has no blocks of a transformer");
    }
    int width = size("pos_start", 3, 2, "word_embed.weight", 2, 0);
    long chunks =
        blocks.stream()
            .map(BLOCK::matcher)
            .filter(Matcher::matches)
            .map(block -> String.valueOf(block.group(2)))
            .distinct()
            .count();
    if (shapes.containsKey("class_emb.weight")) {
      return recogniseVar(blocks, width);
    }
    Optional<InfinityPreset> official = InfinityPreset.find(blocks.size(), width);
    settings.addProperty("embed_dim", width);
    settings.addProperty("depth", blocks.size());
    settings.addProperty("num_heads", heads(blocks, width, official));
    settings.addProperty("block_chunks", chunks);
    feedForward(blocks, width);
    settings.addProperty("text_channels", size("cfg_uncond", 2, 1, "text_norm.weight", 1, 0));
    settings.addProperty("text_maxlen", size("cfg_uncond", 2, 0, "cfg_uncond", 2, 0));
    flags(blocks);
    boolean cosine = settings.get("cos_attn").getAsBoolean();
    assume("norm_eps", new BigDecimal("0.000001"));
    if (!cosine) {
      assume("tau", 1);
    }
    assume("add_lvl_embeding_only_first_block", 1);
    boolean learnedPositions = shapes.containsKey("pos_embed.rows.weight");
    settings.addProperty("rope2d_each_sa_layer", learnedPositions ? 0 : 1);
    if (!learnedPositions) {
      assume("rope2d_normalized_by_hw", 2);
    }
    boolean patchify =
        official.map(InfinityPreset::spatialPatchify).orElse(false)
            || bitsPerToken(source, shapes) == PATCHIFIED_BITS;
    assume("apply_spatial_patchify", patchify ? 1 : 0);
    return new Architecture(settings, "recognised from the tensors", List.copyOf(assumed));
  }

  /** A class-conditional VAR; its token maps are those of the size with as many tokens. */
  private Architecture recogniseVar(List<String> blocks, int width) {
    long[] scaleMul = Architecture.shape(shapes, blocks.get(0) + "attn.scale_mul_1H11", 4);
    long[] fc1 = Architecture.shape(shapes, blocks.get(0) + "ffn.fc1.weight", 2);
    settings.addProperty("num_classes", size("class_emb.weight", 2, 0, "", 0, 0) - 1);
    settings.addProperty("vocab_size", size("head.weight", 2, 0, "head.bias", 1, 0));
    settings.addProperty("embed_dim", width);
    settings.addProperty("depth", blocks.size());
    if (scaleMul.length > 0) {
      settings.addProperty("num_heads", scaleMul[1]);
    } else {
      assume("num_heads", Math.max(1, width / VAR_HEAD));
    }
    settings.addProperty("mlp_ratio", fc1.length == 0 ? USUAL_RATIO : (double) fc1[0] / width);
    settings.addProperty("shared_aln", shapes.containsKey("shared_ada_lin.1.weight"));
    settings.addProperty("attn_l2_norm", scaleMul.length > 0);
    assume("norm_eps", new BigDecimal("0.000001"));
    JsonArray sides = new JsonArray();
    SquareVar.sides(sizeOfVar()).forEach(sides::add);
    settings.add("patch_nums", sides);
    assumed.add("patch_nums " + sides);
    return new Architecture(settings, "recognised from the tensors", List.copyOf(assumed));
  }

  /** Where no size has as many tokens, the usual one: its faults name the tensors that differ. */
  private SizeClass sizeOfVar() {
    long[] places = Architecture.shape(shapes, "pos_1LC", 3);
    return Arrays.stream(SizeClass.values())
        .filter(SizeClass::squareOnly)
        .filter(size -> places.length > 0 && ScaleSchedules.of(size).get(0).tokens() == places[1])
        .findFirst()
        .orElse(SizeClass.VAR_256);
  }

  /** Prefixes of the blocks; one with few of a block's tensors is a stray, not a block. */
  private List<String> blocks() {
    Map<String, Integer> tensors = new LinkedHashMap<>();
    for (String name : shapes.keySet()) {
      Matcher block = BLOCK.matcher(name);
      if (block.matches()) {
        tensors.merge(block.group(1), 1, Integer::sum);
      }
    }
    int most = tensors.values().stream().mapToInt(Integer::intValue).max().orElse(0);
    return tensors.entrySet().stream()
        .filter(block -> block.getValue() * 2 >= most)
        .map(Map.Entry::getKey)
        .toList();
  }

  private int heads(List<String> blocks, int width, Optional<InfinityPreset> official) {
    long[] scaleMul = Architecture.shape(shapes, blocks.get(0) + "sa.scale_mul_1H11", 4);
    if (scaleMul.length > 0) {
      return (int) Math.max(1, scaleMul[1] * scaleMul[2]); // (1, H, 1, 1), or (1, 1, H, 1)
    }
    int heads = official.map(InfinityPreset::heads).orElse(Math.max(1, width / USUAL_HEAD));
    assumed.add("num_heads " + heads);
    return heads;
  }

  private void feedForward(List<String> blocks, int width) {
    boolean gated = any(blocks, "ffn.fcg.weight");
    settings.addProperty("swiglu", gated);
    long[] fc1 = Architecture.shape(shapes, blocks.get(0) + "ffn.fc1.weight", 2);
    double hidden = fc1.length == 0 ? USUAL_RATIO * (double) width : fc1[0];
    double ungated = gated ? hidden * 3 / 2 : hidden;
    double usual = Math.rint((double) USUAL_RATIO * width / MLP_MULTIPLE) * MLP_MULTIPLE;
    boolean isUsual =
        gated ? hidden == Math.rint(2 * usual / 3 / MLP_MULTIPLE) * MLP_MULTIPLE : hidden == usual;
    if (isUsual) {
      settings.addProperty("mlp_ratio", USUAL_RATIO);
    } else {
      settings.addProperty("mlp_ratio", ungated / width);
    }
  }

  private void flags(List<String> blocks) {
    settings.addProperty("rms_norm", !any(blocks, "ca_norm.bias"));
    settings.addProperty("nm0", shapes.containsKey("norm0_ve.weight"));
    settings.addProperty("shared_aln", shapes.containsKey("shared_ada_lin.1.weight"));
    boolean headNorm = shapes.containsKey("head_nm.ada_lin.1.weight");
    settings.addProperty("head_aln", headNorm);
    String[] layers =
        headNorm
            ? new String[] {"head.2.weight", "head.weight"}
            : new String[] {"head.3.weight", "head.1.weight"};
    boolean deep = shapes.containsKey(layers[0]);
    settings.addProperty("head_depth", deep ? 2 : 1);
    settings.addProperty("cos_attn", any(blocks, "sa.scale_mul_1H11"));
    if (any(blocks, "ca_gamma")) {
      settings.addProperty("cross_attn_layer_scale", 1);
    }
    long[] out = Architecture.shape(shapes, layers[deep ? 0 : 1], 2);
    int bits = bitsPerToken(source, shapes);
    boolean indices = out.length > 0 && bits < 31 && out[0] != 2L * bits && out[0] == 1L << bits;
    settings.addProperty("use_bit_label", indices ? 0 : 1);
  }

  private boolean any(List<String> blocks, String name) {
    return blocks.stream().anyMatch(block -> shapes.containsKey(block + name));
  }

  private void assume(String setting, Number value) {
    settings.addProperty(setting, value);
    assumed.add(setting + " " + value);
  }

  /** The size of an axis of a tensor, or of another tensor where the first one is missing. */
  private int size(String name, int axes, int axis, String other, int otherAxes, int otherAxis) {
    long[] shape = Architecture.shape(shapes, name, axes);
    long[] instead = Architecture.shape(shapes, other, otherAxes);
    if (shape.length == 0 && instead.length == 0) {
      throw new WeightsException(source, name, "is missing or has another number of axes");
    }
    long size = shape.length == 0 ? instead[otherAxis] : shape[axis];
    if (size > Integer.MAX_VALUE) {
      throw new WeightsException(source, name, "has an axis of " + size);
    }
    return (int) size;
  }
}
