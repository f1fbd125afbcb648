package io.bitloom.engine.text;

import io.bitloom.engine.nn.Nn;
import io.bitloom.engine.nn.Parameters;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.PackedRows;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.engine.tensor.Weights;
import java.util.List;
import java.util.Map;
import java.util.function.ObjIntConsumer;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.bytedeco.pytorch.InferenceMode;
import org.bytedeco.pytorch.Tensor;

/**
 * The encoder of T5 v1.1 and Flan-T5 on token ids (Raffel et al. 2019; Shazeer 2020 for the gated
 * GELU). Weights have Hugging Face's key names; a decoder's are not looked at.
 */
public final class T5Encoder implements AutoCloseable {
  private final T5Config config;
  private final Parameters parameters;
  private final Tensor embedding; // (vocabulary, C)
  private final Tensor relativeBias; // (buckets, heads): block 0's, used by all blocks
  private final List<T5Block> blocks;
  private final Tensor finalNorm; // (C)

  /**
   * @param dtype type of the linear layers; embeddings, norms, scores and features are float32
   * @throws io.bitloom.engine.tensor.WeightsException if a tensor is missing or of another shape
   */
  public T5Encoder(T5Config config, Weights weights, TorchDevice device, DType dtype) {
    this.config = config;
    parameters = Parameters.frozen(weights, device, dtype);
    String shared = "encoder.embed_tokens.weight";
    String name = weights.has("shared.weight") ? "shared.weight" : shared;
    embedding = parameters.get(name, config.vocabSize(), config.dModel());
    relativeBias =
        parameters.get(
            "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight",
            config.buckets(),
            config.numHeads());
    blocks =
        IntStream.range(0, config.numLayers())
            .mapToObj(i -> new T5Block(config, parameters.at("encoder.block." + i + ".")))
            .toList();
    finalNorm = parameters.get("encoder.final_layer_norm.weight", config.dModel());
  }

  /** Width of the features. */
  public int channels() {
    return config.dModel();
  }

  /** {@link #encode(List, ObjIntConsumer)} without a look at the blocks. */
  public PackedRows encode(List<long[]> prompts) {
    return encode(prompts, (output, block) -> {});
  }

  /**
   * Encodes prompts together. Linear layers see the rows of all of them at once; what looks from
   * row to row sees one prompt at a time, so that no prompt's features depend on another.
   *
   * @param prompts token ids, the end-of-sequence token included
   * @param blockOutput shown the output (N, C) of every block and its index
   * @return features, one row per token, without padding
   * @throws IllegalArgumentException if a prompt is empty or an id is not in the vocabulary
   */
  public PackedRows encode(List<long[]> prompts, ObjIntConsumer<Tensor> blockOutput) {
    List<Integer> lengths = prompts.stream().map(ids -> ids.length).toList();
    long[] ids = prompts.stream().flatMapToLong(LongStream::of).toArray();
    for (int length : lengths) {
      require(length > 0, "a prompt needs at least one token");
    }
    for (long id : ids) {
      require(
          id >= 0 && id < config.vocabSize(),
          "token id " + id + " is not below " + config.vocabSize());
    }
    try (Scope scope = Scope.open();
        InferenceMode inference = new InferenceMode(true)) {
      Map<Integer, Tensor> biases =
          RelativePositions.biases(relativeBias, lengths, config.maxDistance());
      Tensor x =
          Nn.embedding(embedding, Tensors.of(ids, parameters.device(), ids.length)); // (N, C)
      for (int i = 0; i < blocks.size(); i++) {
        x = blocks.get(i).forward(x, lengths, biases);
        blockOutput.accept(x, i);
      }
      Tensor features = Nn.rmsNorm(x, finalNorm, config.normEps());
      return new PackedRows(scope.keep(features), lengths);
    }
  }

  private static void require(boolean holds, String message) {
    if (!holds) {
      throw new IllegalArgumentException(message);
    }
  }

  @Override
  public void close() {
    parameters.close();
  }
}
