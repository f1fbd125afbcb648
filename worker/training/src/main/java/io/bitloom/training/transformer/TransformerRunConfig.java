package io.bitloom.training.transformer;

import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import io.bitloom.training.config.ConfigField;
import io.bitloom.training.config.ConfigFile;
import io.bitloom.training.config.FieldFault;
import io.bitloom.training.data.DataConfig;
import io.bitloom.training.optim.OptimizerConfig;
import java.util.List;
import java.util.Map;

/**
 * The fields of a configuration file of {@code --mode train}, besides those of {@link
 * io.bitloom.training.run.RunConfig}.
 *
 * @param startFrom model directory or built-in model to start from; null for new weights
 * @param tokenizer model directory, built-in model or file; null for that of the start
 * @param transformer the official constructor's arguments; null for those of the start
 * @param textEncoder the text encoder
 * @param initialization of new weights
 * @param objective what the transformer is trained to do
 * @param optimizer which moves the weights
 * @param lora low-rank changes that are learnt instead of the weights; null for none
 * @param data what is trained on
 * @param exportEma whether the finished model has the averaged weights
 * @param partTokens image tokens that go through the model at a time
 * @param recompute whether activations of the blocks are recomputed on the way back
 * @param prompts of the sample grid
 */
public record TransformerRunConfig(
    @ConfigField String startFrom,
    @ConfigField String tokenizer,
    Map<String, JsonPrimitive> transformer,
    Text textEncoder,
    InfinityInitialization initialization,
    Objective objective,
    OptimizerConfig optimizer,
    LowRankChanges lora,
    DataConfig data,
    @ConfigField("true") boolean exportEma,
    @ConfigField(value = "2147483647", least = 1) int partTokens,
    @ConfigField("false") boolean recompute,
    List<String> prompts) {

  /** The official constructor's arguments that an architecture is described by. */
  private static final List<String> ARCHITECTURE =
      List.of(
          "embed_dim",
          "depth",
          "num_heads",
          "block_chunks",
          "mlp_ratio",
          "text_channels",
          "text_maxlen",
          "apply_spatial_patchify",
          "use_bit_label",
          "norm_eps",
          "rms_norm",
          "nm0",
          "shared_aln",
          "head_aln",
          "head_depth",
          "cos_attn",
          "swiglu",
          "cross_attn_layer_scale",
          "add_lvl_embeding_only_first_block",
          "rope2d_each_sa_layer",
          "rope2d_normalized_by_hw");

  /**
   * Fills in the sections that are not there.
   *
   * @throws FieldFault if {@code data} is not there, or an argument is not known
   */
  public TransformerRunConfig {
    if (data == null) {
      throw new FieldFault("data.path", "is missing");
    }
    for (String argument : transformer == null ? List.<String>of() : transformer.keySet()) {
      if (!ARCHITECTURE.contains(argument)) {
        throw new FieldFault("transformer." + argument, "is not known");
      }
    }
    textEncoder = textEncoder == null ? ConfigFile.defaults(Text.class) : textEncoder;
    initialization = initialization == null ? InfinityInitialization.REFERENCE : initialization;
    objective = objective == null ? Objective.REFERENCE : objective;
    optimizer = optimizer == null ? ConfigFile.defaults(OptimizerConfig.class) : optimizer;
    prompts = prompts == null ? List.of() : List.copyOf(prompts);
  }

  /** The arguments of a new transformer, always in the same order. */
  JsonObject architecture() {
    JsonObject arguments = new JsonObject();
    for (String name : ARCHITECTURE) {
      if (transformer != null && transformer.containsKey(name)) {
        arguments.add(name, transformer.get(name));
      }
    }
    return arguments;
  }

  /** Text encoders that a new transformer can be trained with. */
  public enum TextType {
    /** Words as they are. */
    HASHED_WORDS,
    /** A small encoder that learns with the transformer. */
    WORD_EMBEDDINGS
  }

  /**
   * The section {@code text_encoder}; null is what is not there.
   *
   * @param type of a new encoder: hashed words unless it says otherwise
   * @param learn whether word embeddings of the start learn on
   * @param relativeBuckets of word embeddings; 0 unless it says otherwise
   * @param vocabulary most words of new word embeddings
   * @param depth of new word embeddings
   * @param numHeads of new word embeddings
   */
  public record Text(
      @ConfigField TextType type,
      @ConfigField Boolean learn,
      @ConfigField Integer relativeBuckets,
      @ConfigField(least = 1) Integer vocabulary,
      @ConfigField Integer depth,
      @ConfigField(least = 1) Integer numHeads) {
    private static final int VOCABULARY = 10_000;
    private static final int DEPTH = 1;
    private static final int HEADS = 4;

    /** Buckets of relative positions. */
    int buckets() {
      return relativeBuckets == null ? 0 : relativeBuckets;
    }

    /** Most words of new word embeddings. */
    int words() {
      return vocabulary == null ? VOCABULARY : vocabulary;
    }

    /** Blocks of new word embeddings. */
    int blocks() {
      return depth == null ? DEPTH : depth;
    }

    /** Heads of new word embeddings. */
    int heads() {
      return numHeads == null ? HEADS : numHeads;
    }

    /** Refuses what is said of new word embeddings where there are none. */
    void refuseNewWords(ConfigFile file, String why) {
      refuse(file, "vocabulary", vocabulary, why);
      refuse(file, "depth", depth, why);
      refuse(file, "num_heads", numHeads, why);
    }

    /** Refuses a field that is there. */
    void refuse(ConfigFile file, String field, Object value, String why) {
      if (value != null) {
        throw file.fault("text_encoder." + field, why);
      }
    }
  }

  /**
   * The section {@code lora}.
   *
   * @param rank of the changes
   * @param alpha strength of the changes; null for the rank
   * @param targets which layers of a block
   */
  public record LowRankChanges(
      @ConfigField(value = "8", least = 1) int rank,
      @ConfigField(least = 1e-6, most = 1e6) Double alpha,
      List<String> targets) {
    private static final List<String> TARGETS = List.of("sa", "ca", "ffn");

    /** Fills in strength and targets. */
    public LowRankChanges {
      alpha = alpha == null ? Double.valueOf(rank) : alpha;
      targets = targets == null ? TARGETS : List.copyOf(targets);
    }
  }
}
