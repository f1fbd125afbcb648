package io.bitloom.engine.model;

import io.bitloom.engine.codes.Bits;
import io.bitloom.engine.nn.Nn;
import io.bitloom.engine.tensor.Kernels;
import io.bitloom.engine.tensor.SplitMix64;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/**
 * Draws bits from logits, each image on its own and with its own random numbers: the 2 states of
 * every bit, one of 2^d indices whose bits follow, the most significant first, or an entry of a
 * codebook.
 */
final class Sampler {
  private final List<Kernels.Draw> draws;
  private final Labels labels;
  private final int bitsPerToken;

  /** What the classifier tells apart. */
  private enum Labels {
    BITS,
    INDICES_OF_BITS,
    ENTRIES
  }

  Sampler(List<ImageSampling> images, InfinityConfig config) {
    this.draws = images.stream().map(Sampler::draw).toList();
    this.labels =
        config.square() != null
            ? Labels.ENTRIES
            : config.bitLabels() ? Labels.BITS : Labels.INDICES_OF_BITS;
    this.bitsPerToken = config.bitsPerToken();
  }

  private static Kernels.Draw draw(ImageSampling image) {
    SplitMix64 random = new SplitMix64(image.seed(), image.index());
    return new Kernels.Draw(image.greedy(), image.topK(), image.topP(), random);
  }

  /** Logits of a scale (B, L, V) to bits (B, L, d), or entries of a codebook (B, L, 1). */
  Tensor draw(Tensor logitsBLV) {
    long images = logitsBLV.size(0);
    return switch (labels) {
      case BITS -> Nn.draw(logitsBLV.reshape(images, -1, 2), draws).view(images, -1, bitsPerToken);
      case INDICES_OF_BITS -> Bits.ofLabels(Nn.draw(logitsBLV, draws), bitsPerToken);
      case ENTRIES -> Nn.draw(logitsBLV, draws).unsqueeze(2);
    };
  }
}
