package io.bitloom.engine.tensor;

import java.util.List;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/**
 * Which tokens see which in teacher-forced training: all of their own and of earlier scales. A
 * backend that needs them seen as a mask gets one that is made once; where none asks for it, none
 * takes memory.
 */
public final class BlockCausal implements AutoCloseable {
  private final List<Integer> ends;
  private Tensor mask; // null until somebody asks for it

  /**
   * The pattern of a sequence of scales.
   *
   * @param ends for each scale, how many tokens it and all earlier ones have
   * @throws IllegalArgumentException if these do not ascend from at least 1
   */
  public BlockCausal(List<Integer> ends) {
    int before = 0;
    for (int end : ends) {
      if (end <= before) {
        throw new IllegalArgumentException("the ends of scales have to ascend, got " + ends);
      }
      before = end;
    }
    if (ends.isEmpty()) {
      throw new IllegalArgumentException("there is no scale");
    }
    this.ends = List.copyOf(ends);
  }

  /** For each scale, how many tokens it and all earlier ones have; the last number is L. */
  public List<Integer> ends() {
    return ends;
  }

  /** L: the tokens of all scales. */
  public int tokens() {
    return ends.get(ends.size() - 1);
  }

  /**
   * 0 where token l sees token t, −∞ elsewhere (1, 1, L, T), float32. It lives until this is
   * closed.
   */
  public Tensor mask(TorchDevice device) {
    if (mask == null) {
      try (Scope scope = Scope.open()) {
        mask = Scope.own(newMask(device));
      }
    }
    return mask;
  }

  private Tensor newMask(TorchDevice device) {
    int tokens = tokens();
    long[] levels = new long[tokens];
    int level = 0;
    for (int token = 0; token < tokens; token++) {
      level += token == ends.get(level) ? 1 : 0;
      levels[token] = level;
    }
    Tensor ofToken = Tensors.of(levels, device, 1, 1, tokens, 1);
    Tensor unseen = ofToken.lt(ofToken.transpose(2, 3)); // (1, 1, L, T)
    return Tensors.zeros(DType.F32, device, 1, 1, tokens, tokens)
        .masked_fill(unseen, new Scalar(Double.NEGATIVE_INFINITY));
  }

  @Override
  public void close() {
    if (mask != null) {
      mask.close();
      mask = null;
    }
  }
}
