package io.bitloom.engine.model;

import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.DoubleStream;
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
 *
 * <p>The weights of all scales lie on the device from the start, so that no scale waits for the
 * host. Which images guide where the host knows, too: where all do, nothing is picked.
 */
final class Guidance {
  private final List<ImageSampling> images;
  private final int depth;
  private final int[] lastGuided; // per image: its last guided scale, or -1
  private final int[] longestFirst; // images by how long they need their unconditional row
  private final List<Integer> layers; // where some image guides
  private final Tensor longestFirstB; // as above
  private final Tensor weights; // w and 1 − w of G images, (2, K, P, G, 1, 1); null if G is 0
  private final Tensor inverseTemperaturesKR; // of all rows, (K, R, 1, 1)

  /**
   * The tensors belong to the open scope.
   *
   * @throws IllegalArgumentException if a layer does not exist
   */
  Guidance(GenerationBatch batch, int depth, TorchDevice device) {
    this.images = batch.images();
    this.depth = depth;
    images.forEach(image -> image.requireLayersOf(depth));
    int scales = batch.scales().size();
    lastGuided = images.stream().mapToInt(image -> image.lastGuided(scales)).toArray();
    longestFirst =
        IntStream.range(0, images.size())
            .boxed()
            .sorted(Comparator.comparing(i -> -lastGuided[i]))
            .mapToInt(i -> i)
            .toArray();
    layers =
        images.stream()
            .flatMap(image -> image.guidanceLayers().stream())
            .filter(layer -> layer <= ImageSampling.LOGITS)
            .distinct()
            .toList();
    longestFirstB =
        Tensors.of(IntStream.of(longestFirst).asLongStream().toArray(), device, images.size());
    int guided = unconditionalRows(0);
    weights = guided == 0 ? null : weights(scales, guided, device);
    int rows = images.size() + guided;
    inverseTemperaturesKR =
        Tensors.of(inverseTemperatures(scales, rows), device, DType.F32, scales, rows, 1, 1);
  }

  private Tensor weights(int scales, int guided, TorchDevice device) {
    double[] w =
        IntStream.range(0, scales)
            .boxed()
            .flatMapToDouble(
                k -> layers.stream().flatMapToDouble(layer -> weights(k, layer, guided)))
            .toArray();
    double[] both =
        DoubleStream.concat(DoubleStream.of(w), DoubleStream.of(w).map(weight -> 1 - weight))
            .toArray();
    return Tensors.of(both, device, DType.F32, 2, scales, layers.size(), guided, 1, 1);
  }

  private double[] inverseTemperatures(int scales, int rows) {
    return IntStream.range(0, scales)
        .boxed()
        .flatMapToDouble(
            k ->
                IntStream.range(0, rows)
                    .map(r -> r < images.size() ? r : longestFirst[r - images.size()])
                    .mapToDouble(image -> 1 / images.get(image).temperature().get(k)))
        .toArray();
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
    return inOrder(count)
        ? xRLC.narrow(0, 0, count)
        : Tensors.rows(xRLC, longestFirstB.narrow(0, 0, count));
  }

  /** Whether these images are the first ones of the batch in its own order. */
  private boolean inOrder(int count) {
    return IntStream.range(0, count).allMatch(i -> longestFirst[i] == i);
  }

  /** The first block from {@code from} on after which some image guides, or else the last one. */
  int combiningBlock(int k, int from) {
    int block = from;
    while (block < depth - 1 && place(k, block - depth).guiding() == 0) {
      block++;
    }
    return block;
  }

  /** Output of a block; guiding images go on with the combination in both of their rows. */
  Tensor afterBlock(int k, int block, Tensor xRLC) {
    Place place = place(k, block - depth);
    if (place.guiding() == 0) {
      return xRLC;
    }
    Tensor combined = combined(place, xRLC); // (G, L, C)
    Tensor below = whereGuiding(place, combined, unconditional(place, xRLC));
    return torch.cat(new TensorVector(withConditional(combined, xRLC), below), 0);
  }

  /**
   * The logits to draw from (B, L, V): divided by the temperature, then combined where images guide
   * on logits; the conditional ones otherwise.
   */
  Tensor logits(int k, Tensor xRLC, Tensor pooledRC, Head head) {
    Place place = place(k, ImageSampling.LOGITS);
    boolean alone = place.guiding() == 0;
    int rows = alone ? images.size() : rows(k);
    Tensor logits = head.logits(xRLC.narrow(0, 0, rows), pooledRC.narrow(0, 0, rows));
    Tensor inverseTemperature = inverseTemperaturesKR.select(0, k).narrow(0, 0, rows);
    Tensor tempered = logits.mul(inverseTemperature); // (B or R, L, V)
    return alone ? tempered : withConditional(combined(place, tempered), tempered);
  }

  /**
   * A place in the network at a scale.
   *
   * @param guided images with an unconditional row G
   * @param guiding those of them whose w is not 1
   */
  private record Place(int k, int layer, int guided, int guiding) {}

  private Place place(int k, int layer) {
    int guided = unconditionalRows(k);
    long guiding = weights(k, layer, guided).filter(weight -> (float) weight != 1).count();
    return new Place(k, layer, guided, Math.toIntExact(guiding));
  }

  /** w of each image with an unconditional row; 1 if it does not guide at this place. */
  private DoubleStream weights(int k, int layer, int guided) {
    return Arrays.stream(longestFirst)
        .limit(guided)
        .mapToObj(images::get)
        .mapToDouble(image -> image.guidanceLayers().contains(layer) ? image.guidance().get(k) : 1);
  }

  /** w at a place (G, 1, 1). */
  private Tensor weight(Place place) {
    return at(place, weights.select(0, 0));
  }

  /** 1 − w at a place (G, 1, 1). */
  private Tensor complement(Place place) {
    return at(place, weights.select(0, 1));
  }

  private Tensor at(Place place, Tensor valuesKPG) {
    return valuesKPG
        .select(0, place.k())
        .select(0, layers.indexOf(place.layer()))
        .narrow(0, 0, place.guided());
  }

  /** The combination for the guiding ones of the images with an unconditional row (G, L, C). */
  private Tensor combined(Place place, Tensor xRLC) {
    Tensor conditional = ofGuided(place.guided(), xRLC);
    Tensor unconditional = unconditional(place, xRLC);
    Tensor sum = conditional.mul(weight(place)).add(unconditional.mul(complement(place)));
    return whereGuiding(place, sum, conditional);
  }

  private Tensor unconditional(Place place, Tensor xRLC) {
    return xRLC.narrow(0, images.size(), place.guided());
  }

  private Tensor whereGuiding(Place place, Tensor thereGLC, Tensor elsewhereGLC) {
    return place.guiding() == place.guided()
        ? thereGLC
        : Tensors.where(weight(place).ne(new Scalar(1.0)), thereGLC, elsewhereGLC);
  }

  /** The conditional rows (B, L, C), with new ones for the first images that guide. */
  private Tensor withConditional(Tensor newGLC, Tensor xRLC) {
    Tensor conditional = xRLC.narrow(0, 0, images.size());
    int guided = Math.toIntExact(newGLC.size(0));
    if (!inOrder(guided)) {
      return conditional.index_copy(0, longestFirstB.narrow(0, 0, guided), newGLC);
    }
    int others = images.size() - guided;
    return others == 0
        ? newGLC
        : torch.cat(new TensorVector(newGLC, conditional.narrow(0, guided, others)), 0);
  }
}
