package io.bitloom.engine.model;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonParser;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.Weights;
import io.bitloom.engine.tensor.WeightsException;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.Test;

class InfinityLayoutTest {
  /** A released architecture; the rest of its settings is common to all. */
  private static Map<String, long[]> layout(int width, int depth, int heads, int chunks, int bits) {
    String arguments =
        String.format(
            Locale.ROOT,
            """
        {"embed_dim": %d, "depth": %d, "num_heads": %d, "mlp_ratio": 4, "block_chunks": %d,
         "text_channels": 2048, "text_maxlen": 512, "shared_aln": true,
         "rope2d_each_sa_layer": 1, "rope2d_normalized_by_hw": 2,
         "apply_spatial_patchify": %d}
        """,
            width,
            depth,
            heads,
            chunks,
            bits == 56 ? 1 : 0);
    return InfinityLayout.of(
        InfinityConfig.parse(JsonParser.parseString(arguments).getAsJsonObject(), bits));
  }

  private static long parameters(Map<String, long[]> layout) {
    return layout.entrySet().stream()
        .filter(tensor -> !tensor.getKey().endsWith("zero_k_bias"))
        .mapToLong(tensor -> Arrays.stream(tensor.getValue()).reduce(1, (a, b) -> a * b))
        .sum();
  }

  @Test
  void the125MModelHasTheParametersOfTheOfficialOne() {
    Map<String, long[]> layout = layout(768, 12, 8, 4, 32);
    assertEquals(125_185_696, parameters(layout));
    assertEquals(249 + 2 * 12 + 1, layout.size());
  }

  @Test
  void theReleasedModelsHaveTheirNamesAndShapes() {
    Map<String, long[]> b2 = layout(2048, 32, 16, 8, 32);
    assertEquals(2.2e9, parameters(b2), 0.1e9);
    assertEquals(
        "[6144, 2048]", Arrays.toString(b2.get("block_chunks.7.module.3.sa.mat_qkv.weight")));
    Map<String, long[]> b8 = layout(3584, 40, 28, 8, 56);
    assertEquals(8.2e9, parameters(b8), 0.3e9);
    assertEquals("[3584, 56]", Arrays.toString(b8.get("word_embed.weight")));
    assertEquals("[112, 3584]", Arrays.toString(b8.get("head.weight")));
    assertEquals("[1, 16, 224]", Arrays.toString(b8.get("text_proj_for_sos.ca.mat_q")));
  }

  @Test
  void weightsThatFitAreAccepted() {
    InfinityConfig config = TinyInfinity.config();
    try (Weights weights = TinyInfinity.weights(config)) {
      assertDoesNotThrow(() -> InfinityLayout.check(config, weights));
    }
  }

  @Test
  void everyTensorThatDoesNotFitIsNamed() {
    InfinityConfig config = TinyInfinity.config();
    try (Scope scope = Scope.open();
        Weights fitting = TinyInfinity.weights(config);
        Weights weights = new Weights("broken.pth")) {
      for (String name : fitting.names()) {
        if (!name.equals("pos_start") && !name.equals("head.bias")) {
          weights.put(name, fitting.get(name).clone());
        }
      }
      weights.put("head.bias", Tensors.of(new float[3], 3));
      weights.put("novelty", Tensors.of(new float[3], 3));
      weights.put("lvl_1L", Tensors.of(new float[3], 3));
      String message =
          assertThrows(WeightsException.class, () -> InfinityLayout.check(config, weights))
              .getMessage();
      assertTrue(message.startsWith("broken.pth: "), message);
      assertTrue(message.contains("pos_start is missing, expected shape [1, 1, 64]"), message);
      assertTrue(message.contains("head.bias: expected shape [16], found [3]"), message);
      assertTrue(message.contains("novelty is not part of this architecture"), message);
      assertTrue(!message.contains("lvl_1L"), message);
    }
  }
}
