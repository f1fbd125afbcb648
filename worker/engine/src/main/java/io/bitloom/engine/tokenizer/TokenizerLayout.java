package io.bitloom.engine.tokenizer;

import io.bitloom.engine.tensor.Layouts;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Names and shapes of all parameters of a tokenizer, under the official names. */
public final class TokenizerLayout {
  /** Convolutions after the codebook that the scales of a released VAR share. */
  private static final int SHARED_PHIS = 4;

  private final TokenizerConfig config;
  private final Map<String, long[]> shapes = new LinkedHashMap<>();

  private TokenizerLayout(TokenizerConfig config) {
    this.config = config;
    encoder();
    decoder();
    if (config.vectorQuantized()) {
      codebook();
    }
  }

  /** Name to shape of every parameter; buffers are left out. */
  public static Map<String, long[]> of(TokenizerConfig config) {
    return Collections.unmodifiableMap(new TokenizerLayout(config).shapes);
  }

  /**
   * Compares the shapes of a checkpoint's tensors, under their official names, with the
   * architecture.
   *
   * @return a line for every tensor that is missing, of another shape or not part of it
   */
  public static List<String> faults(TokenizerConfig config, Map<String, long[]> shapes) {
    return Layouts.faults(of(config), shapes, VisualTokenizer.UNUSED);
  }

  private void encoder() {
    int channels = config.channels(0);
    convolution("encoder.conv_in", config.pictureChannels(), channels, 3);
    for (int level = 0; level < config.levels(); level++) {
      String name = "encoder.down." + level;
      for (int block = 0; block < config.numResBlocks(); block++) {
        residualBlock(name + ".block." + block, channels, config.channels(level));
        channels = config.channels(level);
        if (config.attentionAt(level)) {
          attention(name + ".attn." + block, channels);
        }
      }
      if (level < config.halvings()) {
        convolution(name + ".downsample.conv", channels, channels, 3);
      }
    }
    middle("encoder.mid", channels);
    norm("encoder.norm_out", channels);
    convolution("encoder.conv_out", channels, config.codebookDim(), 3);
  }

  private void decoder() {
    int channels = config.channels(config.levels() - 1);
    convolution("decoder.conv_in", config.codebookDim(), channels, 3);
    middle("decoder.mid", channels);
    for (int level = config.levels() - 1; level >= 0; level--) {
      String name = "decoder.up." + level;
      for (int block = 0; block <= config.numResBlocks(); block++) {
        residualBlock(name + ".block." + block, channels, config.channels(level));
        channels = config.channels(level);
        if (config.attentionAt(level)) {
          attention(name + ".attn." + block, channels);
        }
      }
      if (level >= 1 && level <= config.halvings()) {
        convolution(name + ".upsample.conv", channels, channels, 3);
      }
    }
    norm("decoder.norm_out", channels);
    convolution("decoder.conv_out", channels, config.pictureChannels(), 3);
  }

  private void codebook() {
    int channels = config.codebookDim();
    shapes.put("quantize.embedding.weight", new long[] {config.vocabSize(), channels});
    for (int i = 0; i < SHARED_PHIS; i++) {
      convolution("quantize.quant_resi.qresi_ls." + i, channels, channels, 3);
    }
    convolution("quant_conv", channels, channels, 3);
    convolution("post_quant_conv", channels, channels, 3);
  }

  private void attention(String name, int channels) {
    norm(name, channels);
    convolution(name + ".qkv", channels, 3 * channels, 1);
    convolution(name + ".proj_out", channels, channels, 1);
  }

  private void middle(String name, int channels) {
    residualBlock(name + ".block_1", channels, channels);
    if (config.vectorQuantized()) {
      attention(name + ".attn_1", channels);
    }
    residualBlock(name + ".block_2", channels, channels);
  }

  private void residualBlock(String name, int in, int out) {
    norm(name + ".norm1", in);
    convolution(name + ".conv1", in, out, 3);
    norm(name + ".norm2", out);
    convolution(name + ".conv2", out, out, 3);
    if (in != out) {
      convolution(name + ".nin_shortcut", in, out, 1);
    }
  }

  private void convolution(String name, int in, int out, int kernel) {
    shapes.put(name + ".conv.weight", new long[] {out, in, kernel, kernel});
    shapes.put(name + ".conv.bias", new long[] {out});
  }

  private void norm(String name, int channels) {
    shapes.put(name + ".norm.weight", new long[] {channels});
    shapes.put(name + ".norm.bias", new long[] {channels});
  }
}
