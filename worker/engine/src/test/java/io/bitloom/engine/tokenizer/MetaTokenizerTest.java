package io.bitloom.engine.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.schedule.Scale;
import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.common.schedule.ScaleSchedules;
import io.bitloom.common.schedule.SizeClass;
import io.bitloom.engine.codes.ResidualQuantizer;
import io.bitloom.engine.model.MetaModels;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.MetaWeights;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.engine.tensor.Transfers;
import io.bitloom.engine.tensor.Weights;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The released tokenizers at every size as a GPU would have them, on tensors without memory. */
class MetaTokenizerTest {
  static Stream<TokenizerConfig> released() {
    Stream<TokenizerConfig> bits =
        Stream.of(14, 16, 18, 20, 24, 32, 64)
            .map(d -> TokenizerConfig.of(TokenizerConfig.preset("d" + d).orElseThrow()));
    return Stream.concat(bits, Stream.of(MetaModels.VQVAE));
  }

  @ParameterizedTest
  @MethodSource("released")
  void picturesBecomeCodesAndCodesPictures(TokenizerConfig config) {
    for (DType dtype : List.of(DType.F32, DType.BF16)) {
      try (Weights stored = MetaWeights.of(TokenizerLayout.of(config));
          Weights weights = stored.to(TorchDevice.META, dtype);
          VisualTokenizer tokenizer = new VisualTokenizer(config, weights)) {
        Arrays.stream(SizeClass.values())
            .filter(size -> size.squareOnly() == config.vectorQuantized())
            .forEach(size -> roundTrip(tokenizer, ScaleSchedules.nearest(0.75, size)));
      }
    }
  }

  private static void roundTrip(VisualTokenizer tokenizer, ScaleSchedule schedule) {
    TokenizerConfig config = tokenizer.config();
    int height = schedule.pixelHeight();
    int width = schedule.pixelWidth();
    long[] cells = {
      2, config.codebookDim(), height / config.patchSize(), width / config.patchSize()
    };
    try (Scope scope = Scope.open()) {
      long uploads = Transfers.ofThread().uploads();
      Tensor pictures = Tensors.empty(DType.U8, TorchDevice.META, 2, 3, height, width);
      Tensor codes = tokenizer.features(pictures); // (B, d, H, W)
      assertArrayEquals(cells, codes.shape());
      if (!config.vectorQuantized()) {
        List<Scale> scales = config.scales(schedule);
        ResidualQuantizer.Encoding encoding = tokenizer.encode(pictures, scales);
        assertArrayEquals(
            new long[] {2, scales.get(1).height(), scales.get(1).width(), config.codebookDim()},
            encoding.digits().get(1).shape());
        codes = encoding.summedCodes();
        assertArrayEquals(cells, codes.shape());
        assertArrayEquals(cells, tokenizer.quantizer().sum(encoding.digits()).shape());
      }
      assertEquals(DType.F32, Tensors.dtype(codes));
      Tensor decoded = tokenizer.decode(codes);
      assertArrayEquals(new long[] {2, 3, height, width}, decoded.shape());
      Tensor bytes = tokenizer.pictures(codes);
      assertArrayEquals(new long[] {2, height, width, 3}, bytes.shape());
      assertEquals(DType.U8, Tensors.dtype(bytes));
      assertTrue(bytes.is_meta());
      assertEquals(uploads, Transfers.ofThread().uploads());
    }
  }
}
