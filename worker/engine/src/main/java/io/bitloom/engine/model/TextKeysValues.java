package io.bitloom.engine.model;

import io.bitloom.engine.nn.Nn;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/** Keys and values of the R texts of a batch, on which image tokens attend. */
sealed interface TextKeysValues {
  /** Every row's queries (R, L, H, c) attend to its own text, scores times scale; (R, L, H·c). */
  Tensor attend(Tensor qRLHc, double scale);

  /** Only some texts. */
  TextKeysValues rows(int from, int count);

  /**
   * The keys and values of texts that lie one after the other. Where rows are left behind the last
   * one, texts that are padded get the room that all rows are on average.
   *
   * @param kv (1, sum of lengths or more, 2, H, c)
   * @param lengths of the R texts
   */
  static TextKeysValues of(Tensor kv, List<Integer> lengths) {
    EachText each = each(kv, lengths);
    return Nn.padsSequences(kv) ? each.padded() : each;
  }

  /** {@link #of}, each text in a call of its own. */
  static EachText each(Tensor kv, List<Integer> lengths) {
    List<Tensor> keys = new ArrayList<>();
    List<Tensor> values = new ArrayList<>();
    long start = 0;
    for (int length : lengths) {
      Tensor text = kv.narrow(1, start, length); // (1, length, 2, H, c)
      keys.add(text.select(2, 0));
      values.add(text.select(2, 1));
      start += length;
    }
    return new EachText(keys, values, kv.size(1) / lengths.size());
  }

  /**
   * Each text as it is, (1, length, H, c).
   *
   * @param room length that texts are padded to at least
   */
  record EachText(List<Tensor> keys, List<Tensor> values, long room) implements TextKeysValues {
    /** The same texts in one call. */
    Padded padded() {
      return Padded.of(keys, values, room);
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
    public TextKeysValues rows(int from, int count) {
      return new EachText(
          keys.subList(from, from + count), values.subList(from, from + count), room);
    }
  }

  /**
   * All texts with zeros behind the shorter ones (R, T, H, c), and a mask (R, 1, 1, T) that is 0 in
   * a text and −∞ behind it.
   */
  record Padded(Tensor keysRTHc, Tensor valuesRTHc, Tensor maskR11T) implements TextKeysValues {

    static Padded of(List<Tensor> keys, List<Tensor> values, long room) {
      long longest =
          Math.max(room, keys.stream().mapToLong(text -> text.size(1)).max().orElseThrow());
      TensorVector masks = new TensorVector();
      for (Tensor text : keys) {
        Tensor seen = torch.zeros_like(text.select(3, 0).select(2, 0)).view(1, 1, 1, text.size(1));
        masks.push_back(padded(seen, 0, longest, Double.NEGATIVE_INFINITY));
      }
      return new Padded(joined(keys, longest), joined(values, longest), torch.cat(masks, 0));
    }

    private static Tensor joined(List<Tensor> texts, long longest) {
      TensorVector rows = new TensorVector();
      texts.forEach(text -> rows.push_back(padded(text, 2, longest, 0)));
      return torch.cat(rows, 0); // (R, T, H, c)
    }

    /** Fills up the axis that has {@code behind} axes behind it. */
    private static Tensor padded(Tensor text, int behind, long length, double value) {
      long[] amounts = new long[2 * behind + 2];
      amounts[2 * behind + 1] = length - text.size(text.dim() - 1 - behind);
      return torch.constant_pad_nd(text, amounts, new Scalar(value));
    }

    @Override
    public Tensor attend(Tensor qRLHc, double scale) {
      return Nn.attention(qRLHc, keysRTHc, valuesRTHc, maskR11T, scale);
    }

    @Override
    public TextKeysValues rows(int from, int count) {
      return new Padded(
          keysRTHc.narrow(0, from, count),
          valuesRTHc.narrow(0, from, count),
          maskR11T.narrow(0, from, count));
    }
  }
}
