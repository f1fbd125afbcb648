package io.bitloom.worker.tokenizer;

import com.google.gson.FieldNamingPolicy;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import java.util.List;

/**
 * The architecture of a visual tokenizer.
 *
 * @param codebookDim d, latent channels and thus bits per feature; at most 64
 * @param patchSize pixels per feature side, a power of two: 16, or 8 under spatial patchify
 * @param baseCh channels at full resolution
 * @param chMult channels per resolution level as multiples of {@code baseCh}
 * @param numResBlocks residual blocks per level of the encoder; the decoder has one more
 */
public record TokenizerConfig(
    int codebookDim, int patchSize, int baseCh, List<Integer> chMult, int numResBlocks) {

  /** Checks the values. */
  public TokenizerConfig {
    require(codebookDim >= 1 && codebookDim <= 64, "codebook_dim", codebookDim, "1 to 64");
    require(Integer.bitCount(patchSize) == 1, "patch_size", patchSize, "a power of two");
    require(baseCh >= 1, "base_ch", baseCh, "at least 1");
    require(numResBlocks >= 1, "num_res_blocks", numResBlocks, "at least 1");
    require(
        chMult != null
            && chMult.stream().allMatch(multiple -> multiple >= 1)
            && chMult.size() >= Integer.numberOfTrailingZeros(patchSize),
        "ch_mult",
        chMult,
        "at least one positive multiple per halving of the resolution");
    chMult = List.copyOf(chMult);
  }

  /**
   * Reads the settings as the fixtures and {@code model.json} write them: {@code codebook_dim,
   * patch_size, base_ch, ch_mult, num_res_blocks}.
   *
   * @throws IllegalArgumentException naming the setting, if one is missing or out of range
   */
  public static TokenizerConfig of(JsonObject json) {
    try {
      return new GsonBuilder()
          .setFieldNamingPolicy(FieldNamingPolicy.LOWER_CASE_WITH_UNDERSCORES)
          .create()
          .fromJson(json, TokenizerConfig.class);
    } catch (JsonParseException e) {
      throw new IllegalArgumentException("tokenizer settings: " + e.getMessage(), e);
    } catch (RuntimeException e) {
      // Gson wraps what a record's constructor throws.
      if (e.getCause() instanceof IllegalArgumentException cause) {
        throw cause;
      }
      throw e;
    }
  }

  /** Number of resolution levels. */
  public int levels() {
    return chMult.size();
  }

  /** Channels of a level. */
  public int channels(int level) {
    return baseCh * chMult.get(level);
  }

  /** How often the resolution is halved: log2 of the patch size. */
  public int halvings() {
    return Integer.numberOfTrailingZeros(patchSize);
  }

  private static void require(boolean holds, String name, Object value, String expected) {
    if (!holds) {
      throw new IllegalArgumentException(
          "tokenizer settings: " + name + ": expected " + expected + ", got " + value);
    }
  }
}
