package io.bitloom.engine.codes;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.schedule.Scale;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;

class BitwiseSelfCorrectionTest {
  private static final List<Scale> SCALES =
      List.of(new Scale(1, 1), new Scale(2, 2), new Scale(4, 4));
  private static final Flips ALL = (scale, bits) -> bits.eq(bits);

  private final ResidualQuantizer quantizer = ResidualQuantizer.ofBits(8);

  private BitwiseSelfCorrection correction(int layers, boolean requantize, boolean patchify) {
    return new BitwiseSelfCorrection(
        quantizer, new BitwiseSelfCorrection.Config(layers, requantize, patchify));
  }

  private static Tensor features() {
    return ResidualQuantizerTest.random(5, 2, 8, 4, 4);
  }

  @Test
  void withoutFlipsTheLabelsAreTheTokenizersOwnBits() {
    try (Scope scope = Scope.open()) {
      var sample = correction(3, true, false).correct(features(), SCALES, Flips.NONE);
      var encoding = quantizer.encode(features(), SCALES);
      Tensor bits =
          Tensors.concat(encoding.digits().stream().map(it -> it.flatten(1, 2)).toList(), 1);
      assertArrayEquals(new long[] {2, 21, 8}, sample.labels().shape());
      assertArrayEquals(new long[] {2, 20, 8}, sample.inputs().shape());
      assertArrayEquals(Tensors.bytes(bits), Tensors.bytes(sample.labels()));
      var evaluated =
          new BitwiseSelfCorrection(quantizer, BitwiseSelfCorrection.Config.withoutFlips(false))
              .correct(features(), SCALES, ALL);
      assertArrayEquals(Tensors.bytes(bits), Tensors.bytes(evaluated.labels()));
      assertArrayEquals(Tensors.floats(sample.inputs()), Tensors.floats(evaluated.inputs()));
    }
  }

  @Test
  void theMarginOfABitIsItsResidualsDistanceFromTheOtherBit() {
    try (Scope scope = Scope.open()) {
      var sample = correction(3, true, false).correct(features(), SCALES, ALL);
      assertArrayEquals(sample.labels().shape(), sample.margins().shape());
      Tensor mean = features().mean(2L, 3L); // (2, 8): the residual of the first scale
      assertArrayEquals(
          Tensors.floats(mean.abs()), Tensors.floats(sample.margins().select(1, 0)), 1e-6f);
      var first = sample.first(SCALES.subList(0, 2));
      assertArrayEquals(new long[] {2, 5, 8}, first.margins().shape());
      assertArrayEquals(new long[] {2, 5, 8}, first.labels().shape());
      assertArrayEquals(new long[] {2, 4, 8}, first.inputs().shape());
    }
  }

  @Test
  void laterLabelsMakeUpForFlipsAndEarlierOnesDoNotChange() {
    try (Scope scope = Scope.open()) {
      Tensor plain = correction(3, true, false).correct(features(), SCALES, Flips.NONE).labels();
      Tensor corrected = correction(1, true, false).correct(features(), SCALES, ALL).labels();
      assertArrayEquals(
          Tensors.bytes(plain.narrow(1, 0, 1)), Tensors.bytes(corrected.narrow(1, 0, 1)));
      assertFalse(
          Arrays.equals(
              Tensors.bytes(plain.narrow(1, 1, 20)), Tensors.bytes(corrected.narrow(1, 1, 20))));
    }
  }

  @Test
  void withoutRequantisationFlipsAreSeenInTheInputsAndNoLabelMakesUpForThem() {
    try (Scope scope = Scope.open()) {
      var plain = correction(3, true, false).correct(features(), SCALES, Flips.NONE);
      var flipped = correction(3, false, false).correct(features(), SCALES, ALL);
      assertArrayEquals(Tensors.bytes(plain.labels()), Tensors.bytes(flipped.labels()));
      // The opposite of all bits so far has the opposite sum.
      assertArrayEquals(
          Tensors.floats(plain.inputs().neg()), Tensors.floats(flipped.inputs()), 1e-6f);
    }
  }

  @Test
  void spatialPatchifyMakesOneTokenOfFourFeatures() {
    try (Scope scope = Scope.open()) {
      List<Scale> doubled = List.of(new Scale(2, 2), new Scale(4, 4));
      var sample = correction(2, true, true).correct(features(), doubled, Flips.NONE);
      assertArrayEquals(new long[] {2, 1 + 4, 32}, sample.labels().shape());
      assertArrayEquals(new long[] {2, 4, 32}, sample.inputs().shape());
      Tensor bits = quantizer.encode(features(), doubled).digits().get(0); // (2, 2, 2, 8)
      assertArrayEquals(
          Tensors.bytes(bits.permute(0, 3, 1, 2)), Tensors.bytes(sample.labels().narrow(1, 0, 1)));
    }
  }

  @Test
  void aSingleScaleHasLabelsAndNoInputs() {
    try (Scope scope = Scope.open()) {
      var sample = correction(1, true, false).correct(features(), SCALES.subList(2, 3), Flips.NONE);
      assertArrayEquals(new long[] {2, 16, 8}, sample.labels().shape());
      assertArrayEquals(new long[] {2, 0, 8}, sample.inputs().shape());
    }
  }

  @Test
  void aQuantizerWithoutBitsIsRefused() {
    var quantizer = new ResidualQuantizer(List.of(new FiniteScalarQuantizer(List.of(2, 2, 3))));
    var config = new BitwiseSelfCorrection.Config(1, true, false);
    assertEquals(
        "self-correction turns bits over, the quantizer has digits of [2, 2, 3] values",
        assertThrows(
                IllegalArgumentException.class, () -> new BitwiseSelfCorrection(quantizer, config))
            .getMessage());
  }

  @Test
  void randomFlipsAreRepeatableAndStayBelowTheStrength() {
    try (Scope scope = Scope.open()) {
      Tensor bits = Tensors.zeros(DType.U8, TorchDevice.CPU, 4, 32, 32, 16);
      Flips first = Flips.random(0.3, new SplittableRandom(7));
      Flips second = Flips.random(0.3, new SplittableRandom(7));
      double largest = 0;
      for (int scale = 0; scale < 20; scale++) {
        Tensor mask = first.mask(scale, bits);
        assertArrayEquals(Tensors.bytes(mask), Tensors.bytes(second.mask(scale, bits)));
        double share = Tensors.doubles(Tensors.to(mask, DType.F64).mean())[0];
        assertTrue(share <= 0.3 + 0.01, "share " + share);
        largest = Math.max(largest, share);
      }
      assertTrue(largest > 0.1, "largest share " + largest);
      assertEquals(
          0,
          Tensors.doubles(
              Tensors.to(Flips.random(0, new SplittableRandom(7)).mask(0, bits), DType.F64).sum())[
              0]);
    }
  }
}
