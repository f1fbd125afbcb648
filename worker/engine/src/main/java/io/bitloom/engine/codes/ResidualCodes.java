package io.bitloom.engine.codes;

import io.bitloom.common.schedule.Scale;
import io.bitloom.engine.tensor.TorchDevice;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/**
 * The way back from what a transformer draws for the tokens of a scale, R_k, to the sum of codes
 * F_k, and on to what it sees at the next scale, F̃_k. Scales are counted in tokens.
 */
public sealed interface ResidualCodes extends AutoCloseable permits BitCodes, CodebookCodes {
  /** F_0: zeros at full size (B, d, H, W). */
  Tensor none(int images, Scale last, TorchDevice device);

  /**
   * What scale k adds to the sum: F_k = F_{k−1} + up(R_k).
   *
   * @param drawnBLn R_k as drawn, (B, h·w, D) bits or (B, h·w, 1) entries of a codebook
   * @return its codes at full size (B, d, H, W)
   */
  Tensor upsampled(Tensor drawnBLn, int k, List<Scale> scales);

  /** F̃_k: what the transformer sees of F_k (B, d, H, W) at the next scale, (B, h·w, D). */
  Tensor nextInput(Tensor summedBdHW, Scale next);

  @Override
  void close();
}
