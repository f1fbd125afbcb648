package io.bitloom.worker.model;

import io.bitloom.worker.tensor.DType;
import io.bitloom.worker.tensor.Tensors;
import io.bitloom.worker.tensor.TorchDevice;
import java.util.List;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * Classifier-free guidance: w · conditional + (1 − w) · unconditional, with w per image, scale and
 * place in the network. The rows of a guided batch are B conditional ones, then B unconditional.
 */
final class Guidance {
  private final List<ImageSampling> images;
  private final int depth;
  private final int scales;
  private final TorchDevice device;

  /**
   * @throws IllegalArgumentException if a layer does not exist
   */
  Guidance(GenerationBatch batch, int depth, TorchDevice device) {
    this.images = batch.images();
    this.depth = depth;
    this.scales = batch.scales().size();
    this.device = device;
    for (ImageSampling image : images) {
      for (int layer : image.guidanceLayers()) {
        if (layer < 0 && depth + layer <= 0) {
          throw new IllegalArgumentException(
              "guidance layer "
                  + layer
                  + " of "
                  + depth
                  + " blocks: expected 0 or "
                  + (1 - depth)
                  + " to -1");
        }
      }
    }
  }

  /** Whether scale k or a later one needs the unconditional rows. */
  boolean neededFrom(int k) {
    return IntStream.range(k, scales)
        .anyMatch(scale -> images.stream().anyMatch(image -> image.guidedAt(scale)));
  }

  /** Rows that scale k is computed for: B, or 2B while the unconditional ones are needed. */
  int rows(int k) {
    return neededFrom(k) ? 2 * images.size() : images.size();
  }

  /** Output of a block; guiding images go on with the combination in both of their rows. */
  Tensor afterBlock(int k, int block, Tensor xRLC) {
    double[] weights = weights(k, block - depth);
    if (!any(weights)) {
      return xRLC;
    }
    Tensor combined = combine(weights, xRLC); // (B, L, C)
    Tensor guiding = column(weights).ne(new Scalar(1.0)); // (B, 1, 1)
    Tensor unconditional = xRLC.narrow(0, images.size(), images.size());
    Tensor below = torch.where(guiding, combined, unconditional);
    return torch.cat(new TensorVector(combined, below), 0);
  }

  /**
   * The logits to draw from (B, L, V): divided by the temperature, then combined where images guide
   * on logits; the conditional ones otherwise.
   */
  Tensor logits(int k, Tensor xRLC, Tensor pooledRC, Head head) {
    double[] weights = weights(k, ImageSampling.LOGITS);
    int rows = any(weights) ? 2 * images.size() : images.size();
    Tensor logits = head.logits(xRLC.narrow(0, 0, rows), pooledRC.narrow(0, 0, rows));
    Tensor tempered = logits.mul(inverseTemperature(k, rows)); // (B or 2B, L, V)
    return any(weights) ? combine(weights, tempered) : tempered;
  }

  private Tensor inverseTemperature(int k, int rows) {
    double[] inverse = new double[rows];
    for (int r = 0; r < rows; r++) {
      inverse[r] = 1 / images.get(r % images.size()).temperature().get(k);
    }
    return column(inverse); // (R, 1, 1)
  }

  /** w of every image at a place, 1 for those that do not guide there. */
  private double[] weights(int k, int layer) {
    return images.stream()
        .mapToDouble(image -> image.guidanceLayers().contains(layer) ? image.guidance().get(k) : 1)
        .toArray();
  }

  private static boolean any(double[] weights) {
    for (double weight : weights) {
      if (weight != 1) {
        return true;
      }
    }
    return false;
  }

  private Tensor combine(double[] weights, Tensor rows) {
    int count = images.size();
    double[] complement = new double[count];
    for (int i = 0; i < count; i++) {
      complement[i] = 1 - weights[i];
    }
    Tensor conditional = rows.narrow(0, 0, count);
    Tensor unconditional = rows.narrow(0, count, count);
    return conditional.mul(column(weights)).add(unconditional.mul(column(complement)));
  }

  /** One value per image, float32 (B, 1, 1). */
  private Tensor column(double[] values) {
    Tensor column = Tensors.of(values, values.length, 1, 1);
    return Tensors.to(column, device, DType.F32);
  }
}
