package io.bitloom.engine.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.PackedRows;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;

class TextKeysValuesTest {
  private static final List<Integer> LENGTHS = List.of(5, 1, 9, 3);
  private static final float ROUNDING = 1e-5f;

  private static final double SCALE = 0.25;

  @Test
  void textsPaddedToOneLengthGiveWhatEachGivesAlone() {
    try (Scope scope = Scope.open()) {
      Tensor kv = torch.randn(1, 18, 2, 4, 8);
      Tensor queries = torch.randn(4, 6, 4, 8);
      TextKeysValues each = TextKeysValues.of(kv, new Texts(LENGTHS, null));
      TextKeysValues padded =
          TextKeysValues.of(
              kv,
              Texts.padded(new PackedRows(kv.view(18, -1), LENGTHS), TorchDevice.CPU, DType.F32));
      same(each.attend(queries, SCALE), padded.attend(queries, SCALE));
      Tensor some = queries.narrow(0, 1, 2);
      same(each.rows(1, 2).attend(some, SCALE), padded.rows(1, 2).attend(some, SCALE));
    }
  }

  @Test
  void withRoomForAllTextsTheLengthDoesNotDependOnThem() {
    try (Scope scope = Scope.open()) {
      PackedRows texts = new PackedRows(torch.randn(18, 64), LENGTHS);
      PackedRows roomy = texts.withRoom(12);
      assertEquals(30, roomy.spare());
      assertEquals(texts.count(), roomy.count());
      Tensor kv = roomy.rows().view(1, 48, 2, 4, 8);
      TextKeysValues.Padded padded =
          (TextKeysValues.Padded)
              TextKeysValues.of(kv, Texts.padded(roomy, TorchDevice.CPU, DType.F32));
      assertArrayEquals(new long[] {4, 16, 2, 4, 8}, padded.kvRT2Hc().shape()); // 12, aligned
      assertArrayEquals(new long[] {4, 1, 1, 16}, padded.maskR11T().shape());
      Tensor queries = torch.randn(4, 6, 4, 8);
      TextKeysValues each = TextKeysValues.of(kv.narrow(1, 0, 18), new Texts(LENGTHS, null));
      same(each.attend(queries, SCALE), padded.attend(queries, SCALE));
    }
  }

  private static void same(Tensor expected, Tensor computed) {
    assertArrayEquals(expected.shape(), computed.shape());
    assertArrayEquals(Tensors.floats(expected), Tensors.floats(computed), ROUNDING);
  }
}
