package io.bitloom.engine.tokenizer;

import io.bitloom.engine.nn.Nn;
import io.bitloom.engine.tensor.Resize;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.Weights;
import java.util.function.BiConsumer;
import org.bytedeco.pytorch.GradMode;
import org.bytedeco.pytorch.Tensor;

/** Summed codes (B, d, H, W) to an image (B, 3, H·p, W·p), roughly in [-1, 1], for patch size p. */
final class Decoder {
  private final Sequential layers = new Sequential();
  private final boolean learns;

  Decoder(TokenizerConfig config, Weights weights) {
    learns = weights.get("conv_in.conv.weight").requires_grad();
    int channels = config.channels(config.levels() - 1);
    layers.add(
        "conv_in", Convolution.of3x3(weights.at("conv_in."), config.codebookDim(), channels));
    layers.add("mid.block_1", new ResidualBlock(weights.at("mid.block_1."), channels, channels));
    if (config.vectorQuantized()) {
      layers.add("mid.attn_1", new AttentionBlock(weights.at("mid.attn_1."), channels));
    }
    layers.add("mid.block_2", new ResidualBlock(weights.at("mid.block_2."), channels, channels));
    for (int level = config.levels() - 1; level >= 0; level--) {
      for (int block = 0; block <= config.numResBlocks(); block++) {
        String name = "up." + level + ".block." + block;
        layers.add(
            name, new ResidualBlock(weights.at(name + "."), channels, config.channels(level)));
        channels = config.channels(level);
        if (config.attentionAt(level)) {
          String attention = "up." + level + ".attn." + block;
          layers.add(attention, new AttentionBlock(weights.at(attention + "."), channels));
        }
      }
      if (level >= 1 && level <= config.halvings()) {
        String name = "up." + level + ".upsample";
        layers.add(name, Convolution.doubling(weights.at(name + ".conv."), channels));
      }
    }
    layers.add("norm_out", new Normalization(weights.at("norm_out."), channels));
    layers.add("silu", Nn::silu);
    layers.add(
        "conv_out", Convolution.of3x3(weights.at("conv_out."), channels, config.pictureChannels()));
    if (config.pixelShuffle() > 1) {
      layers.add("pixel_shuffle", x -> Resize.pixelShuffle(x, config.pixelShuffle()));
    }
  }

  Sequential layers() {
    return layers;
  }

  /**
   * The image before clamping. Maps have their channels last, which is quicker; the reference
   * decodes generated codes in this layout too, and libtorch's group norm rounds differently in
   * each. Not in training: the way back through that group norm takes many times longer.
   *
   * @param observer shown the output of every layer
   */
  Tensor forward(Tensor zBdHW, BiConsumer<String, Tensor> observer) {
    boolean training = learns && GradMode.is_enabled();
    Tensor z = training ? zBdHW : Tensors.channelsLast(zBdHW);
    return layers.forward(z, observer); // (B, 3, H·p, W·p)
  }
}
