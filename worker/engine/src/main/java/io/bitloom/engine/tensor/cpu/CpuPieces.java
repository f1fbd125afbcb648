package io.bitloom.engine.tensor.cpu;

import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * Elementwise functions of a whole map, in pieces that follow from its size alone. libtorch cuts a
 * tensor by the number of threads, and computes the end of each share with scalar code, whose last
 * bit can differ from the vector code's.
 */
final class CpuPieces {
  private static final long PIECE_VALUES = 1 << 17;

  private CpuPieces() {}

  /** Writes x·sigmoid(x) over x, whose values lie densely in memory, and returns it. */
  static Tensor silu(Tensor x) {
    Tensor values = inMemoryOrder(x);
    long count = values.size(0);
    int pieces = Math.toIntExact((count + PIECE_VALUES - 1) / PIECE_VALUES);
    CpuTeam.run(
        pieces,
        piece -> {
          long from = piece * PIECE_VALUES;
          torch.silu_(values.narrow(0, from, Math.min(PIECE_VALUES, count - from)));
        });
    return x;
  }

  private static Tensor inMemoryOrder(Tensor x) {
    return x.is_contiguous() ? x.view(-1) : x.permute(0, 2, 3, 1).view(-1);
  }
}
