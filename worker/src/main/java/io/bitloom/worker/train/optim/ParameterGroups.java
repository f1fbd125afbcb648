package io.bitloom.worker.train.optim;

import java.util.List;
import org.bytedeco.pytorch.Tensor;

/** Which parameters weight decay is for: the rule of the official trainer. */
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

  private ParameterGroups() {}

  /** Vectors, biases, embeddings, gates and temperatures are spared; matrices decay. */
  public static boolean decays(String name, Tensor parameter) {
    return parameter.dim() > 1
        && !name.endsWith("bias")
        && SPARED.stream().noneMatch(name::contains);
  }
}
