package io.bitloom.engine.tokenizer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonParser;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TokenizerConfigTest {
  private static final String CONFIG =
      "{\"codebook_dim\": 14, \"patch_size\": 8, \"base_ch\": 32, \"ch_mult\": [1, 1, 1, 2],"
          + " \"num_res_blocks\": 2, \"norm\": \"GroupNorm\"}";

  private static TokenizerConfig read(String json) {
    return TokenizerConfig.of(JsonParser.parseString(json).getAsJsonObject());
  }

  @Test
  void theSettingsOfAFixtureAreRead() {
    TokenizerConfig config = read(CONFIG);
    assertEquals(new TokenizerConfig(14, 8, 32, List.of(1, 1, 1, 2), 2), config);
    assertEquals(64, config.channels(3));
    assertEquals(3, config.halvings());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          "codebook_dim": 14     | "x": 14                 | codebook_dim: expected 1 to 64, got 0
          "codebook_dim": 14     | "codebook_dim": 65      | codebook_dim: expected 1 to 64, got 65
          "codebook_dim": 14     | "codebook_dim": "many"  | NumberFormatException
          "patch_size": 8        | "patch_size": 12        | patch_size: expected a power of two, got 12
          "base_ch": 32          | "base_ch": -1           | base_ch: expected at least 1, got -1
          "ch_mult": [1, 1, 1, 2]| "ch_mult": [1, 1]       | ch_mult: expected
          "ch_mult": [1, 1, 1, 2]| "ch_mult": [1, 1, 0, 1] | ch_mult: expected
          "ch_mult": [1, 1, 1, 2]| "mult": 1               | ch_mult: expected
          "num_res_blocks": 2    | "num_res_blocks": 2, "pixel_shuffle": 3  | pixel_shuffle: expected a power of two
          "num_res_blocks": 2    | "num_res_blocks": 2, "pixel_shuffle": 16 | pixel_shuffle: expected a power of two
          "num_res_blocks": 2    | "num_res_blocks": 0     | num_res_blocks: expected at least 1, got 0
          """)
  void aSettingThatIsMissingOrOutOfRangeIsNamed(String from, String to, String message) {
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> read(CONFIG.replace(from, to)));
    assertTrue(e.getMessage().contains(message), e.getMessage());
  }
}
