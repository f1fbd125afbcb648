package io.bitloom.engine.model;

import io.bitloom.engine.codes.Bits;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import java.util.List;
import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.T_TensorTensor_T;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * Draws bits from logits, each image on its own and with its own random numbers: the 2 states of
 * every bit, one of 2^d indices whose bits follow, the most significant first, or an entry of a
 * codebook.
 */
public final class Sampler {
  private static final Scalar MINUS_INFINITY = Scope.own(new Scalar(Double.NEGATIVE_INFINITY));

  private final List<ImageSampling> images;
  private final List<ImageRandom> randoms;
  private final Labels labels;
  private final int bitsPerToken;

  /** What the classifier tells apart. */
  private enum Labels {
    BITS,
    INDICES_OF_BITS,
    ENTRIES
  }

  Sampler(List<ImageSampling> images, InfinityConfig config) {
    this.images = images;
    this.randoms = images.stream().map(i -> new ImageRandom(i.seed(), i.index())).toList();
    this.labels =
        config.square() != null
            ? Labels.ENTRIES
            : config.bitLabels() ? Labels.BITS : Labels.INDICES_OF_BITS;
    this.bitsPerToken = config.bitsPerToken();
  }

  /** Logits of a scale (B, L, V) to bits (B, L, d), or entries of a codebook (B, L, 1). */
  Tensor draw(Tensor logitsBLV) {
    TensorVector drawn = new TensorVector();
    for (int i = 0; i < images.size(); i++) {
      try (Scope scope = Scope.open()) { // sorting takes more memory than the logits
        drawn.push_back(draw(logitsBLV.select(0, i), images.get(i), randoms.get(i)));
      }
    }
    return torch.stack(drawn, 0);
  }

  /** Logits of an image (L, V) to bits (L, d), or entries of a codebook (L, 1). */
  private Tensor draw(Tensor logitsLV, ImageSampling image, ImageRandom random) {
    return switch (labels) {
      case BITS -> states(logitsLV.reshape(-1, 2), image, random).view(-1, bitsPerToken); // (L, d)
      case INDICES_OF_BITS ->
          Bits.ofLabels(states(logitsLV, image, random), bitsPerToken); // (L, d)
      case ENTRIES -> states(logitsLV, image, random).unsqueeze(1); // (L, 1)
    };
  }

  /**
   * Draws one state per row by inverting the cumulative distribution.
   *
   * @param logitsNV logits after temperature
   * @param random the image's random stream, of which N numbers are used; greedy uses none
   * @return states (N), int64
   */
  private static Tensor states(Tensor logitsNV, ImageSampling image, ImageRandom random) {
    if (image.greedy()) {
      return logitsNV.argmax(new LongOptional(-1), false);
    }
    Tensor cumulative = probabilities(logitsNV, image.topK(), image.topP()).cumsum(-1); // (N, V)
    Tensor total = cumulative.narrow(-1, cumulative.size(-1) - 1, 1); // (N, 1)
    int count = Math.toIntExact(logitsNV.size(0));
    Tensor uniform =
        Tensors.of(random.next(count), count, 1).to(logitsNV.device(), DType.F32.torch());
    return cumulative.le(uniform.mul(total)).sum(new long[] {-1}); // (N)
  }

  /**
   * The distribution to draw from. With 2 states top-k has effect at 1 only, and top-p means that a
   * state of probability at most 1 − p never occurs.
   *
   * @param logitsNV logits after temperature
   * @param topK see {@link ImageSampling#topK()}
   * @param topP see {@link ImageSampling#topP()}
   * @return probabilities (N, V)
   */
  public static Tensor probabilities(Tensor logitsNV, int topK, double topP) {
    Tensor logits = logitsNV;
    if (topK > 0) {
      long k = Math.min(topK, logits.size(-1));
      Tensor kth = logits.topk(k, -1, true, false).get0().amin(new long[] {-1}, true);
      logits = logits.masked_fill(logits.lt(kth), MINUS_INFINITY);
    }
    if (topP > 0) {
      T_TensorTensor_T ascending = logits.sort(-1, false);
      Tensor unlikely = ascending.get0().softmax(-1).cumsum(-1).le(new Scalar(1 - topP));
      unlikely.narrow(-1, unlikely.size(-1) - 1, 1).zero_(); // the likeliest always stays
      Tensor removed = unlikely.scatter(-1, ascending.get1(), unlikely);
      logits = logits.masked_fill(removed, MINUS_INFINITY);
    }
    return logits.softmax(-1);
  }
}
