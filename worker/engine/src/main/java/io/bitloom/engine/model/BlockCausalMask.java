package io.bitloom.engine.model;

import io.bitloom.common.schedule.Scale;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import java.util.List;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/** The mask of teacher-forced training: a token sees all tokens of its own and earlier scales. */
final class BlockCausalMask {
  private BlockCausalMask() {}

  /** 0 where token l sees token t, −∞ elsewhere (1, 1, L, T). */
  static Tensor of(List<Scale> scales, TorchDevice device) {
    int tokens = scales.stream().mapToInt(Scale::tokens).sum();
    long[] levels = new long[tokens];
    int token = 0;
    for (int k = 0; k < scales.size(); k++) {
      for (int i = 0; i < scales.get(k).tokens(); i++) {
        levels[token++] = k;
      }
    }
    Tensor level = Tensors.of(levels, device, 1, 1, tokens, 1);
    Tensor unseen = level.lt(level.transpose(2, 3)); // (1, 1, L, T)
    return Tensors.zeros(DType.F32, device, 1, 1, tokens, tokens)
        .masked_fill(unseen, new Scalar(Double.NEGATIVE_INFINITY));
  }
}
