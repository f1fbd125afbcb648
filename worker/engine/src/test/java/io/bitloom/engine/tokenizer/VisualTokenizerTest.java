package io.bitloom.engine.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.schedule.Scale;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.engine.tensor.Weights;
import io.bitloom.engine.tensor.WeightsException;
import java.util.List;
import java.util.Set;
import org.bytedeco.pytorch.GeneratorOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class VisualTokenizerTest {
  private static final TokenizerConfig CONFIG = new TokenizerConfig(6, 2, 32, List.of(1, 1), 1);
  private static final List<Scale> SCALES = List.of(new Scale(1, 1), new Scale(3, 2));

  /** Random weights under the official names, or without the infixes. */
  private static Weights weights(boolean infixes) {
    Weights weights = new Weights("tiny.pth");
    String[] blocks = {
      "encoder.down.0.block.0", "encoder.down.1.block.0", "encoder.mid.block_1",
      "encoder.mid.block_2", "decoder.mid.block_1", "decoder.mid.block_2",
      "decoder.up.1.block.0", "decoder.up.1.block.1", "decoder.up.0.block.0",
      "decoder.up.0.block.1"
    };
    for (String block : blocks) {
      for (String part : new String[] {"1", "2"}) {
        norm(weights, block + ".norm" + part + (infixes ? ".norm" : ""));
        convolution(weights, block + ".conv" + part + (infixes ? ".conv" : ""), 32, 32);
      }
    }
    norm(weights, "encoder.norm_out" + (infixes ? ".norm" : ""));
    norm(weights, "decoder.norm_out" + (infixes ? ".norm" : ""));
    convolution(weights, "encoder.conv_in" + (infixes ? ".conv" : ""), 32, 3);
    convolution(weights, "encoder.conv_out" + (infixes ? ".conv" : ""), 6, 32);
    convolution(weights, "decoder.conv_in" + (infixes ? ".conv" : ""), 32, 6);
    convolution(weights, "decoder.conv_out" + (infixes ? ".conv" : ""), 3, 32);
    convolution(weights, "encoder.down.0.downsample.conv" + (infixes ? ".conv" : ""), 32, 32);
    convolution(weights, "decoder.up.1.upsample.conv" + (infixes ? ".conv" : ""), 32, 32);
    return weights;
  }

  private static void convolution(Weights weights, String name, int out, int in) {
    try (Scope scope = Scope.open()) {
      int seed = name.replace(".conv", "").hashCode();
      weights.put(name + ".weight", Tensors.times(random(seed, out, in, 3, 3), 0.1));
      weights.put(name + ".bias", random(seed + 1, out));
    }
  }

  private static Tensor random(long seed, long... shape) {
    return torch.randn(shape, new GeneratorOptional(torch.make_generator_cpu(seed)));
  }

  private static void norm(Weights weights, String name) {
    try (Scope scope = Scope.open()) {
      weights.put(name + ".weight", Tensors.zeros(DType.F32, TorchDevice.CPU, 32).add_(one()));
      weights.put(name + ".bias", Tensors.zeros(DType.F32, TorchDevice.CPU, 32));
    }
  }

  private static Tensor one() {
    return Tensors.of(new float[] {1}, 1);
  }

  private static Tensor picture() {
    byte[] values = new byte[3 * 6 * 4];
    for (int i = 0; i < values.length; i++) {
      values[i] = (byte) (37 * i);
    }
    return Tensors.of(values, 1, 3, 6, 4);
  }

  @Test
  void aPictureBecomesBitsAndAPictureOfTheSameSize() {
    try (Weights weights = weights(true);
        VisualTokenizer tokenizer = new VisualTokenizer(CONFIG, weights);
        Scope scope = Scope.open()) {
      assertEquals(Set.of(), tokenizer.unexpected());
      var encoding = tokenizer.encode(picture(), SCALES);
      assertArrayEquals(new long[] {1, 3, 2, 6}, encoding.digits().get(1).shape());
      Tensor decoded = tokenizer.pictures(encoding.summedCodes());
      assertArrayEquals(new long[] {1, 6, 4, 3}, decoded.shape());
      assertEquals(DType.U8, Tensors.dtype(decoded));
    }
  }

  @Test
  void namesWithoutInfixesMeanTheSame() {
    try (Weights official = weights(true);
        Weights bare = weights(false);
        VisualTokenizer first = new VisualTokenizer(CONFIG, official);
        VisualTokenizer second = new VisualTokenizer(CONFIG, bare);
        Scope scope = Scope.open()) {
      assertArrayEquals(
          Tensors.floats(first.features(picture())), Tensors.floats(second.features(picture())));
    }
  }

  @Test
  void theTokenizerOutlivesTheWeightsItWasMadeOf() {
    Weights weights = weights(true);
    try (VisualTokenizer tokenizer = new VisualTokenizer(CONFIG, weights);
        Scope scope = Scope.open()) {
      weights.close();
      assertArrayEquals(new long[] {1, 6, 3, 2}, tokenizer.features(picture()).shape());
    }
  }

  @Test
  void inBfloat16TheNetworksRoundAndTheQuantizerDoesNot() {
    try (Weights weights = weights(true);
        Weights half = weights.to(TorchDevice.CPU, DType.BF16);
        VisualTokenizer exact = new VisualTokenizer(CONFIG, weights);
        VisualTokenizer rounded = new VisualTokenizer(CONFIG, half);
        Scope scope = Scope.open()) {
      Tensor features = rounded.features(picture());
      assertEquals(DType.F32, Tensors.dtype(features));
      assertEquals(DType.F32, Tensors.dtype(rounded.encode(picture(), SCALES).summedCodes()));
      assertArrayEquals(Tensors.floats(exact.features(picture())), Tensors.floats(features), 0.3f);
    }
  }

  @Test
  void aMissingAndAMisshapenTensorAreNamed() {
    try (Weights weights = weights(true);
        Weights renamed = weights.renamed(name -> name.replace("up.1.upsample", "up.2.upsample"))) {
      String missing = refusal(CONFIG, renamed);
      assertTrue(missing.contains("decoder.up.1.upsample.conv.conv.weight: is missing"), missing);
      String misshapen = refusal(new TokenizerConfig(7, 2, 32, List.of(1, 1), 1), weights);
      assertTrue(
          misshapen.contains(
              "encoder.conv_out.conv.weight: expected shape [7, 32, 3, 3], found [6, 32, 3, 3]"),
          misshapen);
    }
  }

  @Test
  void aMaskThatReadsLabelsInAnotherOrderIsRefused() {
    try (Weights weights = weights(true);
        Scope scope = Scope.open()) {
      weights.put("quantizer.lfq.mask", Tensors.of(new long[] {1, 2, 4, 8, 16, 32}, 6));
      String message = refusal(CONFIG, weights);
      assertTrue(message.contains("quantizer.lfq.mask: is not 2^5 down to 1"), message);
    }
  }

  private static String refusal(TokenizerConfig config, Weights weights) {
    return assertThrows(WeightsException.class, () -> new VisualTokenizer(config, weights).close())
        .getMessage();
  }

  @ParameterizedTest
  @CsvSource({
    "encoder.conv_in.weight, encoder.conv_in.conv.weight",
    "encoder.conv_in.conv.weight, encoder.conv_in.conv.weight",
    "encoder.down.0.downsample.conv.bias, encoder.down.0.downsample.conv.conv.bias",
    "encoder.down.0.downsample.conv.conv.bias, encoder.down.0.downsample.conv.conv.bias",
    "decoder.up.4.block.0.nin_shortcut.weight, decoder.up.4.block.0.nin_shortcut.conv.weight",
    "decoder.mid.block_1.norm2.bias, decoder.mid.block_1.norm2.norm.bias",
    "decoder.norm_out.norm.bias, decoder.norm_out.norm.bias",
    "quantizer.lfq.mask, quantizer.lfq.mask"
  })
  void bothWaysOfNamingLeadToTheOfficialName(String name, String official) {
    assertEquals(official, TokenizerNames.official(name));
  }

  @Test
  void pixelsAreClampedAndTruncatedOnTheWayBack() {
    try (Scope scope = Scope.open()) {
      Tensor signal = Tensors.of(new float[] {-7, -1, 0, 0.999f, 1, 9}, 6);
      assertArrayEquals(
          new byte[] {0, 0, 127, (byte) 254, (byte) 255, (byte) 255},
          Tensors.bytes(Pixels.toBytes(signal)));
      byte[] all = new byte[256];
      for (int i = 0; i < 256; i++) {
        all[i] = (byte) i;
      }
      float[] values = Tensors.floats(Pixels.toSignal(Tensors.of(all, 256)));
      assertEquals(-1, values[0]);
      assertEquals(1, values[255]);
    }
  }
}
