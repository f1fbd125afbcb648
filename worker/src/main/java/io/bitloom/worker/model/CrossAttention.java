package io.bitloom.worker.model;

import io.bitloom.worker.tensor.Linear;
import io.bitloom.worker.tensor.Parameters;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * Multi-head attention of image tokens on the text. Every row attends to its own prompt alone, so
 * prompts of different lengths need no padding.
 */
final class CrossAttention {
  private final int heads;
  private final int headDim;
  private final Linear matQ;
  private final TextKeys textKeys;
  private final Linear proj;
  private final Attention attention;

  CrossAttention(InfinityConfig config, Parameters parameters) {
    int width = config.embedDim();
    heads = config.numHeads();
    headDim = config.headDim();
    matQ = parameters.linear("mat_q", width, width);
    textKeys = new TextKeys(parameters, width, width, heads);
    proj = parameters.linear("proj", width, width);
    attention = new Attention(1 / Math.sqrt(headDim));
  }

  /** The text's keys and values, which are the same for all scales. */
  KeysValues keysValues(TextCondition text) {
    return textKeys.of(text.rowsNC(), text.lengths());
  }

  /** xRLC (R, L, C) to (R, L, C). */
  Tensor forward(Tensor xRLC, KeysValues text) {
    Tensor q = matQ.apply(xRLC).view(xRLC.size(0), xRLC.size(1), heads, headDim); // (R, L, H, c)
    TensorVector rows = new TensorVector();
    for (int i = 0; i < q.size(0); i++) {
      rows.push_back(
          attention.attend(q.narrow(0, i, 1), text.keys().get(i), text.values().get(i), null));
    }
    return proj.apply(torch.cat(rows, 0));
  }

  /** Keys and values of each prompt (1, length, H, c). */
  record KeysValues(List<Tensor> keys, List<Tensor> values) {
    /** Only some prompts. */
    KeysValues rows(int from, int count) {
      return new KeysValues(keys.subList(from, from + count), values.subList(from, from + count));
    }
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
          parameters.derived(() -> torch.cat(new TensorVector(torch.zeros_like(vBias), vBias)));
    }

    KeysValues of(Tensor rowsNC, List<Integer> lengths) {
      Tensor kv = matKv.apply(rowsNC, bias.get()).view(1, rowsNC.size(0), 2, heads, -1);
      List<Tensor> keys = new ArrayList<>();
      List<Tensor> values = new ArrayList<>();
      long start = 0;
      for (int length : lengths) {
        Tensor prompt = kv.narrow(1, start, length); // (1, length, 2, H, c)
        keys.add(prompt.select(2, 0));
        values.add(prompt.select(2, 1));
        start += length;
      }
      return new KeysValues(keys, values);
    }
  }
}
