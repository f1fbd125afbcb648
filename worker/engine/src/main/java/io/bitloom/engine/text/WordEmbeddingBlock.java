package io.bitloom.engine.text;

import io.bitloom.engine.nn.Linear;
import io.bitloom.engine.nn.Nn;
import io.bitloom.engine.nn.Parameters;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Tensors;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/** A transformer block that looks both ways: RMS norm before attention and before the MLP. */
final class WordEmbeddingBlock {
  private final int width;
  private final PackedAttention attention;
  private final Tensor attentionNorm; // (C)
  private final Linear qkv;
  private final Linear proj;
  private final Tensor mlpNorm; // (C)
  private final Linear fc1;
  private final Linear fc2;

  WordEmbeddingBlock(WordEmbeddingConfig config, Parameters parameters) {
    width = config.width();
    attention =
        new PackedAttention(config.numHeads(), config.headSize(), 1 / Math.sqrt(config.headSize()));
    attentionNorm = parameters.get("attn_norm.weight", width);
    qkv = parameters.linearWithoutBias("attn.qkv", width, 3 * width);
    proj = parameters.linearWithoutBias("attn.proj", width, width);
    mlpNorm = parameters.get("mlp_norm.weight", width);
    fc1 = parameters.linearWithoutBias("mlp.fc1", width, config.hidden());
    fc2 = parameters.linearWithoutBias("mlp.fc2", config.hidden(), width);
  }

  /**
   * x (N, C) of texts of these lengths to (N, C).
   *
   * @param biases of relative positions, by length; empty for none
   */
  Tensor forward(Tensor xNC, List<Integer> lengths, Map<Integer, Tensor> biases) {
    Tensor all = qkv.apply(Nn.rmsNorm(xNC, attentionNorm, WordEmbeddingConfig.NORM_EPS));
    Tensor attended = attention.attend(part(all, 0), part(all, 1), part(all, 2), lengths, biases);
    Tensor x = xNC.add(proj.apply(attended));
    Tensor hidden = fc1.apply(Nn.rmsNorm(x, mlpNorm, WordEmbeddingConfig.NORM_EPS)); // (N, 4C)
    return x.add(fc2.apply(Nn.geluTanh(hidden, lengths)));
  }

  private Tensor part(Tensor qkvN3C, int index) {
    Tensor part = qkvN3C.narrow(1, (long) index * width, width);
    return Tensors.to(part, DType.F32).contiguous(); // (N, C)
  }
}
