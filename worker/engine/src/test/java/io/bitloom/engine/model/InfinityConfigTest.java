package io.bitloom.engine.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class InfinityConfigTest {
  @ParameterizedTest
  @CsvSource({
    "768, 4, false, 3072",
    "1152, 4, false, 4608",
    "2080, 4, false, 8192", // 32.5 multiples of 256: half to even
    "64, 4, false, 256",
    "768, 4, true, 2048"
  })
  void theFeedForwardWidthIsRoundedToAMultipleOf256(
      int width, double ratio, boolean gated, int expected) {
    InfinityConfig config =
        TinyInfinity.config(
            8,
            String.format(
                Locale.ROOT,
                "\"embed_dim\": %d, \"mlp_ratio\": %s, \"swiglu\": %s, \"num_heads\": 8",
                width,
                ratio,
                gated));
    assertEquals(expected, config.mlpWidth());
  }

  @Test
  void blocksAreNamedByChunk() {
    assertEquals("block_chunks.1.module.0.", TinyInfinity.config().blockName(2));
    InfinityConfig unchunked = TinyInfinity.config(8, "\"block_chunks\": 1");
    assertEquals("blocks.2.", unchunked.blockName(2));
  }

  @Test
  void aTokenOfThePatchifiedModelStandsForFourCells() {
    InfinityConfig config = TinyInfinity.config(56, "\"apply_spatial_patchify\": 1");
    assertEquals(14, config.tokenizerChannels());
    assertEquals(112, config.logitsPerToken());
    assertEquals(256, TinyInfinity.config(8, "\"use_bit_label\": 0").logitsPerToken());
  }

  @ParameterizedTest
  @CsvSource({
    "num_heads, 3",
    "block_chunks, 3",
    "rope2d_normalized_by_hw, 3",
    "rope2d_each_sa_layer, 2",
    "text_channels, 0",
    "embed_dim, -1",
    "head_depth, 3",
    "depth, 1.5",
    "shared_aln, 2",
    "norm_eps, '\"small\"'"
  })
  void aValueThatDoesNotFitIsRefusedByItsKey(String key, String value) {
    String message =
        assertThrows(
                IllegalArgumentException.class,
                () -> TinyInfinity.config(8, "\"" + key + "\": " + value))
            .getMessage();
    assertTrue(message.startsWith(key + ": expected "), message);
  }
}
