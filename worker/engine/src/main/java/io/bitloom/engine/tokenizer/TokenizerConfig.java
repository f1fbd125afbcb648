package io.bitloom.engine.tokenizer;

import com.google.gson.FieldNamingPolicy;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import io.bitloom.common.schedule.Scale;
import io.bitloom.common.schedule.ScaleSchedule;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The architecture of a visual tokenizer.
 *
 * @param codebookDim d, latent channels and thus bits per cell; at most 64
 * @param patchSize pixels per cell side, a power of two: 16, or 8 under spatial patchify
 * @param baseCh channels at the first level's resolution
 * @param chMult channels per resolution level as multiples of {@code baseCh}
 * @param numResBlocks residual blocks per level of the encoder; the decoder has one more
 * @param vocabSize entries of the codebook of a VAR's VQVAE, which also has attention at the
 *     smallest resolution; 0 where cells become bits
 * @param pixelShuffle r, a power of two: the networks see r×r pixels as the channels of one, so
 *     that nothing is computed at full resolution, where most of the time goes otherwise; 1 (or 0,
 *     a setting that is not there) in all released tokenizers
 */
public record TokenizerConfig(
    int codebookDim,
    int patchSize,
    int baseCh,
    List<Integer> chMult,
    int numResBlocks,
    int vocabSize,
    int pixelShuffle) {

  private static final int RGB = 3;

  private static final Pattern PRESET =
      Pattern.compile("(?:infinity_vae_)?d(14|16|18|20|24|32|64)(?:_?reg)?");

  private static final int PATCHIFIED_BITS = 14;

  /** Checks the values. */
  public TokenizerConfig {
    require(codebookDim >= 1 && codebookDim <= 64, "codebook_dim", codebookDim, "1 to 64");
    require(Integer.bitCount(patchSize) == 1, "patch_size", patchSize, "a power of two");
    require(baseCh >= 1, "base_ch", baseCh, "at least 1");
    require(numResBlocks >= 1, "num_res_blocks", numResBlocks, "at least 1");
    pixelShuffle = pixelShuffle == 0 ? 1 : pixelShuffle;
    require(
        Integer.bitCount(pixelShuffle) == 1 && pixelShuffle >= 1 && pixelShuffle <= patchSize,
        "pixel_shuffle",
        pixelShuffle,
        "a power of two, at most patch_size");
    require(
        chMult != null
            && chMult.stream().allMatch(multiple -> multiple >= 1)
            && chMult.size() >= halvings(patchSize, pixelShuffle),
        "ch_mult",
        chMult,
        "at least one positive multiple per halving of the resolution");
    require(vocabSize >= 0 && vocabSize <= 1 << 24, "vocab_size", vocabSize, "0 to 2^24");
    chMult = List.copyOf(chMult);
  }

  /** The sizes of its features in a schedule: twice the transformer's under spatial patchify. */
  public List<Scale> scales(ScaleSchedule schedule) {
    return patchSize < ScaleSchedule.PIXELS_PER_TOKEN
        ? schedule.scales().stream().map(Scale::doubled).toList()
        : schedule.scales();
  }

  /** Whether this is a VAR's VQVAE: a codebook, and attention at the smallest resolution. */
  public boolean vectorQuantized() {
    return vocabSize > 0;
  }

  /** Whether the residual blocks of a level are followed by attention. */
  boolean attentionAt(int level) {
    return vectorQuantized() && level == levels() - 1;
  }

  /** A tokenizer as it was released: cells become bits, the networks see the pixels one by one. */
  public TokenizerConfig(
      int codebookDim, int patchSize, int baseCh, List<Integer> chMult, int numResBlocks) {
    this(codebookDim, patchSize, baseCh, chMult, numResBlocks, 0, 1);
  }

  /**
   * Reads the settings as the fixtures and {@code model.json} write them: {@code codebook_dim,
   * patch_size, base_ch, ch_mult, num_res_blocks} and, where they are not 0 and 1, {@code
   * vocab_size, pixel_shuffle}.
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

  /**
   * The released tokenizers: {@code infinity_vae_d16} to {@code d64} of stride 16, and {@code
   * infinity_vae_d14}, of stride 8 for models with spatial patchify.
   *
   * @return settings as {@link #of} takes them; empty for a name that is not of this form
   */
  public static Optional<JsonObject> preset(String name) {
    Matcher matcher = PRESET.matcher(name);
    if (!matcher.matches()) {
      return Optional.empty();
    }
    int bits = Integer.parseInt(matcher.group(1));
    boolean patchify = bits == PATCHIFIED_BITS;
    JsonArray multiples = new JsonArray();
    (patchify ? List.of(1, 2, 4, 4) : List.of(1, 2, 4, 4, 4)).forEach(multiples::add);
    JsonObject settings = new JsonObject();
    settings.addProperty("codebook_dim", bits);
    settings.addProperty("patch_size", patchify ? 8 : 16);
    settings.addProperty("base_ch", 128);
    settings.add("ch_mult", multiples);
    settings.addProperty("num_res_blocks", 2);
    return Optional.of(settings);
  }

  /** Number of resolution levels. */
  public int levels() {
    return chMult.size();
  }

  /** Channels of a level. */
  public int channels(int level) {
    return baseCh * chMult.get(level);
  }

  /** How often the networks halve the resolution: log2 of patch size / pixel shuffle. */
  public int halvings() {
    return halvings(patchSize, pixelShuffle);
  }

  /** Channels of a picture as the networks see it. */
  public int pictureChannels() {
    return RGB * pixelShuffle * pixelShuffle;
  }

  /**
   * Values that the decoder's maps hold at most at one time, for a picture of this many pixels: of
   * a residual block its input, that normalised, and the first convolution's output, or of a
   * doubling the smaller map, the larger and the convolution's output.
   */
  public long decoderValues(long pixels) {
    long most = 0;
    int in = channels(levels() - 1);
    for (int level = levels() - 1; level >= 0; level--) {
      int out = channels(level);
      int halved = Math.min(level, halvings());
      long cells = pixels / ((long) pixelShuffle * pixelShuffle) >> 2 * halved;
      most = Math.max(most, cells * (2L * in + out));
      if (level >= 1 && level <= halvings()) {
        most = Math.max(most, cells * out + 4 * cells * 2 * out);
      }
      in = out;
    }
    return most;
  }

  private static int halvings(int patchSize, int pixelShuffle) {
    return Integer.numberOfTrailingZeros(patchSize) - Integer.numberOfTrailingZeros(pixelShuffle);
  }

  private static void require(boolean holds, String name, Object value, String expected) {
    if (!holds) {
      throw new IllegalArgumentException(
          "tokenizer settings: " + name + ": expected " + expected + ", got " + value);
    }
  }
}
