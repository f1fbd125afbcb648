package io.bitloom.engine.codes;

import io.bitloom.common.schedule.Scale;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/** The codes ±1/√d of Infinity's bits. */
public final class BitCodes implements ResidualCodes {
  private final int d;
  private final ResidualQuantizer quantizer;
  private final TokenLayout layout;

  /**
   * The codes of a tokenizer.
   *
   * @param d bits of a cell
   * @param spatialPatchify whether the transformer sees 2×2 cells as one token of 4d bits
   */
  public BitCodes(int d, boolean spatialPatchify) {
    this.d = d;
    quantizer = ResidualQuantizer.ofBits(d);
    layout = new TokenLayout(spatialPatchify);
  }

  @Override
  public Tensor none(int images, Scale last, TorchDevice device) {
    Scale full = layout.cells(last);
    return Tensors.zeros(DType.F32, device, images, d, full.height(), full.width());
  }

  @Override
  public Tensor upsampled(Tensor bitsBLD, int k, List<Scale> scales) {
    Tensor bitsBhwd = layout.map(bitsBLD, scales.get(k)).permute(0, 2, 3, 1); // (B, h, w, d)
    return quantizer.upsampled(bitsBhwd, k, layout.cells(scales.get(scales.size() - 1)));
  }

  @Override
  public Tensor nextInput(Tensor summedBdHW, Scale next) {
    return layout.nextInput(summedBdHW, layout.cells(next));
  }

  @Override
  public void close() {
    // holds nothing
  }
}
