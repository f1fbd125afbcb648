package io.bitloom.engine.model;

import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * Classifier-free guidance: w · conditional + (1 − w) · unconditional, with w per image, scale and
 * place in the network.
 *
 * <p>The rows of a batch are the B conditional ones, then the unconditional rows of those images
 * that guide at some scale. An unconditional row is computed up to the last scale that its image
 * guides at; those that are needed longest come first, so that the rows of every scale are the
 * first R of the scale before.
 */
final class Guidance {
  private final List<ImageSampling> images;
  private final int depth;
  private final TorchDevice device;
  private final int[] lastGuided; // per image: its last guided scale, or -1
  private final int[] longestFirst; // images by how long they need their unconditional row
  private final Tensor longestFirstB; // the same as a tensor

  /**
   * The index tensor belongs to the open scope.
   *
   * @throws IllegalArgumentException if a layer does not exist
   */
  Guidance(GenerationBatch batch, int depth, TorchDevice device) {
    this.images = batch.images();
    this.depth = depth;
    this.device = device;
    images.forEach(image -> image.requireLayersOf(depth));
    int scales = batch.scales().size();
    lastGuided = images.stream().mapToInt(image -> image.lastGuided(scales)).toArray();
    longestFirst =
        IntStream.range(0, images.size())
            .boxed()
            .sorted(Comparator.comparing(i -> -lastGuided[i]))
            .mapToInt(i -> i)
            .toArray();
    long[] indices = Arrays.stream(longestFirst).asLongStream().toArray();
    longestFirstB = Tensors.of(indices, device, indices.length);
  }

  /** Images with an unconditional row, in the order of these rows. */
  List<Integer> guidedImages() {
    return Arrays.stream(longestFirst).limit(unconditionalRows(0)).boxed().toList();
  }

  /** Rows that scale k is computed for: B, and the unconditional ones that are still needed. */
  int rows(int k) {
    return images.size() + unconditionalRows(k);
  }

  private int unconditionalRows(int k) {
    return (int) Arrays.stream(lastGuided).filter(last -> last >= k).count();
  }

  /** What all rows of an image share at scale k, from (B, L, C) to (R, L, C). */
  Tensor forRows(int k, Tensor xBLC) {
    int count = unconditionalRows(k);
    return count == 0 ? xBLC : torch.cat(new TensorVector(xBLC, ofGuided(count, xBLC)), 0);
  }

  /** The conditional rows of the first images that have an unconditional one. */
  private Tensor ofGuided(int count, Tensor xRLC) {
    return Tensors.rows(xRLC, longestFirstB.narrow(0, 0, count));
  }

  /** The first block from {@code from} on after which some image guides, or else the last one. */
  int combiningBlock(int k, int from) {
    int block = from;
    while (block < depth - 1 && guidesNowhere(weights(k, block - depth))) {
      block++;
    }
    return block;
  }

  /** Output of a block; guiding images go on with the combination in both of their rows. */
  Tensor afterBlock(int k, int block, Tensor xRLC) {
    double[] weights = weights(k, block - depth);
    if (guidesNowhere(weights)) {
      return xRLC;
    }
    Tensor combined = combined(weights, xRLC); // (G, L, C)
    Tensor unconditional = xRLC.narrow(0, images.size(), weights.length);
    Tensor below = Tensors.where(guiding(weights), combined, unconditional);
    return torch.cat(new TensorVector(withConditional(combined, xRLC), below), 0);
  }

  /**
   * The logits to draw from (B, L, V): divided by the temperature, then combined where images guide
   * on logits; the conditional ones otherwise.
   */
  Tensor logits(int k, Tensor xRLC, Tensor pooledRC, Head head) {
    double[] weights = weights(k, ImageSampling.LOGITS);
    boolean alone = guidesNowhere(weights);
    int rows = alone ? images.size() : rows(k);
    Tensor logits = head.logits(xRLC.narrow(0, 0, rows), pooledRC.narrow(0, 0, rows));
    Tensor tempered = logits.mul(inverseTemperature(k, rows)); // (B or R, L, V)
    return alone ? tempered : withConditional(combined(weights, tempered), tempered);
  }

  private Tensor inverseTemperature(int k, int rows) {
    double[] inverse = new double[rows];
    for (int r = 0; r < rows; r++) {
      int image = r < images.size() ? r : longestFirst[r - images.size()];
      inverse[r] = 1 / images.get(image).temperature().get(k);
    }
    return column(inverse); // (R, 1, 1)
  }

  /** w of each image with an unconditional row at scale k; 1 if it does not guide at this place. */
  private double[] weights(int k, int layer) {
    return Arrays.stream(longestFirst)
        .limit(unconditionalRows(k))
        .mapToObj(images::get)
        .mapToDouble(image -> image.guidanceLayers().contains(layer) ? image.guidance().get(k) : 1)
        .toArray();
  }

  private static boolean guidesNowhere(double[] weights) {
    return Arrays.stream(weights).allMatch(weight -> weight == 1);
  }

  private Tensor guiding(double[] weights) {
    return column(weights).ne(new Scalar(1.0)); // (G, 1, 1)
  }

  /** The combination for the guiding ones of the images with an unconditional row (G, L, C). */
  private Tensor combined(double[] weights, Tensor xRLC) {
    double[] complement = Arrays.stream(weights).map(weight -> 1 - weight).toArray();
    Tensor conditional = ofGuided(weights.length, xRLC);
    Tensor unconditional = xRLC.narrow(0, images.size(), weights.length);
    Tensor sum = conditional.mul(column(weights)).add(unconditional.mul(column(complement)));
    return Tensors.where(guiding(weights), sum, conditional);
  }

  /** The conditional rows (B, L, C), with new ones for the first images that guide. */
  private Tensor withConditional(Tensor newGLC, Tensor xRLC) {
    Tensor conditional = xRLC.narrow(0, 0, images.size());
    return conditional.index_copy(0, longestFirstB.narrow(0, 0, newGLC.size(0)), newGLC);
  }

  /** One value per row, float32 (rows, 1, 1). */
  private Tensor column(double[] values) {
    return Tensors.of(values, device, DType.F32, values.length, 1, 1);
  }
}
