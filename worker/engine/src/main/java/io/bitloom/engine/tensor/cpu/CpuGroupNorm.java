package io.bitloom.engine.tensor.cpu;

import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * Group normalization (arXiv 1803.08494) of maps with their channels last, without gradients, and
 * the activation behind it while the values are in the core's cache.
 *
 * <p>libtorch takes the variance of such maps as E[x²] − E[x]² in float32, which leaves few right
 * digits where the mean is large against the deviation. Here every piece of a map sums the squared
 * distances from its own mean, and the pieces are joined in float64 (Chan, Golub and LeVeque,
 * 1979). The pieces follow from the size of the map alone, so that an image depends neither on its
 * batch nor on the number of threads.
 */
final class CpuGroupNorm {
  /**
   * Values of a piece: half a megabyte, which a core's cache holds beside the intermediate ones.
   */
  private static final int PIECE_VALUES = 1 << 17;

  private static final Scalar ONE = Scope.own(new Scalar(1));

  private final Tensor pixels; // (H·W, C)
  private final int count; // H·W
  private final int channels;
  private final int pieceSize; // pixels
  private final int pieces;

  private CpuGroupNorm(Tensor pixels) {
    this.pixels = pixels;
    this.count = Math.toIntExact(pixels.size(0));
    this.channels = Math.toIntExact(pixels.size(1));
    this.pieceSize = Math.max(1, PIECE_VALUES / channels);
    this.pieces = (count + pieceSize - 1) / pieceSize;
  }

  /** Whether this class knows the type and the layout of x (B, C, H, W). */
  static boolean takes(Tensor x) {
    DType dtype = Tensors.dtype(x);
    return (dtype == DType.F32 || dtype == DType.BF16)
        && x.dim() == 4
        && x.is_contiguous(torch.MemoryFormat.ChannelsLast);
  }

  /**
   * Normalises x (B, C, H, W) into a map of the same type and layout.
   *
   * @param result (B, C, H, W); x itself, if nothing else needs it
   * @param weight (C)
   * @param bias (C)
   * @param silu whether x·sigmoid(x) follows
   * @return the result
   */
  static Tensor into(
      Tensor result, Tensor x, int groups, Tensor weight, Tensor bias, double eps, boolean silu) {
    try (Scope scope = Scope.open()) {
      double[] scale = Tensors.doubles(Tensors.to(weight, DType.F64));
      Tensor shift = Tensors.to(bias, DType.F32);
      for (int image = 0; image < x.size(0); image++) {
        CpuGroupNorm norm = new CpuGroupNorm(pixels(x, image));
        Moments moments = norm.statistics().moments(groups, scale, eps);
        norm.write(moments, shift, silu, pixels(result, image));
      }
    }
    return result;
  }

  /** One image of (B, C, H, W) as (H·W, C), on the same memory. */
  private static Tensor pixels(Tensor xBCHW, int image) {
    Tensor map = xBCHW.permute(0, 2, 3, 1).get(image); // (H, W, C)
    return map.view(map.size(0) * map.size(1), map.size(2));
  }

  /** Mean and sum of squared distances from it, of each channel in each piece. */
  private record Statistics(int count, int pieceSize, float[] means, float[] squares) {

    /** Joins the channels of each group over all pieces, in float64. */
    Moments moments(int groups, double[] weight, double eps) {
      int channels = weight.length;
      int width = channels / groups;
      float[] means = new float[channels];
      float[] scale = new float[channels];
      for (int first = 0; first < channels; first += width) {
        double mean = mean(first, width, channels);
        double variance = squares(first, width, channels, mean) / ((double) count * width);
        for (int channel = first; channel < first + width; channel++) {
          means[channel] = (float) mean;
          scale[channel] = (float) (weight[channel] / Math.sqrt(variance + eps));
        }
      }
      return new Moments(means, scale);
    }

    private double mean(int first, int width, int channels) {
      double sum = 0;
      for (int piece = 0; piece * channels < means.length; piece++) {
        double part = 0;
        for (int channel = first; channel < first + width; channel++) {
          part += means[piece * channels + channel];
        }
        sum += part * pixels(piece);
      }
      return sum / ((double) count * width);
    }

    private double squares(int first, int width, int channels, double mean) {
      double sum = 0;
      for (int piece = 0; piece * channels < means.length; piece++) {
        for (int channel = first; channel < first + width; channel++) {
          double distance = means[piece * channels + channel] - mean;
          sum += squares[piece * channels + channel] + pixels(piece) * distance * distance;
        }
      }
      return sum;
    }

    private int pixels(int piece) {
      return Math.min(pieceSize, count - piece * pieceSize);
    }
  }

  /**
   * The mean that is taken from each channel, and what the rest is multiplied by. The mean goes
   * first: scale·x + shift would cancel where the mean is large against the deviation.
   */
  private record Moments(float[] means, float[] scale) {}

  private Statistics statistics() {
    Tensor means = Tensors.empty(DType.F32, TorchDevice.CPU, pieces, channels);
    Tensor squares = Tensors.empty(DType.F32, TorchDevice.CPU, pieces, channels);
    CpuTeam.run(
        pieces,
        piece -> {
          Tensor x = wide(piece(pixels, piece)); // (n, C) float32
          Tensor mean = means.get(piece);
          torch.sum_out(mean, x, 0);
          mean.div_(new Scalar(x.size(0)));
          Tensor distance = Scratch.take("distance", x.shape());
          torch.sub_out(distance, x, mean);
          torch.mul_out(distance, distance, distance);
          torch.sum_out(squares.get(piece), distance, 0);
        });
    return new Statistics(count, pieceSize, Tensors.floats(means), Tensors.floats(squares));
  }

  private void write(Moments moments, Tensor shift, boolean silu, Tensor result) {
    Tensor means = Tensors.of(moments.means(), channels);
    Tensor scale = Tensors.of(moments.scale(), channels);
    CpuTeam.run(
        pieces,
        piece -> {
          Tensor out = piece(result, piece);
          Tensor x = wide(piece(pixels, piece));
          Tensor y = Tensors.dtype(out) == DType.F32 ? out : Scratch.take("wide", x.shape());
          torch.sub_out(y, x, means);
          torch.addcmul_out(y, shift, y, scale, ONE);
          if (silu) {
            torch.silu_(y);
          }
          if (y != out) {
            out.copy_(y);
          }
        });
  }

  private Tensor piece(Tensor pixels, int piece) {
    long from = (long) piece * pieceSize;
    return pixels.narrow(0, from, Math.min(pieceSize, count - from));
  }

  /** The same values in float32; of bfloat16 ones a copy that lasts until the next. */
  private static Tensor wide(Tensor x) {
    return Tensors.dtype(x) == DType.F32 ? x : Scratch.take("wide", x.shape()).copy_(x);
  }
}
