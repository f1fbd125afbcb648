package io.bitloom.engine.tensor.cpu;

import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Tensors;
import java.util.Locale;
import org.bytedeco.pytorch.Tensor;

/**
 * What the time of a 3×3 convolution with stride 1 and padding 1 depends on.
 *
 * @param doubled whether the map is doubled first by repeating every cell
 * @param dtype what is computed in: F32 or BF16
 * @param in channels
 * @param out channels
 * @param height cells of the map, before it is doubled
 * @param width cells of the map, before it is doubled
 */
record ConvolutionShape(boolean doubled, DType dtype, long in, long out, long height, long width) {
  private static final int TAPS = 9;

  /** The convolution of x (B, in, H, W) with weight (out, in, 3, 3). */
  static ConvolutionShape of(boolean doubled, Tensor x, Tensor weight) {
    return new ConvolutionShape(
        doubled, Tensors.dtype(x), weight.size(1), weight.size(0), x.size(2), x.size(3));
  }

  /** Operations of the direct sum. */
  double operations() {
    return rowOperations() * height;
  }

  /** The same with fewer rows, so that it has not many more operations than {@code most}. */
  ConvolutionShape shortened(double most, long leastRows) {
    long rows = Math.max(leastRows, Math.round(most / rowOperations()));
    return new ConvolutionShape(doubled, dtype, in, out, Math.min(height, rows), width);
  }

  private double rowOperations() {
    return 2.0 * TAPS * in * out * width * (doubled ? 4 : 1);
  }

  /** For files and people: {@code f32 512x512 of 64x64}. */
  @Override
  public String toString() {
    String type = dtype.name().toLowerCase(Locale.ROOT);
    String map = height + "x" + width + (doubled ? " doubled" : "");
    return type + " " + in + " to " + out + " channels, " + map;
  }
}
