package io.bitloom.engine.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;

class HostBytesTest {
  @Test
  void eachPartHasItsBytesInOrderWhateverTheLayoutAndOutlivesTheTensor() {
    HostBytes copied;
    try (Scope scope = Scope.open()) {
      Tensor rows = Tensors.of(new byte[] {1, 2, 3, 4, 5, -6}, 3, 2);
      copied = HostBytes.of(rows.transpose(0, 1)); // not contiguous
    }
    try (copied) {
      List<byte[]> parts = copied.parts();
      assertEquals(2, parts.size());
      assertArrayEquals(new byte[] {1, 3, 5}, parts.get(0));
      assertArrayEquals(new byte[] {2, 4, -6}, parts.get(1));
    }
  }
}
