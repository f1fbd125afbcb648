package io.bitloom.worker.text;

import io.bitloom.worker.tensor.DType;
import io.bitloom.worker.tensor.Nn;
import io.bitloom.worker.tensor.PackedRows;
import io.bitloom.worker.tensor.Parameters;
import io.bitloom.worker.tensor.Scope;
import io.bitloom.worker.tensor.Tensors;
import io.bitloom.worker.tensor.TorchDevice;
import io.bitloom.worker.tensor.Weights;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ObjIntConsumer;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.InferenceMode;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

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
   * @throws io.bitloom.worker.tensor.WeightsException if a tensor is missing or of another shape
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

  /**
   * Encodes each prompt on its own, so that its features do not depend on the others.
   *
   * @param prompts token ids, the end-of-sequence token included
   * @throws IllegalArgumentException if a prompt is empty or an id is not in the vocabulary
   */
  public PackedRows encode(List<long[]> prompts) {
    try (Scope scope = Scope.open();
        InferenceMode inference = new InferenceMode(true)) {
      TensorVector rows = new TensorVector();
      List<Integer> lengths = new ArrayList<>();
      for (long[] ids : prompts) {
        require(ids.length > 0, "a prompt needs at least one token");
        rows.push_back(forward(Tensors.of(ids, 1, ids.length), null, (x, i) -> {}).squeeze(0));
        lengths.add(ids.length);
      }
      return new PackedRows(scope.keep(torch.cat(rows, 0)), lengths);
    }
  }

  /**
   * The encoder on padded prompts.
   *
   * @param idsBL token ids
   * @param maskBL 1 for tokens, 0 for padding, which no token attends to; null if there is none
   * @param blockOutput shown the output of every block and its index
   * @return features (B, L, C)
   * @throws IllegalArgumentException if an id is not in the vocabulary
   */
  public Tensor forward(Tensor idsBL, Tensor maskBL, ObjIntConsumer<Tensor> blockOutput) {
    requireInVocabulary(idsBL);
    Tensor ids = idsBL.to(parameters.device().torch(), DType.I64.torch());
    Tensor x = torch.embedding(embedding, ids); // (B, L, C)
    Tensor bias = positionBias(Math.toIntExact(ids.size(1))); // (1, heads, L, L)
    if (maskBL != null) {
      Tensor padding = maskBL.eq(new Scalar(0)).to(parameters.device().torch(), DType.F32.torch());
      Tensor lowest = Tensors.times(padding, -Float.MAX_VALUE).unsqueeze(1).unsqueeze(1);
      bias = bias.add(lowest); // (B, heads, L, L)
    }
    for (int i = 0; i < blocks.size(); i++) {
      x = blocks.get(i).forward(x, bias);
      blockOutput.accept(x, i);
    }
    return Nn.rmsNorm(x, finalNorm, config.normEps());
  }

  /** The learned bias of every pair of query and key (1, heads, L, L). */
  private Tensor positionBias(int tokens) {
    long[] buckets = new long[tokens * tokens];
    for (int query = 0; query < tokens; query++) {
      for (int key = 0; key < tokens; key++) {
        buckets[query * tokens + key] =
            RelativePositions.bucket(key - query, config.buckets(), config.maxDistance());
      }
    }
    Tensor index =
        Tensors.of(buckets, tokens, tokens).to(parameters.device().torch(), DType.I64.torch());
    return torch.embedding(relativeBias, index).permute(2, 0, 1).unsqueeze(0).contiguous();
  }

  private void requireInVocabulary(Tensor ids) {
    for (long id : Tensors.longs(ids)) {
      require(
          id >= 0 && id < config.vocabSize(),
          "token id " + id + " is not below " + config.vocabSize());
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
