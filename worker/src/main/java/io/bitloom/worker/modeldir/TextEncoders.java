package io.bitloom.worker.modeldir;

import io.bitloom.worker.checkpoint.JsonFields;
import io.bitloom.worker.tensor.DType;
import io.bitloom.worker.tensor.TorchDevice;
import io.bitloom.worker.tensor.Weights;
import io.bitloom.worker.tensor.WeightsException;
import io.bitloom.worker.text.HashedWordEncoder;
import io.bitloom.worker.text.T5Files;
import io.bitloom.worker.text.T5TextEncoder;
import io.bitloom.worker.text.TextEncoder;
import io.bitloom.worker.text.WordEmbeddingConfig;
import io.bitloom.worker.text.WordEmbeddingEncoder;
import io.bitloom.worker.text.WordVocabulary;
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
 *   <li>{@code word_embeddings}: {@code config} ({@link WordEmbeddingConfig}), {@code vocabulary},
 *       a file with a word in every line, and {@code weights} as the transformer has them
 * </ul>
 *
 * @param source names {@code model.json} in messages
 * @param json the member {@code text_encoder}
 * @param weights opens, or makes, weights of a layout
 * @param channels width of the features that the transformer takes
 */
record TextEncoders(
    String source,
    JsonFields json,
    ModelFiles files,
    Function<Map<String, long[]>, Weights> weights,
    int channels) {

  /**
   * Loads the encoder, after its width was compared with the transformer's text channels.
   *
   * @throws WeightsException naming the file and the member or tensor that cannot be used
   */
  TextEncoder load(TorchDevice device, DType dtype) {
    String type = json.text("type");
    return switch (type) {
      case "hashed_words" -> {
        json.onlyMembers("type");
        yield new HashedWordEncoder(channels);
      }
      case "t5" -> t5(device, dtype);
      case "word_embeddings" -> wordEmbeddings(device, dtype);
      default ->
          throw new WeightsException(
              source,
              "text_encoder.type: expected hashed_words, t5 or word_embeddings, found \""
                  + type
                  + "\"");
    };
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
    json.onlyMembers("type", "config", "vocabulary", "weights");
    WordEmbeddingConfig config = WordEmbeddingConfig.parse(json.object("config"));
    requireWidth(config.width(), "width in text_encoder.config");
    WordVocabulary vocabulary =
        WordVocabulary.read(files.find("text_encoder.vocabulary", json.text("vocabulary")));
    try (Weights loaded = weights.apply(config.layout(vocabulary.size()))) {
      TextEncoder encoder =
          WordEmbeddingEncoder.forInference(config, vocabulary, loaded, device, dtype);
      for (String unexpected : loaded.unused()) {
        encoder.close();
        throw new WeightsException(
            loaded.source(), unexpected, "is not part of the text encoder in " + source);
      }
      return encoder;
    }
  }

  private void requireWidth(int width, String where) {
    if (width != channels) {
      throw new WeightsException(
          source,
          "the text encoder's features are "
              + width
              + " wide ("
              + where
              + "), the transformer takes "
              + channels
              + " (text_channels in transformer.config)");
    }
  }
}
