package io.bitloom.engine.text;

import io.bitloom.engine.nn.Linear;
import io.bitloom.engine.nn.Nn;
import io.bitloom.engine.nn.Parameters;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/** A block of the T5 encoder: self-attention with a bias per relative position, then gated GELU. */
final class T5Block {
  private final T5Config config;
  private final PackedAttention attention;
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
    attention = new PackedAttention(config.numHeads(), config.dKv(), 1);
    Parameters self = parameters.at("layer.0.SelfAttention.");
    q = self.linearWithoutBias("q", width, inner);
    k = self.linearWithoutBias("k", width, inner);
    v = self.linearWithoutBias("v", width, inner);
    o = self.linearWithoutBias("o", inner, width);
    feedForwardNorm = parameters.get("layer.1.layer_norm.weight", width);
    Parameters dense = parameters.at("layer.1.DenseReluDense.");
    wi0 = dense.linearWithoutBias("wi_0", width, config.dFf());
    wi1 = dense.linearWithoutBias("wi_1", width, config.dFf());
    wo = dense.linearWithoutBias("wo", config.dFf(), width);
  }

  /**
   * @param xNC features of the prompts, one after the other
   * @param lengths rows of each prompt
   * @param biases added to the scores of a prompt of a length (1, heads, L, L)
   * @return (N, C)
   */
  Tensor forward(Tensor xNC, List<Integer> lengths, Map<Integer, Tensor> biases) {
    try (Scope scope = Scope.open()) {
      Tensor normed = Nn.rmsNorm(xNC, attentionNorm, config.normEps());
      Tensor x = xNC.add(o.apply(attention(normed, lengths, biases)));
      normed = Nn.rmsNorm(x, feedForwardNorm, config.normEps());
      Tensor gate = Nn.geluTanh(wi0.apply(normed), lengths); // (N, F)
      return scope.keep(x.add(wo.apply(gate.mul(wi1.apply(normed)))));
    }
  }

  /** Attention whose scores are not scaled. Returns (N, heads · c). */
  private Tensor attention(Tensor xNC, List<Integer> lengths, Map<Integer, Tensor> biases) {
    return attention.attend(
        Tensors.to(q.apply(xNC), DType.F32),
        Tensors.to(k.apply(xNC), DType.F32),
        Tensors.to(v.apply(xNC), DType.F32),
        lengths,
        biases);
  }
}
