package io.bitloom.worker.train.transformer;

import com.google.gson.FieldNamingPolicy;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonObject;
import io.bitloom.worker.checkpoint.SafetensorsWriter;
import io.bitloom.worker.tensor.DType;
import io.bitloom.worker.tensor.Scope;
import io.bitloom.worker.tensor.Tensors;
import io.bitloom.worker.tensor.TorchDevice;
import io.bitloom.worker.tensor.Weights;
import io.bitloom.worker.text.TextEncoder;
import io.bitloom.worker.text.WordEmbeddingConfig;
import io.bitloom.worker.text.WordEmbeddingEncoder;
import io.bitloom.worker.text.WordVocabulary;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
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

  /** Adds first weights to those of a transformer: normal with standard deviation 1/√width. */
  void addTo(Weights weights, long seed) {
    Map<String, long[]> layout = config.layout(vocabulary.size());
    layout.forEach(
        (name, shape) -> {
          try (Scope scope = Scope.open()) {
            weights.put(PREFIX + name, first(name, shape, seed));
          }
        });
  }

  /** Adds weights that were learnt before. */
  void addTo(Weights weights, Weights learnt) {
    learnt.names().forEach(name -> weights.put(PREFIX + name, new Tensor(learnt.get(name))));
  }

  private Tensor first(String name, long[] shape, long seed) {
    if (shape.length == 1) {
      Tensor zeros = Tensors.zeros(DType.F32, TorchDevice.CPU, shape);
      return name.endsWith("weight") ? Tensors.plus(zeros, 1) : zeros;
    }
    long own = new SplittableRandom(31 * seed + name.hashCode()).nextLong() >>> 1;
    return Tensors.empty(DType.F32, TorchDevice.CPU, shape)
        .normal_(
            0, 1 / Math.sqrt(config.width()), new GeneratorOptional(torch.make_generator_cpu(own)));
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
