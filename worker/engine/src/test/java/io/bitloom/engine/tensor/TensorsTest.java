package io.bitloom.engine.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TensorsTest {
  @Test
  void arraysComeBackInRowMajorOrder() {
    try (Scope scope = Scope.open()) {
      Tensor x = Tensors.of(new float[] {1, 2, 3, 4, 5, 6}, 2, 3);
      assertArrayEquals(new float[] {1, 4, 2, 5, 3, 6}, Tensors.floats(x.t()));
      assertArrayEquals(new double[] {1, 2, 3, 4, 5, 6}, Tensors.doubles(x));
      assertArrayEquals(new long[] {7, 8}, Tensors.longs(Tensors.of(new long[] {7, 8}, 2)));
      assertArrayEquals(
          new byte[] {0, (byte) 200}, Tensors.bytes(Tensors.of(new byte[] {0, (byte) 200}, 2)));
    }
  }

  @Test
  void aShapeThatDoesNotFitTheArrayIsRefused() {
    assertThrows(IllegalArgumentException.class, () -> Tensors.of(new float[] {1, 2, 3}, 2, 2));
  }

  @Test
  void whatHasNoValuesCanNotBeRead() {
    try (Scope scope = Scope.open()) {
      Tensor meta = Tensors.empty(DType.F32, TorchDevice.META, 2, 3);
      List<Runnable> readers =
          List.of(
              () -> Tensors.floats(meta),
              () -> Tensors.doubles(meta),
              () -> Tensors.longs(meta),
              () -> Tensors.bytes(meta),
              () -> Tensors.isFinite(meta),
              () -> Tensors.to(meta, TorchDevice.CPU));
      for (Runnable reader : readers) {
        String refusal = assertThrows(IllegalStateException.class, reader::run).getMessage();
        assertTrue(refusal.contains("[2, 3]"), refusal);
      }
    }
  }

  @Test
  void uploadsAreCountedAndNothingElse() {
    try (Scope scope = Scope.open()) {
      long before = Transfers.ofThread().uploads();
      Tensor device = Tensors.of(new double[] {1, 2}, TorchDevice.META, DType.BF16, 2);
      assertEquals(DType.BF16, Tensors.dtype(device));
      Tensors.to(Tensors.of(new long[] {1}, TorchDevice.META, 1), TorchDevice.META);
      Tensors.floats(Tensors.of(new float[] {1}, TorchDevice.CPU, 1));
      Tensors.range(3, TorchDevice.META);
      assertEquals(2, Transfers.ofThread().uploads() - before);
    }
  }

  @Test
  void onlyFloatingPointTensorsChangeTypeWithTheModel() {
    try (Scope scope = Scope.open()) {
      Tensor weight = Tensors.of(new float[] {1.5f}, 1);
      Tensor index = Tensors.of(new long[] {1}, 1);
      assertEquals(DType.BF16, Tensors.dtype(Tensors.to(weight, TorchDevice.CPU, DType.BF16)));
      assertEquals(DType.I64, Tensors.dtype(Tensors.to(index, TorchDevice.CPU, DType.BF16)));
    }
  }

  @Test
  void writesToAMappedFileStayPrivate(@TempDir Path folder) throws Exception {
    Path file = Files.write(folder.resolve("bytes"), new byte[] {1, 2, 3});
    try (Scope scope = Scope.open()) {
      Tensor mapped = Tensors.map(file, 3);
      mapped.add_(mapped);
      assertArrayEquals(new byte[] {2, 4, 6}, Tensors.bytes(mapped));
      assertArrayEquals(new byte[] {1, 2, 3}, Files.readAllBytes(file));
    }
  }

  @Test
  void aMappingLivesAsLongAsAViewOfIt(@TempDir Path folder) throws Exception {
    Path file = Files.write(folder.resolve("bytes"), new byte[] {1, 2, 3, 4});
    Tensor view;
    try (Scope scope = Scope.open()) {
      view = scope.keep(Tensors.map(file, 4).narrow(0, 2, 2));
    }
    assertArrayEquals(new byte[] {3, 4}, Tensors.bytes(view));
    view.close();
  }
}
