package io.bitloom.engine.tokenizer;

import io.bitloom.engine.nn.Nn;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.Weights;
import org.bytedeco.pytorch.Tensor;

/** x + attention of every cell to all cells of the normalised x, with one head. */
final class AttentionBlock implements Layer {
  private final int channels;
  private final Normalization norm;
  private final Convolution qkv;
  private final Convolution projOut;

  AttentionBlock(Weights weights, int channels) {
    this.channels = channels;
    norm = new Normalization(weights, channels);
    qkv = Convolution.of1x1(weights.at("qkv."), channels, 3 * channels);
    projOut = Convolution.of1x1(weights.at("proj_out."), channels, channels);
  }

  @Override
  public Tensor forward(Tensor x) {
    long[] shape = x.shape(); // (B, C, H, W)
    Tensor cells = qkv.forward(norm.forward(x)).flatten(2, 3); // (B, 3C, H·W)
    Tensor q = cells.narrow(1, 0, channels).transpose(1, 2); // (B, H·W, C)
    Tensor k = cells.narrow(1, channels, channels); // (B, C, H·W)
    Tensor v = cells.narrow(1, 2L * channels, channels); // (B, C, H·W)
    Tensor seen = Nn.softmax(Tensors.times(q.matmul(k), 1 / Math.sqrt(channels)), 2);
    Tensor read = v.matmul(seen.transpose(1, 2)).reshape(shape); // (B, C, H, W)
    return x.add(projOut.forward(read));
  }
}
