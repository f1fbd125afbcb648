package io.bitloom.engine.model;

import io.bitloom.engine.nn.Linear;
import io.bitloom.engine.nn.Nn;
import io.bitloom.engine.nn.Parameters;
import io.bitloom.engine.tensor.Kernels;
import java.util.function.Supplier;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * Multi-head self-attention with rotary positions. With cosine attention q and k are unit vectors
 * and a learned factor per head, at most 100, takes the place of 1/√c.
 */
final class SelfAttention {
  private static final double MAX_SCALE_MUL = Math.log(100);

  private final int heads;
  private final int headDim;
  private final Linear matQkv;
  private final Supplier<Tensor> qkvBias; // (3C): that of k is zero
  private final Supplier<Tensor> scaleMul; // (1, 1, H, 1), or null without cosine attention
  private final Linear proj;
  private final double scale; // of the scores

  SelfAttention(InfinityConfig config, Parameters parameters) {
    int width = config.embedDim();
    heads = config.numHeads();
    headDim = config.headDim();
    matQkv = parameters.linearWithoutBias("mat_qkv", width, 3 * width);
    Tensor qBias = parameters.get("q_bias", width);
    Tensor vBias = parameters.get("v_bias", width);
    qkvBias =
        parameters.derivedForLinear(
            () -> torch.cat(new TensorVector(qBias, torch.zeros_like(vBias), vBias)));
    if (config.cosAttention()) {
      Tensor logScale = parameters.get("scale_mul_1H11", 1, heads, 1, 1);
      scaleMul =
          parameters.derived(
              () -> logScale.clamp_max(new Scalar(MAX_SCALE_MUL)).exp().view(1, 1, heads, 1));
    } else {
      scaleMul = null;
    }
    proj = parameters.linear("proj", width, width);
    scale = scaleMul == null ? 1 / Math.sqrt(headDim) / config.attentionTau() : 1;
  }

  /**
   * @param xRLC tokens
   * @param rope angles of these tokens, or null where places are embedded
   * @param cache keys and values of earlier scales, or null if there are none
   * @param mask which tokens see which (1, 1, L, L), or null if all see all
   * @return (R, L, C)
   */
  Tensor forward(Tensor xRLC, Tensor rope, KvCache.Layer cache, Tensor mask) {
    long rows = xRLC.size(0);
    long tokens = xRLC.size(1);
    Tensor qkv = matQkv.apply(xRLC, qkvBias.get()).view(rows, tokens, 3, heads, headDim);
    Tensor factor = scaleMul == null ? null : scaleMul.get();
    Kernels.Slot slot = cache == null ? null : cache.slot(tokens);
    Kernels.Heads heads = Nn.rotateAndStore(qkv, factor, rope, slot); // T tokens so far
    return proj.apply(
        Nn.attention(heads.queries(), heads.keys(), heads.values(), mask, scale)); // (R, L, C)
  }
}
