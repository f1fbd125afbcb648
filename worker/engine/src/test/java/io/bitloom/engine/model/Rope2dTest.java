package io.bitloom.engine.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import io.bitloom.common.schedule.Scale;
import io.bitloom.common.schedule.ScaleSchedules;
import io.bitloom.common.schedule.SizeClass;
import io.bitloom.engine.nn.Nn;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;

class Rope2dTest {
  @Test
  void positionsAreRoundedHalfToEven() {
    assertArrayEquals(new long[] {0, 2, 5, 8}, Rope2d.positions(4, 10)); // 0, 2.5, 5, 7.5
    assertArrayEquals(new long[] {0, 1, 2}, Rope2d.positions(3, 3));
  }

  @Test
  void theTableOfAScheduleIsComputedOnce() {
    List<Scale> scales = ScaleSchedules.nearest(1).schedule(SizeClass.PIXELS_0_06M).scales();
    try (Rope2d rope = new Rope2d(32, 2, TorchDevice.CPU)) {
      Tensor table = rope.table(scales);
      assertSame(table, rope.table(List.copyOf(scales)));
      assertArrayEquals(new long[] {1, 521, 1, 16}, table.shape());
    }
  }

  @Test
  void theSamePlaceHasTheSameAnglesOnEveryScale() {
    List<Scale> scales = ScaleSchedules.nearest(1).scales();
    try (Scope scope = Scope.open();
        Rope2d rope = new Rope2d(8, 2, TorchDevice.CPU)) {
      Tensor table = torch.view_as_real(rope.table(scales)).view(-1, 8);
      int scale2 = 1 + 4; // first token of the 4x4 scale
      int scale6 = 1 + 4 + 16 + 36 + 64 + 144; // first token of the 16x16 scale
      float[] coarse = Tensors.floats(table.select(0, scale2 + 1 * 4 + 2));
      float[] fine = Tensors.floats(table.select(0, scale6 + 4 * 16 + 8));
      assertArrayEquals(coarse, fine);
    }
  }

  @Test
  void rotationKeepsLengthsAndAddsAngles() {
    try (Scope scope = Scope.open();
        Rope2d rope = new Rope2d(4, 0, TorchDevice.CPU)) {
      Tensor table = rope.table(List.of(new Scale(2, 2)));
      Tensor x = Tensors.of(new float[] {1, 0, 1, 0}, 1, 1, 1, 4).expand(1, 4, 1, 4).contiguous();
      float[] turned = Tensors.floats(Nn.rotate(x, table));
      float sin = (float) Math.sin(1);
      float cos = (float) Math.cos(1);
      float[] lowerLeft = java.util.Arrays.copyOfRange(turned, 8, 12); // row 1, column 0
      assertArrayEquals(new float[] {cos, sin, 1, 0}, lowerLeft, 1e-6f);
      assertEquals(sin, turned[7], 1e-6f); // row 0, column 1
    }
  }
}
