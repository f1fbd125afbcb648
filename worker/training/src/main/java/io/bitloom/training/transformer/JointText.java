package io.bitloom.training.transformer;

import com.google.gson.FieldNamingPolicy;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonObject;
import io.bitloom.engine.checkpoint.SafetensorsWriter;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.engine.tensor.Weights;
import io.bitloom.engine.text.TextEncoder;
import io.bitloom.engine.text.WordEmbeddingConfig;
import io.bitloom.engine.text.WordEmbeddingEncoder;
import io.bitloom.engine.text.WordVocabulary;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.regex.Pattern;
import org.bytedeco.pytorch.GeneratorOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * A small text encoder that learns together with the transformer. Its tensors stand among the
 * transformer's with {@value #PREFIX} before their names.
 *
 * @param config architecture
 * @param vocabulary words that it knows
 */
public record JointText(WordEmbeddingConfig config, WordVocabulary vocabulary) {
  static final String PREFIX = "text_encoder.";

  private static final String WEIGHTS = "text_encoder.safetensors";
  private static final String VOCABULARY = "vocabulary.txt";

  /** What decides which words attention looks at. */
  private static final Pattern ATTENTION =
      Pattern.compile(Pattern.quote(WordEmbeddingConfig.RELATIVE) + "|.*\\.attn\\.qkv\\.weight");

  /**
   * Standard deviation of the first biases of relative positions. With it every head looks at
   * distances of its own from the first step. With biases near zero all heads see the same mixture
   * of words, whatever their order: a saddle that training does not leave for tens of thousands of
   * captions.
   */
  private static final double RELATIVE_DEVIATION = 3;

  /**
   * Adds first weights to those of a transformer: normal with standard deviation 1/√width, and
   * {@value #RELATIVE_DEVIATION} for biases of relative positions.
   */
  void addTo(Weights weights, long seed) {
    config.layout(vocabulary.size()).forEach((name, shape) -> addFirst(weights, name, shape, seed));
  }

  /**
   * Adds weights that were learnt before.
   *
   * @param newAttention whether attention begins anew, with the relative positions of this
   *     architecture
   * @param seed of what begins anew
   */
  void addTo(Weights weights, Weights learnt, boolean newAttention, long seed) {
    config
        .layout(vocabulary.size())
        .forEach(
            (name, shape) -> {
              if (newAttention && ATTENTION.matcher(name).matches()) {
                addFirst(weights, name, shape, seed);
              } else {
                weights.put(PREFIX + name, new Tensor(learnt.get(name)));
              }
            });
  }

  private void addFirst(Weights weights, String name, long[] shape, long seed) {
    try (Scope scope = Scope.open()) {
      weights.put(PREFIX + name, first(name, shape, seed));
    }
  }

  private Tensor first(String name, long[] shape, long seed) {
    if (shape.length == 1) {
      Tensor zeros = Tensors.zeros(DType.F32, TorchDevice.CPU, shape);
      return name.endsWith("weight") ? Tensors.plus(zeros, 1) : zeros;
    }
    long own = new SplittableRandom(31 * seed + name.hashCode()).nextLong() >>> 1;
    double deviation =
        name.equals(WordEmbeddingConfig.RELATIVE)
            ? RELATIVE_DEVIATION
            : 1 / Math.sqrt(config.width());
    return Tensors.empty(DType.F32, TorchDevice.CPU, shape)
        .normal_(0, deviation, new GeneratorOptional(torch.make_generator_cpu(own)));
  }

  /** The encoder with these weights; gradients flow to them. */
  TextEncoder encoder(Weights weights) {
    return WordEmbeddingEncoder.forTraining(config, vocabulary, weights.at(PREFIX));
  }

  /** The member {@code text_encoder} of {@code model.json}. */
  JsonObject settings() {
    JsonObject settings = new JsonObject();
    settings.addProperty("type", "word_embeddings");
    settings.add(
        "config",
        new GsonBuilder()
            .setFieldNamingPolicy(FieldNamingPolicy.LOWER_CASE_WITH_UNDERSCORES)
            .create()
            .toJsonTree(config));
    settings.addProperty("vocabulary", VOCABULARY);
    settings.addProperty("weights", WEIGHTS);
    return settings;
  }

  /** Writes the files that {@link #settings} names and tells their names. */
  List<String> write(Path folder, Weights weights) throws IOException {
    SafetensorsWriter.write(folder.resolve(WEIGHTS), weights.at(PREFIX), Map.of());
    vocabulary.write(folder.resolve(VOCABULARY));
    return List.of(WEIGHTS, VOCABULARY);
  }
}
