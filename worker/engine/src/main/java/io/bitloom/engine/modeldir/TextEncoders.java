package io.bitloom.engine.modeldir;

import io.bitloom.engine.checkpoint.JsonFields;
import io.bitloom.engine.model.InfinityConfig;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.engine.tensor.Weights;
import io.bitloom.engine.tensor.WeightsException;
import io.bitloom.engine.text.ClassLabels;
import io.bitloom.engine.text.HashedWordEncoder;
import io.bitloom.engine.text.T5Files;
import io.bitloom.engine.text.T5TextEncoder;
import io.bitloom.engine.text.TextEncoder;
import io.bitloom.engine.text.WordEmbeddingConfig;
import io.bitloom.engine.text.WordEmbeddingEncoder;
import io.bitloom.engine.text.WordVocabulary;
import java.util.Map;
import java.util.function.Function;

/**
 * Makes the text encoder that {@code model.json} asks for. The member {@code text_encoder} has a
 * {@code type} and what that type needs:
 *
 * <ul>
 *   <li>{@code hashed_words}: nothing; a fixed random vector for every word
 *   <li>{@code t5}: {@code config}, {@code tokenizer} and {@code weights}, the names of the files
 *       of a Hugging Face folder ({@link T5Files})
 *   <li>{@code class_labels}: {@code names}, a file with the names of a class in every line; for
 *       class-conditional models, and the only type that they take
 *   <li>{@code word_embeddings}: {@code config} ({@link WordEmbeddingConfig}), {@code vocabulary},
 *       a file with a word in every line, and {@code weights} as the transformer has them
 * </ul>
 *
 * @param source names {@code model.json} in messages
 * @param json the member {@code text_encoder}
 * @param weights opens, or makes, weights of a layout
 * @param transformer takes the features
 */
record TextEncoders(
    String source,
    JsonFields json,
    ModelFiles files,
    Function<Map<String, long[]>, Weights> weights,
    InfinityConfig transformer) {

  static final String CLASS_LABELS = "class_labels";

  /**
   * Loads the encoder, after its width was compared with the transformer's text channels.
   *
   * @throws WeightsException naming the file and the member or tensor that cannot be used
   */
  TextEncoder load(TorchDevice device, DType dtype) {
    String type = json.text("type");
    if (type.equals(CLASS_LABELS) != (transformer.square() != null)) {
      throw new WeightsException(
          source,
          "text_encoder.type: "
              + CLASS_LABELS
              + " is for class-conditional models (num_classes in transformer.config) and them"
              + " alone, found \""
              + type
              + "\"");
    }
    return switch (type) {
      case "hashed_words" -> {
        json.onlyMembers("type");
        yield new HashedWordEncoder(transformer.textChannels());
      }
      case CLASS_LABELS -> classLabels();
      case "t5" -> t5(device, dtype);
      case "word_embeddings" -> wordEmbeddings(device, dtype);
      default ->
          throw new WeightsException(
              source,
              "text_encoder.type: expected hashed_words, t5, word_embeddings or class_labels, found \""
                  + type
                  + "\"");
    };
  }

  private TextEncoder classLabels() {
    json.onlyMembers("type", "names");
    return ClassLabels.read(
        files.find("text_encoder.names", json.text("names")), transformer.square().classes());
  }

  private TextEncoder t5(TorchDevice device, DType dtype) {
    json.onlyMembers("type", "config", "tokenizer", "weights");
    T5Files t5 =
        new T5Files(
            files.find("text_encoder.config", json.text("config")),
            files.find("text_encoder.tokenizer", json.text("tokenizer")),
            files.find("text_encoder.weights", json.text("weights")));
    requireWidth(T5TextEncoder.config(t5).dModel(), "d_model in " + json.text("config"));
    return T5TextEncoder.load(t5, device, dtype);
  }

  private TextEncoder wordEmbeddings(TorchDevice device, DType dtype) {
    WordEmbeddings parts = wordEmbeddings();
    try (Weights loaded = parts.weights()) {
      return WordEmbeddingEncoder.forInference(
          parts.config(), parts.vocabulary(), loaded, device, dtype);
    }
  }

  /**
   * What an encoder of the type {@code word_embeddings} consists of.
   *
   * @throws WeightsException naming the file and the member or tensor that cannot be used
   */
  WordEmbeddings wordEmbeddings() {
    json.onlyMembers("type", "config", "vocabulary", "weights");
    WordEmbeddingConfig config = WordEmbeddingConfig.parse(json.object("config"));
    requireWidth(config.width(), "width in text_encoder.config");
    WordVocabulary vocabulary =
        WordVocabulary.read(files.find("text_encoder.vocabulary", json.text("vocabulary")));
    Map<String, long[]> layout = config.layout(vocabulary.size());
    Weights loaded = weights.apply(layout);
    try {
      layout.forEach(loaded::get);
      for (String name : loaded.names()) {
        if (!layout.containsKey(name)) {
          throw new WeightsException(
              loaded.source(), name, "is not part of the text encoder in " + source);
        }
      }
      return new WordEmbeddings(config, vocabulary, loaded);
    } catch (WeightsException e) {
      loaded.close();
      throw e;
    }
  }

  private void requireWidth(int width, String where) {
    if (width != transformer.textChannels()) {
      throw new WeightsException(
          source,
          "the text encoder's features are "
              + width
              + " wide ("
              + where
              + "), the transformer takes "
              + transformer.textChannels()
              + " (text_channels in transformer.config)");
    }
  }
}
