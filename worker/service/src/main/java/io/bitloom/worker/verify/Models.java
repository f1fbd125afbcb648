package io.bitloom.worker.verify;

import io.bitloom.engine.checkpoint.JsonFields;
import io.bitloom.engine.model.InfinityConfig;
import io.bitloom.engine.model.InfinityLayout;
import io.bitloom.engine.model.InfinityTransformer;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Weights;
import io.bitloom.engine.tensor.WeightsException;
import io.bitloom.engine.tokenizer.TokenizerConfig;
import io.bitloom.engine.tokenizer.VisualTokenizer;
import io.bitloom.training.optim.Gradients;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/** The models that the cases of one file need, each built once. */
final class Models implements AutoCloseable {
  private final Fixture fixture;
  private final String kind;
  private final DType dtype;
  private final Map<Path, InfinityTransformer> transformers = new HashMap<>();
  private final Map<Path, VisualTokenizer> tokenizers = new HashMap<>();

  /**
   * @param kind the prefix of the fixture's file name
   * @param dtype type of the networks' layers
   */
  Models(Fixture fixture, String kind, DType dtype) {
    this.fixture = fixture;
    this.kind = kind;
    this.dtype = dtype;
  }

  /** A case's model for generation. */
  InfinityTransformer transformer(JsonFields settings) {
    Fixture.ModelWeights model = fixture.weights(settings, kind, "transformer");
    return transformers.computeIfAbsent(
        model.file(),
        file ->
            InfinityTransformer.forInference(
                config(model), model.weights(), Fixture.DEVICE, dtype));
  }

  /** A case's model for teacher-forced training, with weights of its own. */
  Trainable trainable(JsonFields settings) {
    Fixture.ModelWeights model = fixture.weights(settings, kind, "transformer");
    Weights weights =
        Gradients.trainableCopy(model.weights(), name -> !InfinityLayout.isBuffer(name));
    return new Trainable(
        weights,
        InfinityTransformer.forTraining(config(model), weights, Fixture.DEVICE, DType.F32));
  }

  /** A model to train and its weights. */
  record Trainable(Weights weights, InfinityTransformer model) implements AutoCloseable {
    @Override
    public void close() {
      model.close();
      weights.close();
    }
  }

  /** The tokenizer that decodes a case's codes. */
  VisualTokenizer tokenizer(JsonFields settings) {
    Fixture.ModelWeights model = fixture.weights(settings, kind, "vae");
    return tokenizers.computeIfAbsent(
        model.file(),
        file -> {
          try (Weights weights = model.weights().to(Fixture.DEVICE, dtype)) {
            return new VisualTokenizer(TokenizerConfig.of(model.config()), weights);
          }
        });
  }

  /** The settings; the bits per token follow from the width of the codes that are embedded. */
  static InfinityConfig config(Fixture.ModelWeights model) {
    Weights weights = model.weights();
    long[] shape = weights.get("word_embed.weight").shape();
    if (shape.length != 2) {
      throw new WeightsException(weights.source(), "word_embed.weight", "is no matrix");
    }
    return InfinityConfig.parse(model.config(), Math.toIntExact(shape[1]));
  }

  @Override
  public void close() {
    transformers.values().forEach(InfinityTransformer::close);
    tokenizers.values().forEach(VisualTokenizer::close);
  }
}
