package io.bitloom.engine.codes;

import io.bitloom.common.schedule.Scale;
import io.bitloom.engine.nn.Nn;
import io.bitloom.engine.nn.Parameters;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Resize;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.engine.tensor.Weights;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * The codes of VAR's multi-scale VQVAE (arXiv 2404.02905, algorithms 1 and 2): entries of a
 * codebook, resized to full size and smoothed by a convolution φ, of which neighbouring scales
 * share one. Always in float32.
 */
public final class CodebookCodes implements ResidualCodes {
  /** How much of φ is the convolution; the rest is the identity. */
  private static final double CONVOLUTION_SHARE = 0.5;

  private final int channels;
  private final Parameters parameters;
  private final Tensor codebook; // (V, d)
  private final List<Phi> phis = new ArrayList<>();

  private record Phi(Tensor weight, Tensor bias) {}

  /**
   * The codes of a tokenizer.
   *
   * @param channels d of an entry
   * @param vocabulary entries of the codebook V
   * @param weights of the tokenizer, under their names in the official file or with {@code .conv}
   *     before {@code .weight}
   * @throws io.bitloom.engine.tensor.WeightsException if a tensor is missing or of another shape
   */
  public CodebookCodes(int channels, int vocabulary, Weights weights, TorchDevice device) {
    this.channels = channels;
    parameters = Parameters.frozen(weights, device, DType.F32);
    codebook = parameters.get("quantize.embedding.weight", vocabulary, channels);
    String name = "quantize.quant_resi.qresi_ls.";
    String infix = weights.has(name + "0.conv.weight") ? ".conv" : "";
    for (int i = 0; i == 0 || weights.has(name + i + infix + ".weight"); i++) {
      phis.add(
          new Phi(
              parameters.get(name + i + infix + ".weight", channels, channels, 3, 3),
              parameters.get(name + i + infix + ".bias", channels)));
    }
  }

  @Override
  public Tensor none(int images, Scale last, TorchDevice device) {
    return Tensors.zeros(DType.F32, device, images, channels, last.height(), last.width());
  }

  /** Image by image: in batches of another size interpolation and convolution round differently. */
  @Override
  public Tensor upsampled(Tensor drawnBL1, int k, List<Scale> scales) {
    Scale scale = scales.get(k);
    Scale last = scales.get(scales.size() - 1);
    Phi phi = phis.get(sharedPhi(k, scales.size(), phis.size()));
    TensorVector images = new TensorVector();
    for (long i = 0; i < drawnBL1.size(0); i++) {
      Tensor entries = Nn.embedding(codebook, drawnBL1.select(0, i).squeeze(-1)); // (h·w, d)
      Tensor codes = entries.t().contiguous().view(1, channels, scale.height(), scale.width());
      images.push_back(smoothed(Resize.bicubic(codes, last.height(), last.width()), phi));
    }
    return torch.cat(images, 0); // (B, d, H, W)
  }

  /** φ(x). */
  private static Tensor smoothed(Tensor x1dHW, Phi phi) {
    Tensor convolved = Nn.conv2d(x1dHW, phi.weight(), phi.bias(), 1, 1);
    return x1dHW
        .mul(new Scalar(1 - CONVOLUTION_SHARE))
        .add(convolved.mul(new Scalar(CONVOLUTION_SHARE)));
  }

  /**
   * Which of {@code count} convolutions scale k of {@code scales} uses: that whose tick is nearest,
   * the first of equally near ones. Some scales of the released models lie in the middle of two
   * ticks, so the ticks are computed in the order of operations of the official code.
   */
  static int sharedPhi(int k, int scales, int count) {
    double margin = count == 4 ? 1.0 / 3 / count : 1.0 / 2 / count;
    double step = count == 1 ? 0 : (1 - margin - margin) / (count - 1);
    double at = (double) k / (scales - 1);
    int nearest = 0;
    double least = Double.POSITIVE_INFINITY;
    for (int i = 0; i < count; i++) {
      double tick = count > 1 && i == count - 1 ? 1 - margin : i * step + margin;
      double distance = Math.abs(tick - at);
      if (distance < least) {
        least = distance;
        nearest = i;
      }
    }
    return nearest;
  }

  @Override
  public Tensor nextInput(Tensor summedBdHW, Scale next) {
    return Resize.area(summedBdHW, next.height(), next.width()).flatten(2, 3).transpose(1, 2);
  }

  @Override
  public void close() {
    parameters.close();
  }
}
