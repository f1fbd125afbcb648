package io.bitloom.engine.codes;

import com.google.gson.FieldNamingPolicy;
import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import io.bitloom.common.schedule.Scale;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * Which quantizer a tokenizer is trained with.
 *
 * @param kind the quantizer
 * @param d channels of a feature, and bits of it for BSQ and LFQ
 * @param codebookSize entries of a codebook, for VQ and RVQ
 * @param levels values of each of the d channels, for FSQ; empty for the others
 * @param entropyWeight weight of E[H(q(z))] − codebookEntropyWeight · H(E[q(z)]), for BSQ and LFQ
 * @param codebookEntropyWeight how much an even use of the codes counts against sure tokens
 * @param commitmentWeight weight of the commitment
 * @param inverseTemperature sharpness of the soft assignment, for BSQ and LFQ
 * @param decay of the codebook's moving averages, for VQ and RVQ
 * @param singleScale whether only the last scale is quantized, without residuals: the plain
 *     tokenizer, to compare with
 */
public record QuantizerConfig(
    Kind kind,
    int d,
    int codebookSize,
    List<Integer> levels,
    double entropyWeight,
    double codebookEntropyWeight,
    double commitmentWeight,
    double inverseTemperature,
    double decay,
    boolean singleScale) {

  /** Metadata entry of a tokenizer's weight file that holds these settings as JSON. */
  public static final String METADATA = "quantizer";

  private static final int MOST_ENTRIES = 1 << 20;

  private static final Gson GSON =
      new GsonBuilder()
          .setFieldNamingPolicy(FieldNamingPolicy.LOWER_CASE_WITH_UNDERSCORES)
          .create();

  /** The quantizers. */
  public enum Kind {
    /** Binary spherical quantization. */
    BSQ,
    /** Lookup-free quantization. */
    LFQ,
    /** Vector quantization, one codebook for all scales. */
    VQ,
    /** Finite scalar quantization. */
    FSQ,
    /** Residual vector quantization, a codebook for every level. */
    RVQ
  }

  /** Checks the values. */
  public QuantizerConfig {
    require(kind != null, "kind", kind, "BSQ, LFQ, VQ, FSQ or RVQ");
    require(d >= 1 && d <= 64, "d", d, "1 to 64");
    boolean codebook = kind == Kind.VQ || kind == Kind.RVQ;
    require(!codebook || codebookSize >= 2, "codebook_size", codebookSize, "at least 2");
    require(
        !codebook || codebookSize <= MOST_ENTRIES, "codebook_size", codebookSize, "at most 2^20");
    require(
        kind != Kind.FSQ || (levels != null && levels.size() == d),
        "levels",
        levels,
        "one entry per channel, " + d);
    require(decay > 0 && decay < 1, "decay", decay, "between 0 and 1");
    require(inverseTemperature > 0, "inverse_temperature", inverseTemperature, "more than 0");
    levels = levels == null ? List.of() : List.copyOf(levels);
  }

  /** A quantizer with the usual settings; codebooks have 1024 entries, FSQ 8 levels a channel. */
  public static QuantizerConfig of(Kind kind, int d) {
    return new QuantizerConfig(
        kind,
        d,
        1024,
        kind == Kind.FSQ ? Collections.nCopies(d, 8) : List.of(),
        0.1,
        1,
        0.25,
        kind == Kind.LFQ ? 1 : 10,
        0.99,
        false);
  }

  /** The settings as {@link #of(JsonObject)} takes them. */
  public JsonObject json() {
    return GSON.toJsonTree(this).getAsJsonObject();
  }

  /**
   * Settings that were stored.
   *
   * @throws IllegalArgumentException naming the setting that is missing or out of range
   */
  public static QuantizerConfig of(JsonObject json) {
    try {
      return GSON.fromJson(json, QuantizerConfig.class);
    } catch (JsonParseException e) {
      throw new IllegalArgumentException("quantizer: " + e.getMessage(), e);
    } catch (RuntimeException e) {
      // Gson wraps what a record's constructor throws.
      if (e.getCause() instanceof IllegalArgumentException cause) {
        throw cause;
      }
      throw e;
    }
  }

  /** Those scales of a schedule that are quantized. */
  public List<Scale> quantized(List<Scale> scales) {
    return singleScale ? scales.subList(scales.size() - 1, scales.size()) : scales;
  }

  /**
   * The quantizer, for a schedule's number of scales.
   *
   * @param seed of the first entries of codebooks
   */
  public ResidualQuantizer build(int scales, long seed) {
    return switch (kind) {
      case BSQ -> shared(new BinarySphericalQuantizer(d, inverseTemperature));
      case LFQ -> shared(new LookupFreeQuantizer(d, inverseTemperature));
      case FSQ -> shared(new FiniteScalarQuantizer(levels));
      case VQ -> shared(new VectorQuantizer(d, codebookSize, decay, seed));
      case RVQ -> {
        List<Quantizer> codebooks = new ArrayList<>();
        for (int k = 0; k < (singleScale ? 1 : scales); k++) {
          codebooks.add(new VectorQuantizer(d, codebookSize, decay, seed + k));
        }
        yield new ResidualQuantizer(codebooks);
      }
    };
  }

  private static ResidualQuantizer shared(Quantizer quantizer) {
    return new ResidualQuantizer(List.of(quantizer));
  }

  private static void require(boolean holds, String name, Object value, String expected) {
    if (!holds) {
      throw new IllegalArgumentException(
          "quantizer: " + name + ": expected " + expected + ", got " + value);
    }
  }
}
