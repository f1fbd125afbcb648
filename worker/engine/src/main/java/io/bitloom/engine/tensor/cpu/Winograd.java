package io.bitloom.engine.tensor.cpu;

import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * 3×3 convolution of one image by Winograd's minimal filtering: tiles of 6×6 inputs and the filters
 * are transformed, multiplied for each of the 36 places of a tile as matrices (tiles, in)·(in,
 * out), and the products are transformed to outputs. libtorch has it for no CPU.
 *
 * <p>A large map is cut into strips of tiles, which the cores take in turn. Of a small one the
 * cores take slices of the output channels: there the filters are what is large.
 */
final class Winograd {
  private static final int TILE = WinogradForm.TILE;
  private static final int PLACES = TILE * TILE;

  /** As many tiles as make a matrix product efficient and their products stay in the cache. */
  private static final int STRIP_TILES = 256;

  /**
   * Columns of a matrix product where the output channels are sliced, which its last bits depend
   * on: not the number of cores.
   */
  private static final int SLICE_COLUMNS = 128;

  private static final int LEAST_SLICES = 2;

  /** Floats of transformed inputs, up to which the output channels are sliced. */
  private static final long SMALL_MAP = 1 << 23;

  /**
   * Most channels that a product adds up at once. A longer sum rounds more, and the output
   * transform enlarges that: with all channels at once a shallow decoder's error is up to three
   * times that of the direct sum.
   */
  private static final int MOST_SUMMED_CHANNELS = 64;

  private static final int VECTOR = 16;

  /** Below these the transforms cost more than they save. */
  private static final int LEAST_TILES = 64;

  private static final int LEAST_CHANNELS = 128;

  private final WinogradForm form;
  private final Tensor image; // (H, W, in)
  private final Tensor weight; // (out, in, 3, 3)
  private final Tensor bias; // (out)
  private final Tensor result; // (H·phases, W·phases, out)
  private final int in;
  private final int out;
  private final int variants; // of every filter: one for each pair of phases
  private final int rows;
  private final int columns;

  private Winograd(WinogradForm form, Tensor image, Tensor weight, Tensor bias, Tensor result) {
    this.form = form;
    this.image = image;
    this.weight = weight;
    this.bias = bias;
    this.result = result;
    in = Math.toIntExact(weight.size(1));
    out = Math.toIntExact(weight.size(0));
    variants = form.phases() * form.phases();
    rows = tiles(form, image.size(0));
    columns = tiles(form, image.size(1));
  }

  /** Whether the shape is large enough to gain. */
  static boolean takes(WinogradForm form, ConvolutionShape shape) {
    return shape.in() >= LEAST_CHANNELS
        && shape.out() >= LEAST_CHANNELS
        && tiles(form, shape.height()) * tiles(form, shape.width()) >= LEAST_TILES * form.phases();
  }

  /**
   * Convolution with stride 1 and zero padding 1 in float32. The result is laid out with channels
   * last, which is also the quickest layout for x. Each image is computed on its own, so that it
   * does not depend on the batch.
   *
   * @param bias (out) or null
   */
  static Tensor conv3x3(WinogradForm form, Tensor xBCHW, Tensor weight, Tensor bias) {
    int phases = form.phases();
    long height = xBCHW.size(2) * phases;
    long width = xBCHW.size(3) * phases;
    long out = weight.size(0);
    try (Scope scope = Scope.open()) {
      Tensor images = xBCHW.permute(0, 2, 3, 1); // (B, H, W, in)
      Tensor results = Tensors.empty(DType.F32, TorchDevice.CPU, xBCHW.size(0), height, width, out);
      Tensor shift = bias == null ? Tensors.zeros(DType.F32, TorchDevice.CPU, out) : bias;
      for (int i = 0; i < xBCHW.size(0); i++) {
        new Winograd(form, images.get(i), weight, shift, results.get(i)).compute();
      }
      return scope.keep(results.permute(0, 3, 1, 2)); // (B, out, H, W)
    }
  }

  private void compute() {
    if ((long) PLACES * in * rows * columns <= SMALL_MAP) {
      byChannels();
    } else {
      byStrips();
    }
  }

  private void byStrips() {
    Tensor filters = Scratch.take("all filters", PLACES, variants, out, in);
    inPieces(
        out,
        slices(),
        (from, count) ->
            filters
                .narrow(2, from, count)
                .copy_(filters(from, count).view(PLACES, variants, count, in)));
    Tensor flat = filters.view(PLACES, variants * out, in);
    inPieces(
        rows,
        (rows * columns + STRIP_TILES - 1) / STRIP_TILES,
        (from, count) -> {
          Tensor tiles = Scratch.take("tiles", PLACES, count, columns, in);
          for (int row = 0; row < count; row++) {
            input(from + row, tiles.select(1, row));
          }
          multiply(tiles, flat, from, 0, out);
        });
  }

  private void byChannels() {
    Tensor tiles = Scratch.take("all tiles", PLACES, rows, columns, in);
    CpuTeam.run(rows, row -> input(row, tiles.select(1, row)));
    inPieces(out, slices(), (from, count) -> multiply(tiles, filters(from, count), 0, from, count));
  }

  private int slices() {
    return Math.max(LEAST_SLICES, variants * out / SLICE_COLUMNS);
  }

  private interface Range {
    void accept(int from, int count);
  }

  private static void inPieces(int total, int wanted, Range range) {
    int pieces = Math.min(wanted, total);
    CpuTeam.run(
        pieces,
        piece -> {
          int from = piece * total / pieces;
          range.accept(from, (piece + 1) * total / pieces - from);
        });
  }

  /** Transformed filters of some output channels (36, variants·count, in). */
  private Tensor filters(int from, int count) {
    Tensor filters = Scratch.take("filters", PLACES * variants, (long) count * in);
    form.filters(weight.narrow(0, from, count), filters);
    return filters.view(PLACES, (long) variants * count, in);
  }

  /** Transforms the inputs of a row of tiles into {@code tiles} (36, columns, in). */
  private void input(int row, Tensor tiles) {
    long first = (long) row * form.step() - 1; // padding
    long width = image.size(1);
    long from = Math.max(0, first);
    long count = Math.min(image.size(0), first + TILE) - from;
    Tensor region = Scratch.take("region", TILE, (columns - 1L) * form.step() + TILE, in);
    region.zero_();
    region.narrow(0, from - first, count).narrow(1, 1, width).copy_(image.narrow(0, from, count));
    Tensor vertical = Scratch.take("vertical", region.shape());
    form.inputs(along(0, region, TILE), along(0, vertical, TILE));
    Tensor windows = vertical.unfold(1, TILE, form.step()); // (6, columns, in, 6)
    form.inputs(along(3, windows, TILE), along(1, tiles.view(TILE, TILE, columns, in), TILE));
  }

  /** Tiles (36, count, columns, in) from a row on to the outputs of some channels. */
  private void multiply(Tensor tiles, Tensor filters, int row, int channel, int channels) {
    long count = tiles.size(1);
    long all = (long) variants * channels;
    Tensor products = Scratch.take("products", PLACES, count * columns, all);
    Tensor inputs = tiles.view(PLACES, count * columns, in);
    Tensor weights = filters.transpose(1, 2); // (36, in, all)
    for (int place = 0; place < PLACES; place++) {
      product(products.select(0, place), inputs.select(0, place), weights.select(0, place));
    }
    Tensor byRow = products.view(TILE, TILE, count, columns, all);
    for (int i = 0; i < count; i++) {
      output(byRow.select(2, i), row + i, channel, channels);
    }
  }

  /**
   * (tiles, in)·(in, out), added up in parts while the result of this one place is in the cache.
   */
  private void product(Tensor result, Tensor x, Tensor w) {
    for (int from = 0; from < in; from += summed()) {
      int some = Math.min(summed(), in - from);
      Tensor xPart = x.narrow(1, from, some);
      Tensor wPart = w.narrow(0, from, some);
      if (from == 0) {
        torch.mm_out(result, xPart, wPart);
      } else {
        result.addmm_(xPart, wPart);
      }
    }
  }

  /** Input channels of one product: equal parts, in whole vectors. */
  private int summed() {
    int parts = (in + MOST_SUMMED_CHANNELS - 1) / MOST_SUMMED_CHANNELS;
    int vectors = (in + VECTOR * parts - 1) / (VECTOR * parts);
    return vectors * VECTOR;
  }

  /** Transforms the products of a row of tiles (6, 6, columns, variants·channels) to outputs. */
  private void output(Tensor products, int row, int channel, int channels) {
    int step = form.step();
    int phases = form.phases();
    Tensor vertical = Scratch.take("vertical", step, TILE, columns, phases, phases, channels);
    form.outputs(along(0, products, TILE), along(0, vertical.flatten(3, 5), step));
    Tensor outputs = Scratch.take("outputs", step, phases, columns, step, phases, channels);
    form.outputs(
        along(1, vertical, TILE), // (step, columns, phases, phases, channels)
        along(3, outputs.permute(0, 2, 1, 3, 4, 5), step));
    long side = (long) step * phases; // outputs of a tile along an axis
    long before = phases - 1; // outputs of the first tile that lie before the map
    long first = row * side - before;
    long from = Math.max(0, first);
    long count = Math.min(result.size(0), first + side) - from;
    torch.add_out(
        result.narrow(0, from, count).narrow(2, channel, channels),
        outputs
            .view(side, columns * side, channels)
            .narrow(0, from - first, count)
            .narrow(1, before, result.size(1)),
        bias.narrow(0, channel, channels));
  }

  private static Tensor[] along(int axis, Tensor tensor, int count) {
    return IntStream.range(0, count).mapToObj(i -> tensor.select(axis, i)).toArray(Tensor[]::new);
  }

  private static int tiles(WinogradForm form, long side) {
    long outputs = side * form.phases() + form.phases() - 1;
    long step = (long) form.step() * form.phases();
    return Math.toIntExact((outputs + step - 1) / step);
  }
}
