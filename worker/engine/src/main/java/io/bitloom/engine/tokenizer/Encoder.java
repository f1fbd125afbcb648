package io.bitloom.engine.tokenizer;

import io.bitloom.engine.nn.Nn;
import io.bitloom.engine.tensor.Resize;
import io.bitloom.engine.tensor.Weights;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** Image (B, 3, H·p, W·p) in [-1, 1] to features (B, d, H, W) for patch size p. */
final class Encoder {
  private static final long[] RIGHT_AND_BOTTOM = {0, 1, 0, 1};

  private final Sequential layers = new Sequential();

  Encoder(TokenizerConfig config, Weights weights) {
    int channels = config.baseCh();
    if (config.pixelShuffle() > 1) {
      layers.add("pixel_unshuffle", x -> Resize.pixelUnshuffle(x, config.pixelShuffle()));
    }
    layers.add(
        "conv_in", Convolution.of3x3(weights.at("conv_in."), config.pictureChannels(), channels));
    for (int level = 0; level < config.levels(); level++) {
      for (int block = 0; block < config.numResBlocks(); block++) {
        String name = "down." + level + ".block." + block;
        layers.add(
            name, new ResidualBlock(weights.at(name + "."), channels, config.channels(level)));
        channels = config.channels(level);
        if (config.attentionAt(level)) {
          String attention = "down." + level + ".attn." + block;
          layers.add(attention, new AttentionBlock(weights.at(attention + "."), channels));
        }
      }
      if (level < config.halvings()) {
        String name = "down." + level + ".downsample";
        layers.add(name, downsample(weights.at(name + "."), channels));
      }
    }
    layers.add("mid.block_1", new ResidualBlock(weights.at("mid.block_1."), channels, channels));
    if (config.vectorQuantized()) {
      layers.add("mid.attn_1", new AttentionBlock(weights.at("mid.attn_1."), channels));
    }
    layers.add("mid.block_2", new ResidualBlock(weights.at("mid.block_2."), channels, channels));
    layers.add("norm_out", new Normalization(weights.at("norm_out."), channels));
    layers.add("silu", Nn::silu);
    layers.add(
        "conv_out", Convolution.of3x3(weights.at("conv_out."), channels, config.codebookDim()));
  }

  Sequential layers() {
    return layers;
  }

  /** Pads on the right and at the bottom only, then halves with stride 2. */
  private static Layer downsample(Weights weights, int channels) {
    Convolution conv = Convolution.halving(weights.at("conv."), channels);
    return x -> conv.forward(torch.constant_pad_nd(x, RIGHT_AND_BOTTOM)); // (B, C, H/2, W/2)
  }

  /** The features that the quantizer reads. */
  Tensor forward(Tensor xB3HW) {
    return layers.forward(xB3HW); // (B, d, H, W)
  }
}
