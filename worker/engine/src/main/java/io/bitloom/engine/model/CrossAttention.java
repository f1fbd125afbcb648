package io.bitloom.engine.model;

import io.bitloom.engine.nn.Linear;
import io.bitloom.engine.nn.Parameters;
import io.bitloom.engine.tensor.Scope;
import java.util.function.Supplier;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/** Multi-head attention of image tokens on the text: every row attends to its own prompt. */
final class CrossAttention {
  private final int heads;
  private final int headDim;
  private final Linear matQ;
  private final TextKeys textKeys;
  private final Linear proj;

  CrossAttention(InfinityConfig config, Parameters parameters) {
    int width = config.embedDim();
    heads = config.numHeads();
    headDim = config.headDim();
    matQ = parameters.linear("mat_q", width, width);
    textKeys = new TextKeys(parameters, width, width, heads);
    proj = parameters.linear("proj", width, width);
  }

  /** The text's keys and values, which are the same for all scales. */
  TextKeysValues keysValues(TextCondition text) {
    return textKeys.of(text.rowsNC(), text.texts());
  }

  /** xRLC (R, L, C) to (R, L, C). */
  Tensor forward(Tensor xRLC, TextKeysValues text) {
    Tensor q = matQ.apply(xRLC).view(xRLC.size(0), xRLC.size(1), heads, headDim); // (R, L, H, c)
    return proj.apply(text.attend(q, 1 / Math.sqrt(headDim)));
  }

  /** The projection of packed text rows to keys and values; the keys have no bias. */
  static final class TextKeys {
    private final int heads;
    private final Linear matKv;
    private final Supplier<Tensor> bias; // (2C)

    TextKeys(Parameters parameters, int channels, int width, int heads) {
      this.heads = heads;
      this.matKv = parameters.linearWithoutBias("mat_kv", channels, 2 * width);
      Tensor vBias = parameters.get("v_bias", width);
      this.bias =
          parameters.derivedForLinear(
              () -> torch.cat(new TensorVector(torch.zeros_like(vBias), vBias)));
    }

    TextKeysValues of(Tensor rowsNC, Texts texts) {
      try (Scope scope = Scope.open()) { // texts of different lengths are padded in a copy
        Tensor kv = matKv.apply(rowsNC, bias.get()).view(1, rowsNC.size(0), 2, heads, -1);
        return TextKeysValues.of(kv, texts).keptBy(scope);
      }
    }
  }
}
