package io.bitloom.training.optim;

import java.util.List;
import java.util.regex.Pattern;
import org.bytedeco.pytorch.Tensor;

/** Which parameters an optimizer treats in which way, by their names. */
public final class ParameterGroups {
  private static final List<String> SPARED =
      List.of(
          "cls_token",
          "start_token",
          "task_token",
          "cfg_uncond",
          "pos_embed",
          "pos_1LC",
          "pos_start",
          "start_pos",
          "lvl_embed",
          "gamma",
          "beta",
          "ada_gss",
          "moe_bias",
          "scale_mul",
          "text_proj_for_sos.ca.mat_q");

  private static final Pattern HIDDEN = Pattern.compile("(^|\\.)(blocks|block_chunks)\\.");

  private ParameterGroups() {}

  /**
   * Vectors, biases, embeddings, gates and temperatures are spared from weight decay, matrices are
   * not: the rule of the official trainer.
   */
  public static boolean decays(String name, Tensor parameter) {
    return parameter.dim() > 1
        && !name.endsWith("bias")
        && SPARED.stream().noneMatch(name::contains);
  }

  /**
   * Whether a parameter is the matrix of a linear layer in a block of a transformer, or the kernel
   * (O, I, h, w) of a convolution: a matrix (O, I·h·w).
   */
  static boolean isHiddenMatrix(String name, Tensor parameter) {
    return parameter.dim() == 4
        || parameter.dim() == 2 && name.endsWith(".weight") && HIDDEN.matcher(name).find();
  }

  /** How many layers of equally many outputs a matrix is: queries, keys and values are three. */
  static long layers(String name) {
    if (name.endsWith("qkv.weight")) {
      return 3;
    }
    if (name.endsWith("kv.weight")) {
      return 2;
    }
    return name.endsWith("ada_lin.1.weight") ? 6 : 1;
  }
}
