package io.bitloom.engine.model;

import io.bitloom.engine.codes.Bits;
import io.bitloom.engine.nn.Nn;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.DrawRules;
import io.bitloom.engine.tensor.SplitMix64;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/**
 * Draws bits from logits, each image on its own and with its own random numbers: the 2 states of
 * every bit, one of 2^d indices whose bits follow, the most significant first, or an entry of a
 * codebook.
 *
 * <p>All that drawing needs lies on the device from the start, so that no scale waits for the host.
 */
final class Sampler {
  private final Labels labels;
  private final int bitsPerToken;
  private final DrawRules rules;
  private final Tensor uniformBN; // numbers of all choices of all scales; null if all are greedy
  private long drawn; // choices of each image so far

  /** What the classifier tells apart. */
  private enum Labels {
    BITS,
    INDICES_OF_BITS,
    ENTRIES
  }

  /**
   * The tensors belong to the open scope.
   *
   * @param tokens of all scales together
   */
  Sampler(List<ImageSampling> images, int tokens, InfinityConfig config, TorchDevice device) {
    labels =
        config.square() != null
            ? Labels.ENTRIES
            : config.bitLabels() ? Labels.BITS : Labels.INDICES_OF_BITS;
    bitsPerToken = config.bitsPerToken();
    int choices = labels == Labels.BITS ? bitsPerToken : 1; // of a token
    rules =
        new DrawRules(
            images.stream().map(image -> new DrawRules.Rule(image.topK(), image.topP())).toList(),
            config.logitsPerToken() / choices,
            device);
    uniformBN = rules.greedy() ? null : Nn.uniform(starts(images, device), tokens * choices);
  }

  private static Tensor starts(List<ImageSampling> images, TorchDevice device) {
    long[] starts =
        images.stream().mapToLong(image -> SplitMix64.start(image.seed(), image.index())).toArray();
    return Tensors.of(starts, device, starts.length, 1);
  }

  /**
   * Logits of the next scale (B, L, V) to bits (B, L, d), bytes, or entries of a codebook (B, L,
   * 1), int64.
   */
  Tensor draw(Tensor logitsBLV) {
    long images = logitsBLV.size(0);
    return switch (labels) {
      case BITS -> states(logitsBLV.reshape(images, -1, 2)).view(images, -1, bitsPerToken);
      case INDICES_OF_BITS -> Bits.ofLabels(states(logitsBLV), bitsPerToken);
      case ENTRIES -> Tensors.to(states(logitsBLV), DType.I64).unsqueeze(2);
    };
  }

  private Tensor states(Tensor logitsBNV) {
    long choices = logitsBNV.size(1);
    Tensor uniform = uniformBN == null ? null : uniformBN.narrow(1, drawn, choices);
    drawn += choices;
    return Nn.draw(logitsBNV, rules, uniform); // (B, N)
  }
}
