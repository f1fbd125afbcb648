package io.bitloom.engine.model;

import io.bitloom.engine.nn.Nn;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.PackedRows;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/**
 * How the R texts of a batch lie one after the other in a tensor.
 *
 * @param lengths number of rows of each text
 * @param padding what makes one tensor of them where the device likes that; null where each text is
 *     read by itself
 */
record Texts(List<Integer> lengths, Padding padding) {
  /** Fused attention takes a mask as it is if its rows begin at multiples of this many values. */
  private static final int MASK_ALIGNMENT = 8;

  /**
   * Texts brought to one length T.
   *
   * @param places which of all rows stands at each place (R·T), some row of the text behind its
   *     end; or null if all texts have this length
   * @param maskR11T 0 in a text and −∞ behind it, or null if all texts have this length
   */
  record Padding(Tensor places, Tensor maskR11T) {}

  /**
   * As a device likes them.
   *
   * @param dtype of the keys that are masked
   */
  static Texts of(PackedRows texts, TorchDevice device, DType dtype) {
    return Nn.padsSequences(device)
        ? padded(texts, device, dtype)
        : new Texts(texts.lengths(), null);
  }

  /**
   * {@link #of} where the device likes one length: that of the longest, or, with spare rows, the
   * average of all rows if that is more, and then always with places and mask.
   */
  static Texts padded(PackedRows texts, TorchDevice device, DType dtype) {
    int room = texts.spare() == 0 ? 0 : Math.toIntExact(texts.rows().size(0)) / texts.count();
    return new Texts(texts.lengths(), padding(texts.lengths(), room, device, dtype));
  }

  private static Padding padding(List<Integer> lengths, int room, TorchDevice device, DType dtype) {
    int longest = lengths.stream().mapToInt(Integer::intValue).max().orElseThrow();
    if (room == 0 && lengths.stream().allMatch(length -> length == longest)) {
      return new Padding(null, null);
    }
    int least = Math.max(longest, room);
    int padded = (least + MASK_ALIGNMENT - 1) / MASK_ALIGNMENT * MASK_ALIGNMENT;
    long[] places = new long[lengths.size() * padded];
    double[] mask = new double[places.length];
    int start = 0;
    for (int r = 0; r < lengths.size(); r++) {
      int length = lengths.get(r);
      for (int t = 0; t < padded; t++) {
        places[r * padded + t] = start + Math.min(t, length - 1);
      }
      Arrays.fill(mask, r * padded + length, (r + 1) * padded, Double.NEGATIVE_INFINITY);
      start += length;
    }
    return new Padding(
        Tensors.of(places, device, places.length),
        Tensors.of(mask, device, dtype, lengths.size(), 1, 1, padded));
  }

  /** Number of texts R. */
  int count() {
    return lengths.size();
  }
}
