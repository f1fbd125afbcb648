package io.bitloom.engine.model;

import io.bitloom.common.schedule.AspectRatioTemplate;
import io.bitloom.common.schedule.Scale;
import io.bitloom.common.schedule.ScaleSchedules;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * Two-dimensional rotary position embedding: the first half of a head's pairs of channels turns
 * with the token's row, the second half with its column. Tokens of different scales at the same
 * place of the picture get (nearly) the same angles.
 *
 * <p>A table is complex, cos + i·sin, because turning a pair of channels is one complex product;
 * see {@link io.bitloom.engine.tensor.Kernels#rotate}.
 */
public final class Rope2d implements AutoCloseable {
  /** Wavelengths grow from 2π to (almost) 2π times this. */
  public static final double BASE = 10_000;

  /** Side of the grid of positions: 2048 pixels over the tokenizer's stride of 16. */
  static final int GRID = 2048 / 16;

  private final int headDim;
  private final int mode;
  private final PerSchedule tables;

  /**
   * @param headDim channels of a head, a multiple of 4
   * @param mode see {@link InfinityConfig#ropeMode()}
   * @param device where the tables are used
   */
  public Rope2d(int headDim, int mode, TorchDevice device) {
    this.headDim = headDim;
    this.mode = mode;
    tables = new PerSchedule(schedule -> Tensors.to(compute(schedule), device));
  }

  /** The angles of all tokens of a schedule (1, L, 1, c/2), complex; computed once per schedule. */
  public Tensor table(List<Scale> scales) {
    return tables.of(scales);
  }

  /** The largest grid of this aspect ratio, to which smaller ones are related. */
  static Scale largestGrid(List<Scale> schedule) {
    Scale last = schedule.get(schedule.size() - 1);
    AspectRatioTemplate template = ScaleSchedules.nearest((double) last.height() / last.width());
    return template.scales().get(template.scales().size() - 1);
  }

  private Tensor compute(List<Scale> schedule) {
    Tensor grid = positionGrid(); // (2, GRID, GRID, c/2): cos, sin
    Scale largest = largestGrid(schedule);
    List<Tensor> scales = new ArrayList<>();
    for (Scale scale : schedule) {
      Tensor angles =
          switch (mode) {
            case 0 -> grid.narrow(1, 0, scale.height()).narrow(2, 0, scale.width());
            case 1 -> interpolated(grid, scale, largest);
            default -> stretched(grid, scale, largest);
          };
      scales.add(angles.reshape(2, scale.tokens(), headDim / 2));
    }
    Tensor table = torch.cat(vector(scales), 1); // (2, L, c/2)
    Tensor pairs = torch.stack(new TensorVector(table.select(0, 0), table.select(0, 1)), -1);
    return torch.view_as_complex(pairs).unsqueeze(0).unsqueeze(2); // (1, L, 1, c/2)
  }

  /** cos and sin at every integer position: row angles first, then column angles. */
  private Tensor positionGrid() {
    int half = headDim / 2;
    Tensor exponents = onCpu(floats(half / 2, i -> 2f * i / half));
    Tensor frequencies = torch.pow(new Scalar(BASE), exponents).reciprocal(); // (c/4)
    Tensor angles = torch.outer(onCpu(floats(GRID, i -> i)), frequencies);
    Tensor rows = angles.unsqueeze(1).expand(GRID, GRID, half / 2);
    Tensor columns = angles.unsqueeze(0).expand(GRID, GRID, half / 2);
    Tensor both = torch.cat(new TensorVector(rows, columns), -1); // (GRID, GRID, c/2)
    return torch.stack(new TensorVector(both.cos(), both.sin()), 0);
  }

  /** Mode 1: the largest grid, as far as it fits into the positions, resized to the scale. */
  private static Tensor interpolated(Tensor grid, Scale scale, Scale largest) {
    int h = largest.height();
    int w = largest.width();
    int height = h >= w ? GRID : (int) ((double) GRID / w * h);
    int width = h >= w ? (int) ((double) GRID / h * w) : GRID;
    Tensor used = grid.narrow(1, 0, height).narrow(2, 0, width).permute(0, 3, 1, 2);
    return torch
        .upsample_bilinear2d(used, new long[] {scale.height(), scale.width()}, true)
        .permute(0, 2, 3, 1);
  }

  /** Mode 2: every token takes the position that its place has on the largest grid. */
  private static Tensor stretched(Tensor grid, Scale scale, Scale largest) {
    Tensor rows = onCpu(positions(scale.height(), largest.height()));
    Tensor columns = onCpu(positions(scale.width(), largest.width()));
    return grid.index_select(1, rows).index_select(2, columns);
  }

  /**
   * Position of each of {@code count} cells on a side of {@code largest} cells. The product is
   * rounded to float32 before it is rounded half to even, as in the official code: float64 gives
   * other positions.
   */
  public static long[] positions(int count, int largest) {
    float step = (float) ((double) largest / count);
    long[] positions = new long[count];
    for (int i = 0; i < count; i++) {
      positions[i] = (long) Math.rint(i * step);
    }
    return positions;
  }

  private static Tensor onCpu(long[] values) {
    return Tensors.of(values, TorchDevice.CPU, values.length);
  }

  private static Tensor onCpu(float[] values) {
    return Tensors.of(values, TorchDevice.CPU, values.length);
  }

  private interface FloatFunction {
    float at(int index);
  }

  private static float[] floats(int count, FloatFunction value) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = value.at(i);
    }
    return values;
  }

  private static TensorVector vector(List<Tensor> tensors) {
    return new TensorVector(tensors.toArray(Tensor[]::new));
  }

  @Override
  public void close() {
    tables.close();
  }
}
