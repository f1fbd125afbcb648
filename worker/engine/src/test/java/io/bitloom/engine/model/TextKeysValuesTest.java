package io.bitloom.engine.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.bitloom.engine.tensor.PackedRows;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
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
      TextKeysValues.EachText each = TextKeysValues.each(kv, LENGTHS);
      TextKeysValues padded = each.padded();
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
      TextKeysValues.Padded padded = TextKeysValues.each(kv, LENGTHS).padded();
      assertArrayEquals(new long[] {4, 12, 4, 8}, padded.keysRTHc().shape());
      assertArrayEquals(new long[] {4, 1, 1, 12}, padded.maskR11T().shape());
      Tensor queries = torch.randn(4, 6, 4, 8);
      Tensor tight = kv.narrow(1, 0, 18);
      same(
          TextKeysValues.each(tight, LENGTHS).attend(queries, SCALE),
          padded.attend(queries, SCALE));
    }
  }

  private static void same(Tensor expected, Tensor computed) {
    assertArrayEquals(expected.shape(), computed.shape());
    assertArrayEquals(Tensors.floats(expected), Tensors.floats(computed), ROUNDING);
  }
}
