package io.bitloom.loadtests.gpu;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.bitloom.engine.modeldir.ModelDirectory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * The models of a sitting: architectures of released models, and small ones of every kind. Their
 * weights are random by a rule, so that nothing has to be carried, and alike on every machine.
 */
enum SittingModel {
  TINY(
      "tiny",
      "0.06M",
      """
      {"config": {"embed_dim": 64, "depth": 4, "num_heads": 2, "block_chunks": 2, "mlp_ratio": 4,
       "text_channels": 128, "text_maxlen": 512, "shared_aln": true, "rope2d_each_sa_layer": 1,
       "rope2d_normalized_by_hw": 2}}
      """,
      """
      {"config": {"codebook_dim": 8, "patch_size": 16, "base_ch": 32, "ch_mult": [1, 1, 1, 1, 1],
       "num_res_blocks": 1}}
      """),
  TINY_PATCHIFY(
      "tiny-patchify",
      "0.06M",
      """
      {"config": {"embed_dim": 64, "depth": 4, "num_heads": 2, "block_chunks": 2, "mlp_ratio": 4,
       "text_channels": 128, "text_maxlen": 512, "shared_aln": true, "rope2d_each_sa_layer": 1,
       "rope2d_normalized_by_hw": 2, "apply_spatial_patchify": 1}}
      """,
      """
      {"config": {"codebook_dim": 4, "patch_size": 8, "base_ch": 32, "ch_mult": [1, 1, 1, 1],
       "num_res_blocks": 1}}
      """),
  TINY_VAR(
      "tiny-var",
      "var256",
      """
      {"config": {"num_classes": 4, "vocab_size": 24, "embed_dim": 64, "depth": 4, "num_heads": 2,
       "attn_l2_norm": true}}
      """,
      """
      {"config": {"codebook_dim": 8, "patch_size": 16, "base_ch": 32, "ch_mult": [1, 1, 1, 1, 1],
       "num_res_blocks": 1, "vocab_size": 24}}
      """),
  M125("125m", "0.06M, 0.25M, 0.60M, 1M", "{\"preset\": \"infinity_layer12\"}", Tokenizers.D32),
  M2B("2b", "0.06M, 0.25M, 0.60M, 1M", "{\"preset\": \"infinity_2b\"}", Tokenizers.D32),
  M8B("8b", "0.06M, 0.25M, 0.60M, 1M", "{\"preset\": \"infinity_8b\"}", Tokenizers.D14);

  /** Settings of the tokenizers of the released models. */
  private static final class Tokenizers {
    private static final String D32 =
        """
        {"config": {"codebook_dim": 32, "patch_size": 16, "base_ch": 128,
         "ch_mult": [1, 2, 4, 4, 4], "num_res_blocks": 2}}
        """;
    private static final String D14 =
        """
        {"config": {"codebook_dim": 14, "patch_size": 8, "base_ch": 128, "ch_mult": [1, 2, 4, 4],
         "num_res_blocks": 2}}
        """;
  }

  /** The models whose results are compared between devices. */
  static final List<SittingModel> OF_PARITY = List.of(TINY, TINY_PATCHIFY, TINY_VAR);

  private final String label;
  private final String sizes;
  private final String transformer;
  private final String tokenizer;

  SittingModel(String label, String sizes, String transformer, String tokenizer) {
    this.label = label;
    this.sizes = sizes;
    this.transformer = transformer;
    this.tokenizer = tokenizer;
  }

  /** The name in options and reports. */
  String label() {
    return label;
  }

  /** Whether it draws a size. */
  boolean draws(String size) {
    return List.of(sizes.split(", ")).contains(size);
  }

  /**
   * Writes the model's directory.
   *
   * @param template a {@code model.json} whose rules make weights under which logits and pictures
   *     have the spread of a trained model's
   * @param folder for the directories of all models
   */
  ModelDirectory directory(Path template, Path folder) throws IOException {
    JsonObject model = JsonParser.parseString(Files.readString(template)).getAsJsonObject();
    model.addProperty("name", label);
    JsonArray labels = new JsonArray();
    List.of(sizes.split(", ")).forEach(labels::add);
    model.add("sizes", labels);
    replace(model, "transformer", transformer);
    replace(model, "tokenizer", tokenizer);
    Path own = Files.createDirectories(folder.resolve(label));
    Files.writeString(own.resolve("model.json"), model.toString());
    return ModelDirectory.open(own.toString());
  }

  /** Other settings for a part, with the template's rules for its weights. */
  private static void replace(JsonObject model, String part, String settings) {
    JsonObject other = JsonParser.parseString(settings).getAsJsonObject();
    other.add("weights", model.getAsJsonObject(part).get("weights"));
    model.add(part, other);
  }

  @Override
  public String toString() {
    return label;
  }
}
