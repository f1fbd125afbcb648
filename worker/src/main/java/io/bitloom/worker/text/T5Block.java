package io.bitloom.worker.text;

import io.bitloom.worker.tensor.DType;
import io.bitloom.worker.tensor.Linear;
import io.bitloom.worker.tensor.Nn;
import io.bitloom.worker.tensor.Parameters;
import io.bitloom.worker.tensor.PerImage;
import io.bitloom.worker.tensor.Scope;
import io.bitloom.worker.tensor.Tensors;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;

/** A block of the T5 encoder: self-attention with a bias per relative position, then gated GELU. */
final class T5Block {
  private static final DoubleOptional UNSCALED = Scope.own(new DoubleOptional(1.0));

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
      Tensor gate = PerImage.geluTanh(wi0.apply(normed), lengths); // (N, F)
      return scope.keep(x.add(wo.apply(gate.mul(wi1.apply(normed)))));
    }
  }

  /** Every prompt attends to itself; the scores are not scaled. Returns (N, heads · c). */
  private Tensor attention(Tensor xNC, List<Integer> lengths, Map<Integer, Tensor> biases) {
    Tensor queries = Tensors.to(q.apply(xNC), DType.F32);
    Tensor keys = Tensors.to(k.apply(xNC), DType.F32);
    Tensor values = Tensors.to(v.apply(xNC), DType.F32);
    List<Tensor> attended = new ArrayList<>();
    long start = 0;
    for (int length : lengths) {
      Tensor prompt =
          torch.scaled_dot_product_attention(
              heads(queries, start, length),
              heads(keys, start, length),
              heads(values, start, length),
              new TensorOptional(biases.get(length)),
              0.0,
              false,
              UNSCALED,
              false); // (1, heads, L, c)
      attended.add(prompt.transpose(1, 2).flatten(2, 3).squeeze(0)); // (L, heads · c)
      start += length;
    }
    return Tensors.concat(attended, 0);
  }

  /** A prompt's rows as (1, heads, L, c). */
  private Tensor heads(Tensor rows, long start, int length) {
    return rows.narrow(0, start, length)
        .view(1, length, config.numHeads(), config.dKv())
        .transpose(1, 2);
  }
}
