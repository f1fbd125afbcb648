package io.bitloom.engine.codes;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.schedule.Scale;
import io.bitloom.common.schedule.ScaleSchedules;
import io.bitloom.common.schedule.SizeClass;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.engine.tensor.Transfers;
import java.util.List;
import org.bytedeco.pytorch.InferenceMode;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Quantizers on a device where values can neither be read nor be wrong. */
class MetaQuantizersTest {
  private static final List<Scale> SCALES =
      ScaleSchedules.nearest(1, SizeClass.PIXELS_0_06M).scales();

  private final ResidualQuantizer bsq = ResidualQuantizer.ofBits(8);
  private final ResidualQuantizer lfq =
      new ResidualQuantizer(List.of(new LookupFreeQuantizer(8, 1)));
  private final ResidualQuantizer fsq =
      new ResidualQuantizer(List.of(new FiniteScalarQuantizer(List.of(8, 5, 5, 3, 8, 5, 5, 3))));
  private final ResidualQuantizer vq =
      new ResidualQuantizer(List.of(new VectorQuantizer(8, 32, 0.9, 1)));

  @AfterEach
  void close() {
    List.of(bsq, lfq, fsq, vq).forEach(ResidualQuantizer::close);
  }

  @Test
  void everythingStaysOnTheDevice() {
    for (ResidualQuantizer quantizer : List.of(bsq, lfq, fsq, vq)) {
      try (Scope scope = Scope.open();
          InferenceMode inference = new InferenceMode(true)) {
        Tensor features = features();
        ResidualQuantizer.Quantized quantized = quantizer.quantize(features, SCALES);
        assertTrue(quantized.commitment().is_meta() && quantized.tokenEntropy().is_meta());
        ResidualQuantizer.Encoding encoding = quantizer.encode(features, SCALES);
        for (Tensor sum : List.of(encoding.summedCodes(), quantizer.sum(quantized.digits()))) {
          assertTrue(sum.is_meta());
          assertArrayEquals(features.shape(), sum.shape());
        }
      }
    }
  }

  /** Not those of VQ, whose codebook lies on the CPU, where it learns. */
  @Test
  void constantsAreUploadedOnce() {
    for (ResidualQuantizer quantizer : List.of(bsq, lfq, fsq)) {
      try (Scope scope = Scope.open()) {
        quantizer.quantize(features(), SCALES);
        long uploads = Transfers.ofThread().uploads();
        quantizer.quantize(features(), SCALES);
        quantizer.encode(features(), SCALES);
        assertEquals(uploads, Transfers.ofThread().uploads());
      }
    }
  }

  @Test
  void labelsAndBitsAreMadeThere() {
    try (Scope scope = Scope.open()) {
      long uploads = Transfers.ofThread().uploads();
      Tensor bits = Bits.ofLabels(Tensors.range(6, TorchDevice.META), 9);
      assertArrayEquals(new long[] {6, 9}, bits.shape());
      assertArrayEquals(new long[] {6}, Bits.labels(bits).shape());
      assertEquals(uploads, Transfers.ofThread().uploads());
    }
  }

  private static Tensor features() {
    return Tensors.empty(DType.F32, TorchDevice.META, 2, 8, 16, 16);
  }
}
