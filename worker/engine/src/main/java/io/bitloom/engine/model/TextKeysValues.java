package io.bitloom.engine.model;

import io.bitloom.engine.nn.Nn;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/** Keys and values of the R texts of a batch, on which image tokens attend. */
sealed interface TextKeysValues {
  /** Every row's queries (R, L, H, c) attend to its own text, scores times scale; (R, L, H·c). */
  Tensor attend(Tensor qRLHc, double scale);

  /** Only some texts. */
  TextKeysValues rows(int from, int count);

  /** Takes keys and values out of a scope. */
  TextKeysValues keptBy(Scope scope);

  /**
   * The keys and values of texts that lie one after the other.
   *
   * @param kv (1, sum of lengths, 2, H, c)
   */
  static TextKeysValues of(Tensor kv, Texts texts) {
    return texts.padding() == null
        ? EachText.of(kv, texts.lengths())
        : Padded.of(kv, texts.count(), texts.padding());
  }

  /** Each text as it is, (1, length, H, c), in a call of its own. */
  record EachText(List<Tensor> keys, List<Tensor> values) implements TextKeysValues {
    private static EachText of(Tensor kv, List<Integer> lengths) {
      List<Tensor> keys = new ArrayList<>();
      List<Tensor> values = new ArrayList<>();
      long start = 0;
      for (int length : lengths) {
        Tensor text = kv.narrow(1, start, length); // (1, length, 2, H, c)
        keys.add(text.select(2, 0));
        values.add(text.select(2, 1));
        start += length;
      }
      return new EachText(keys, values);
    }

    @Override
    public Tensor attend(Tensor qRLHc, double scale) {
      TensorVector rows = new TensorVector();
      for (int i = 0; i < keys.size(); i++) {
        Tensor q = qRLHc.narrow(0, i, 1); // (1, L, H, c)
        rows.push_back(Nn.attention(q, keys.get(i), values.get(i), null, scale));
      }
      return torch.cat(rows, 0);
    }

    @Override
    public TextKeysValues keptBy(Scope scope) {
      return new EachText(
          keys.stream().map(scope::keep).toList(), values.stream().map(scope::keep).toList());
    }

    @Override
    public TextKeysValues rows(int from, int count) {
      return new EachText(keys.subList(from, from + count), values.subList(from, from + count));
    }
  }

  /**
   * All texts in one call.
   *
   * @param kvRT2Hc keys and values, behind the end of a text those of some row of it
   * @param maskR11T see {@link Texts.Padding}
   */
  record Padded(Tensor kvRT2Hc, Tensor maskR11T) implements TextKeysValues {

    private static Padded of(Tensor kv, int count, Texts.Padding padding) {
      Tensor rows = kv.squeeze(0); // (sum of lengths, 2, H, c)
      Tensor padded = padding.places() == null ? rows : Tensors.rows(rows, padding.places());
      return new Padded(padded.view(count, -1, 2, kv.size(3), kv.size(4)), padding.maskR11T());
    }

    @Override
    public Tensor attend(Tensor qRLHc, double scale) {
      return Nn.attention(qRLHc, kvRT2Hc.select(2, 0), kvRT2Hc.select(2, 1), maskR11T, scale);
    }

    @Override
    public TextKeysValues keptBy(Scope scope) {
      return new Padded(scope.keep(kvRT2Hc), maskR11T);
    }

    @Override
    public TextKeysValues rows(int from, int count) {
      return new Padded(
          kvRT2Hc.narrow(0, from, count),
          maskR11T == null ? null : maskR11T.narrow(0, from, count));
    }
  }
}
