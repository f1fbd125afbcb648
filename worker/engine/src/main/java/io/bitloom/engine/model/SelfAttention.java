package io.bitloom.engine.model;

import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Linear;
import io.bitloom.engine.tensor.Parameters;
import io.bitloom.engine.tensor.Tensors;
import java.util.function.Supplier;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * Multi-head self-attention with rotary positions. With cosine attention q and k are unit vectors
 * and a learned factor per head, at most 100, takes the place of 1/√c.
 */
final class SelfAttention {
  private static final double MAX_SCALE_MUL = Math.log(100);
  private static final double NORMALIZE_EPS = 1e-12;

  private final int heads;
  private final int headDim;
  private final Linear matQkv;
  private final Supplier<Tensor> qkvBias; // (3C): that of k is zero
  private final Supplier<Tensor> scaleMul; // (1, 1, H, 1), or null without cosine attention
  private final Linear proj;
  private final Attention attention;

  SelfAttention(InfinityConfig config, Parameters parameters) {
    int width = config.embedDim();
    heads = config.numHeads();
    headDim = config.headDim();
    matQkv = parameters.linearWithoutBias("mat_qkv", width, 3 * width);
    Tensor qBias = parameters.get("q_bias", width);
    Tensor vBias = parameters.get("v_bias", width);
    qkvBias =
        parameters.derived(
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
    attention =
        new Attention(scaleMul == null ? 1 / Math.sqrt(headDim) / config.attentionTau() : 1);
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
    Tensor q = Tensors.to(qkv.select(2, 0), DType.F32); // (R, L, H, c)
    Tensor k = Tensors.to(qkv.select(2, 1), DType.F32); // (R, L, H, c)
    Tensor v = qkv.select(2, 2); // (R, L, H, c)
    if (scaleMul != null) {
      q = unit(q).mul(scaleMul.get());
      k = unit(k);
    }
    if (rope != null) {
      q = Rope2d.rotate(q, rope);
      k = Rope2d.rotate(k, rope);
    }
    if (cache != null) {
      KvCache.KeysValues all = cache.append(k, v); // (R, tokens so far, H, c)
      k = all.keysRLHc();
      v = all.valuesRLHc();
    }
    return proj.apply(attention.attend(q, k, v, mask));
  }

  /** Vectors of length 1 along the last axis. */
  private static Tensor unit(Tensor x) {
    Tensor length = x.norm(new ScalarOptional(new Scalar(2.0)), new long[] {-1}, true);
    return x.div(length.clamp_min(new Scalar(NORMALIZE_EPS)));
  }
}
