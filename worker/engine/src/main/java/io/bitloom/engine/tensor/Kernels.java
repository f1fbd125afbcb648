package io.bitloom.engine.tensor;

import java.util.List;
import org.bytedeco.pytorch.Tensor;

/**
 * The operators of the models that a kind of device computes in a way of its own: everything that a
 * backend has to bring. Models call them through {@code io.bitloom.engine.nn.Nn}, which takes the
 * backend of the tensor at hand, and so know of no device.
 *
 * <p>Where gradients are wanted, every operator is differentiable. No operator changes its
 * arguments, except where it says so. A parameter that an operator can do without may be null.
 *
 * <p>Axes: B images, R rows of a batch, L tokens, C width, H heads, c head size, N choices, V
 * states of a choice; (B, C, H, W) is a feature map.
 */
public interface Kernels {

  /** Normalises the last axis to mean 0 and variance 1, then scales and shifts where given. */
  Tensor layerNorm(Tensor x, Tensor weight, Tensor bias, double eps);

  /** Divides the last axis by its root mean square, then scales by weight where given. */
  Tensor rmsNorm(Tensor x, Tensor weight, double eps);

  /**
   * shift + norm(x) · scale: what enters a block's self-attention and feed-forward layer.
   *
   * @param rms whether the norm is {@link #rmsNorm}; {@link #layerNorm} otherwise
   * @param scaleR1C factor of each row
   * @param shiftR1C summand of each row
   * @param reader what the layer that reads the result computes in
   * @return float32, or rounded to the reader's type where that is no work of its own
   */
  Tensor modulatedNorm(
      Tensor xRLC, boolean rms, double eps, Tensor scaleR1C, Tensor shiftR1C, DType reader);

  /** x + added · gate: what a branch of a block adds to the stream. */
  Tensor gatedAdd(Tensor xRLC, Tensor addedRLC, Tensor gateR1C);

  /** GELU in its tanh approximation of images or rows (B, …). */
  Tensor geluTanh(Tensor x);

  /** {@link #geluTanh(Tensor)} of sequences of these lengths, one after the other (N, C). */
  Tensor geluTanh(Tensor rowsNC, List<Integer> lengths);

  /** x·sigmoid(x) of images or rows (B, …). */
  Tensor silu(Tensor x);

  /**
   * Turns the pairs of channels (2i, 2i+1) of heads (B, L, H, c), float32.
   *
   * @param angles cos + i·sin of each token and pair (1, L, 1, c/2), complex
   */
  Tensor rotate(Tensor xBLHc, Tensor angles);

  /** Queries (R, L, H, c), and the keys and values (R, T, H, c) that they see. */
  record Heads(Tensor queries, Tensor keys, Tensor values) {}

  /**
   * Where the keys and values of new tokens go: behind {@code from} earlier ones.
   *
   * @param keysValues2RTHc keys and values of the earlier tokens, then room for the new ones
   */
  record Slot(Tensor keysValues2RTHc, long from) {
    /** The keys of all tokens (R, T, H, c). */
    public Tensor keysRTHc() {
      return keysValues2RTHc.select(0, 0);
    }

    /** The values of all tokens (R, T, H, c). */
    public Tensor valuesRTHc() {
      return keysValues2RTHc.select(0, 1);
    }

    /** The room for the new keys and values (2, R, L, H, c). */
    public Tensor fresh() {
      return keysValues2RTHc.narrow(2, from, keysValues2RTHc.size(2) - from);
    }
  }

  /**
   * How much room the keys and values of a transformer's blocks take.
   *
   * @param blocks number of blocks
   * @param rows R
   * @param kept tokens of all scales but the last, whose keys and values no later scale reads
   * @param last tokens of the last scale
   */
  record CacheSize(int blocks, int rows, long kept, long last, int heads, int headSize) {}

  /** Keys and values of the tokens that a block has seen, scale by scale. */
  interface BlockCache {
    /** Room for {@code tokens} new tokens behind the first {@code from}. */
    Slot slot(long from, long tokens);

    /** That of some rows of the batch. */
    BlockCache rows(int from, int count);
  }

  /**
   * Empty caches of all blocks, from the first to the last; the tensors belong to the open scope.
   * Every scale asks them for room in this order: that of the last scale may lie where tokens of
   * earlier blocks were.
   */
  List<BlockCache> caches(CacheSize size, DType dtype, TorchDevice device);

  /**
   * Makes the projections of a self-attention ready for it.
   *
   * @param qkvRL3Hc queries, keys and values of L new tokens; without gradients it may be written
   *     over, and the result may lie in it
   * @param factor where given, q and k become unit vectors and q is multiplied by it (1, 1, H, 1)
   * @param angles what {@link #rotate} turns q and k by, where given
   * @param slot where given, is filled with the new keys and values; only these are seen otherwise
   */
  Heads rotateAndStore(Tensor qkvRL3Hc, Tensor factor, Tensor angles, Slot slot);

  /**
   * softmax(scale · q kᵀ + mask) v.
   *
   * @param qBLHc queries
   * @param kBTHc keys
   * @param vBTHc values
   * @param mask added to the scores, (1 or B, 1 or H, 1 or L, T), where given
   * @return (B, L, H·c) in the type of v
   */
  Tensor attention(Tensor qBLHc, Tensor kBTHc, Tensor vBTHc, Tensor mask, double scale);

  /**
   * Whether sequences of different lengths are best padded to one length, so that all of them are
   * one call. Without, what a sequence gives does not depend on the others to the last bit.
   */
  boolean padsSequences();

  /** The frozen weight (out, in) of a linear layer, as this device likes to have it. */
  interface Matrix extends AutoCloseable {
    /** x·weightᵀ + bias: x (…, in) in the weight's type, bias (out) where given. */
    Tensor times(Tensor x, Tensor bias);

    /** {@link #geluTanh(Tensor)} of {@link #times}. */
    Tensor timesGelu(Tensor x, Tensor bias);

    @Override
    void close();
  }

  /** Takes a copy of, or a handle on a weight (out, in). */
  Matrix matrix(Tensor weight);

  /** A function of some rows of a batch: {@code count} of them from {@code first} on. */
  @FunctionalInterface
  interface OfRows {
    Tensor apply(Tensor rows, int first, int count);
  }

  /**
   * A chain of operators on the rows of x (R, L, C), each row on its own, to (R, L, C): all rows at
   * a time, or some at a time without gradients where that is faster.
   */
  Tensor rowWise(Tensor xRLC, OfRows chain);

  /**
   * The weight (out, in, k, k) of a convolution, as this device likes to have it where no gradients
   * flow to it: a copy, or the weight itself.
   */
  Tensor filters(Tensor weight);

  /**
   * Convolution of a map (B, in, H, W) with weight (out, in, k, k) and zero padding on all sides.
   */
  Tensor conv2d(Tensor x, Tensor weight, Tensor bias, int stride, int padding);

  /**
   * {@link #conv2d} with a 3×3 kernel, stride 1 and padding 1 of a map (B, in, H, W) doubled by
   * repeating every cell: (B, out, 2H, 2W).
   */
  Tensor doubledConv2d(Tensor x, Tensor weight, Tensor bias);

  /** Normalises groups of channels of a map together; weight and bias are (C). */
  Tensor groupNorm(Tensor x, int groups, Tensor weight, Tensor bias, double eps);

  /**
   * x·sigmoid(x) of {@link #groupNorm}.
   *
   * @param overwrites whether x may be written over, because nothing else needs it
   */
  Tensor groupNormSilu(
      Tensor x, int groups, Tensor weight, Tensor bias, double eps, boolean overwrites);

  /**
   * The first random numbers of B streams.
   *
   * @param startsB1 {@link SplitMix64#start} of each, int64
   * @return float32 (B, count), uniform in [0, 1)
   */
  Tensor uniform(Tensor startsB1, int count);

  /**
   * Draws a state for each choice of each image.
   *
   * @param logitsBNV after temperature
   * @param rules of the B images
   * @param uniformBN a random number for each choice, of which a greedy image's are not looked at;
   *     null if all images are greedy
   * @return states (B, N): bytes where there are two, int64 otherwise
   */
  Tensor draw(Tensor logitsBNV, DrawRules rules, Tensor uniformBN);
}
