package io.bitloom.worker.text;

import io.bitloom.worker.tensor.DType;
import io.bitloom.worker.tensor.Linear;
import io.bitloom.worker.tensor.Nn;
import io.bitloom.worker.tensor.Parameters;
import io.bitloom.worker.tensor.PerImage;
import io.bitloom.worker.tensor.Scope;
import io.bitloom.worker.tensor.Tensors;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;

/** A block of the T5 encoder: self-attention with a bias per relative position, then gated GELU. */
final class T5Block {
  private final T5Config config;
  private final Tensor attentionNorm; // (C)
  private final Linear q;
  private final Linear k;
  private final Linear v;
  private final Linear o;
  private final Tensor feedForwardNorm; // (C)
  private final Linear wi0;
  private final Linear wi1;
  private final Linear wo;

  T5Block(T5Config config, Parameters parameters) {
    this.config = config;
    int width = config.dModel();
    int inner = config.numHeads() * config.dKv();
    attentionNorm = parameters.get("layer.0.layer_norm.weight", width);
    Parameters attention = parameters.at("layer.0.SelfAttention.");
    q = attention.linearWithoutBias("q", width, inner);
    k = attention.linearWithoutBias("k", width, inner);
    v = attention.linearWithoutBias("v", width, inner);
    o = attention.linearWithoutBias("o", inner, width);
    feedForwardNorm = parameters.get("layer.1.layer_norm.weight", width);
    Parameters dense = parameters.at("layer.1.DenseReluDense.");
    wi0 = dense.linearWithoutBias("wi_0", width, config.dFf());
    wi1 = dense.linearWithoutBias("wi_1", width, config.dFf());
    wo = dense.linearWithoutBias("wo", config.dFf(), width);
  }

  /**
   * @param xBLC features
   * @param bias added to the scores (B or 1, heads, L, L)
   * @return (B, L, C)
   */
  Tensor forward(Tensor xBLC, Tensor bias) {
    try (Scope scope = Scope.open()) {
      Tensor x = xBLC.add(attention(Nn.rmsNorm(xBLC, attentionNorm, config.normEps()), bias));
      Tensor normed = Nn.rmsNorm(x, feedForwardNorm, config.normEps());
      Tensor gated = PerImage.geluTanh(wi0.apply(normed)).mul(wi1.apply(normed)); // (B, L, F)
      return scope.keep(x.add(wo.apply(gated)));
    }
  }

  /** Attention whose scores are not scaled. */
  private Tensor attention(Tensor xBLC, Tensor bias) {
    Tensor attended =
        torch.scaled_dot_product_attention(
            heads(q.apply(xBLC)),
            heads(k.apply(xBLC)),
            heads(v.apply(xBLC)),
            new TensorOptional(bias),
            0.0,
            false,
            new DoubleOptional(1.0),
            false); // (B, heads, L, c)
    return o.apply(attended.transpose(1, 2).flatten(2, 3));
  }

  private Tensor heads(Tensor xBLC) {
    return Tensors.to(xBLC, DType.F32)
        .view(xBLC.size(0), xBLC.size(1), config.numHeads(), config.dKv())
        .transpose(1, 2); // (B, heads, L, c)
  }
}
