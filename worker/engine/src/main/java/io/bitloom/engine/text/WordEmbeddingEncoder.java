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
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.bytedeco.pytorch.InferenceMode;
import org.bytedeco.pytorch.Tensor;

/**
 * A small text encoder with weights of its own that are trained together with the image model:
 * embeddings of words ({@link WordVocabulary}) and of their places, transformer blocks, RMS norm.
 *
 * <p>One made for training lets gradients through to its weights; one for inference has the same
 * features for a prompt whatever the others are.
 */
public final class WordEmbeddingEncoder implements TextEncoder {
  private final WordEmbeddingConfig config;
  private final WordVocabulary vocabulary;
  private final Parameters parameters;
  private final boolean trainable;
  private final Tensor embedding; // (vocabulary, C)
  private final Tensor positions; // (max length, C)
  private final Tensor relativeBias; // (buckets, heads), null for none
  private final List<WordEmbeddingBlock> blocks;
  private final Tensor norm; // (C)

  private WordEmbeddingEncoder(
      WordEmbeddingConfig config,
      WordVocabulary vocabulary,
      Parameters parameters,
      boolean trainable) {
    this.config = config;
    this.vocabulary = vocabulary;
    this.parameters = parameters;
    this.trainable = trainable;
    embedding = parameters.get("embed.weight", vocabulary.size(), config.width());
    positions = parameters.get("position.weight", config.maxLength(), config.width());
    relativeBias =
        config.relativeBuckets() == 0
            ? null
            : parameters.get(
                WordEmbeddingConfig.RELATIVE, config.relativeBuckets(), config.numHeads());
    blocks =
        IntStream.range(0, config.depth())
            .mapToObj(i -> new WordEmbeddingBlock(config, parameters.at("blocks." + i + ".")))
            .toList();
    norm = parameters.get("norm.weight", config.width());
  }

  /**
   * An encoder for inference.
   *
   * @param dtype type of the linear layers
   * @throws io.bitloom.engine.tensor.WeightsException if a tensor is missing or of another shape
   */
  public static WordEmbeddingEncoder forInference(
      WordEmbeddingConfig config,
      WordVocabulary vocabulary,
      Weights weights,
      TorchDevice device,
      DType dtype) {
    return new WordEmbeddingEncoder(
        config, vocabulary, Parameters.frozen(weights, device, dtype), false);
  }

  /**
   * An encoder whose weights are being trained: {@link #encode} is part of the graph. The weights,
   * of the shapes of {@link WordEmbeddingConfig#layout}, must outlive it.
   *
   * @throws io.bitloom.engine.tensor.WeightsException if a tensor is missing or of another shape
   */
  public static WordEmbeddingEncoder forTraining(
      WordEmbeddingConfig config, WordVocabulary vocabulary, Weights weights) {
    return new WordEmbeddingEncoder(
        config, vocabulary, Parameters.trainable(weights, TorchDevice.CPU, DType.F32), true);
  }

  @Override
  public int channels() {
    return config.width();
  }

  @Override
  public PackedRows encode(List<String> prompts, int maxLength) {
    int longest = Math.min(maxLength, config.maxLength());
    List<long[]> texts = prompts.stream().map(text -> vocabulary.ids(text, longest)).toList();
    List<Integer> lengths = texts.stream().map(ids -> ids.length).toList();
    try (Scope scope = Scope.open();
        InferenceMode inference = trainable ? null : new InferenceMode(true)) {
      Tensor ids = onDevice(texts.stream().flatMapToLong(LongStream::of).toArray());
      Tensor places =
          onDevice(lengths.stream().flatMapToLong(n -> LongStream.range(0, n)).toArray());
      Tensor x = Nn.embedding(embedding, ids).add(Nn.embedding(positions, places)); // (N, C)
      Map<Integer, Tensor> biases =
          relativeBias == null
              ? Map.of()
              : RelativePositions.biases(relativeBias, lengths, config.maxLength());
      for (WordEmbeddingBlock block : blocks) {
        x = block.forward(x, lengths, biases);
      }
      return new PackedRows(scope.keep(Nn.rmsNorm(x, norm, WordEmbeddingConfig.NORM_EPS)), lengths);
    }
  }

  private Tensor onDevice(long[] ids) {
    return Tensors.of(ids, TorchDevice.of(embedding), ids.length);
  }

  @Override
  public void close() {
    parameters.close();
  }
}
