package io.bitloom.worker.modeldir;

import io.bitloom.worker.checkpoint.JsonFields;
import io.bitloom.worker.tensor.DType;
import io.bitloom.worker.tensor.TorchDevice;
import io.bitloom.worker.tensor.WeightsException;
import io.bitloom.worker.text.HashedWordEncoder;
import io.bitloom.worker.text.T5Files;
import io.bitloom.worker.text.T5TextEncoder;
import io.bitloom.worker.text.TextEncoder;

/**
 * Makes the text encoder that {@code model.json} asks for. The member {@code text_encoder} has a
 * {@code type} and what that type needs:
 *
 * <ul>
 *   <li>{@code hashed_words}: nothing; a fixed random vector for every word
 *   <li>{@code t5}: {@code config}, {@code tokenizer} and {@code weights}, the names of the files
 *       of a Hugging Face folder ({@link T5Files})
 * </ul>
 */
record TextEncoders(String source, JsonFields json, ModelFiles files, int channels) {

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
      default ->
          throw new WeightsException(
              source, "text_encoder.type: expected hashed_words or t5, found \"" + type + "\"");
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
