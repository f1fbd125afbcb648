package io.bitloom.worker.model;

import io.bitloom.common.schedule.Scale;
import io.bitloom.worker.tensor.DType;
import io.bitloom.worker.tensor.Resize;
import io.bitloom.worker.tensor.Tensors;
import io.bitloom.worker.tensor.TorchDevice;
import java.util.List;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/**
 * The way between the bits of tokens and the tokenizer's features. With spatial patchify a token
 * stands for 2×2 cells: channel c·4 + dy·2 + dx of the token is channel c of cell (dy, dx).
 */
final class BitCodes implements Codes {
  private static final int PATCH = 2;

  private final int channels;
  private final boolean patchify;
  private final double magnitude;

  BitCodes(InfinityConfig config) {
    channels = config.tokenizerChannels();
    patchify = config.spatialPatchify();
    magnitude = 1 / Math.sqrt(channels);
  }

  @Override
  public Tensor none(int images, Scale last, TorchDevice device) {
    Scale cells = cells(last);
    return Tensors.zeros(DType.F32, device, images, channels, cells.height(), cells.width());
  }

  @Override
  public Tensor features(Tensor bitsBLd, int k, List<Scale> scales) {
    Scale cells = cells(scales.get(scales.size() - 1));
    return Resize.trilinear(codes(bitsBLd, scales.get(k)), cells.height(), cells.width());
  }

  /** The size of a scale's feature map. */
  private Scale cells(Scale scale) {
    return patchify ? scale.doubled() : scale;
  }

  /** Codes ±1/√channels (B, channels, h, w) of the bits (B, tokens, d) of a scale. */
  private Tensor codes(Tensor bitsBLd, Scale scale) {
    Tensor signs = Tensors.to(bitsBLd, DType.F32).mul(new Scalar(2 * magnitude));
    Tensor codes = signs.sub(new Scalar(magnitude)); // (B, tokens, d)
    long[] map = {codes.size(0), codes.size(2), scale.height(), scale.width()};
    Tensor codesBdhw = codes.transpose(1, 2).reshape(map);
    return patchify ? Resize.pixelShuffle(codesBdhw, PATCH) : codesBdhw;
  }

  @Override
  public Tensor tokens(Tensor summedBdHW, Scale scale) {
    Scale cells = cells(scale);
    Tensor resized = Resize.trilinear(summedBdHW, cells.height(), cells.width());
    Tensor tokens = patchify ? Resize.pixelUnshuffle(resized, PATCH) : resized; // (B, d, h, w)
    return tokens.flatten(2, 3).transpose(1, 2);
  }

  @Override
  public DType drawnType() {
    return DType.U8;
  }

  @Override
  public void close() {
    // holds nothing
  }
}
