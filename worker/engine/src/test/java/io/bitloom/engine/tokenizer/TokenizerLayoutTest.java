package io.bitloom.engine.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.engine.tensor.Weights;
import io.bitloom.engine.tensor.WeightsException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;

class TokenizerLayoutTest {
  private static final List<TokenizerConfig> CONFIGS =
      List.of(
          new TokenizerConfig(16, 16, 32, List.of(1, 1, 2, 2, 2), 1),
          new TokenizerConfig(14, 8, 32, List.of(1, 1, 1, 2), 2),
          new TokenizerConfig(32, 16, 32, List.of(1, 2, 4, 4, 4), 2),
          new TokenizerConfig(16, 16, 32, List.of(1, 2, 2), 1, 0, 4));

  @Test
  void theLayoutIsWhatTheTokenizerAsksForAndNothingElse() {
    for (TokenizerConfig config : CONFIGS) {
      try (Weights weights = zeros(TokenizerLayout.of(config));
          VisualTokenizer tokenizer = new VisualTokenizer(config, weights)) {
        assertEquals(Set.of(), tokenizer.unexpected(), config.toString());
      }
    }
  }

  @Test
  void everyTensorOfTheLayoutIsNeeded() {
    TokenizerConfig config = CONFIGS.get(0);
    for (String missing : List.of("encoder.conv_in.conv.bias", "decoder.norm_out.norm.weight")) {
      Map<String, long[]> layout = new LinkedHashMap<>(TokenizerLayout.of(config));
      layout.remove(missing);
      try (Weights weights = zeros(layout)) {
        WeightsException refused =
            assertThrows(WeightsException.class, () -> new VisualTokenizer(config, weights));
        assertTrue(refused.getMessage().contains(missing), refused.getMessage());
      }
    }
  }

  @Test
  void onGpusMapsOfTheDecoderKeepTheirChannelsLastAndTheirType() {
    for (TokenizerConfig config : CONFIGS) {
      for (DType dtype : new DType[] {DType.F32, DType.BF16}) {
        try (Weights weights = zeros(TokenizerLayout.of(config));
            Weights placed = weights.to(TorchDevice.META, dtype);
            VisualTokenizer tokenizer = new VisualTokenizer(config, placed);
            Scope scope = Scope.open()) {
          Tensor codes = Tensors.empty(DType.F32, TorchDevice.META, 3, config.codebookDim(), 4, 6);
          List<String> others = new ArrayList<>();
          List<Long> values = new ArrayList<>(List.of(codes.numel()));
          tokenizer.decode(
              codes,
              (name, map) -> {
                values.add(map.numel());
                if (name.equals("pixel_shuffle")) {
                  return; // the picture, whatever its layout
                }
                if (!map.is_contiguous(torch.MemoryFormat.ChannelsLast)
                    || Tensors.dtype(map) != dtype) {
                  others.add(name);
                }
              });
          assertEquals(List.of(), others, config + " " + dtype);
          long largest = 0; // input and output of a layer, without what lies between
          for (int i = 1; i < values.size(); i++) {
            largest = Math.max(largest, values.get(i - 1) + values.get(i));
          }
          long pixels = 3L * 4 * 6 * config.patchSize() * config.patchSize();
          double ratio = (double) config.decoderValues(pixels) / largest;
          assertTrue(ratio >= 1 && ratio < 2, config + " " + ratio);
          Tensor pictures = tokenizer.pictures(codes);
          assertArrayEquals(
              new long[] {3, 4L * config.patchSize(), 6L * config.patchSize(), 3},
              pictures.shape());
        }
      }
    }
  }

  private static Weights zeros(Map<String, long[]> layout) {
    Weights weights = new Weights("zeros");
    try (Scope scope = Scope.open()) {
      layout.forEach(
          (name, shape) -> weights.put(name, Tensors.zeros(DType.F32, TorchDevice.CPU, shape)));
    }
    return weights;
  }
}
