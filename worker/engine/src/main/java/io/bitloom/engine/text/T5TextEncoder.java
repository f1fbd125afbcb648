package io.bitloom.engine.text;

import io.bitloom.engine.checkpoint.Checkpoints;
import io.bitloom.engine.checkpoint.JsonFields;
import io.bitloom.engine.checkpoint.StrictJson;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.PackedRows;
import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.engine.tensor.Weights;
import io.bitloom.engine.tensor.WeightsException;
import java.util.Arrays;
import java.util.List;

/** A T5 encoder with its tokenizer: the text encoder of the released models is Flan-T5-XL. */
public final class T5TextEncoder implements TextEncoder {
  private final SubwordTokenizer tokenizer;
  private final T5Encoder encoder;
  private final long end;

  private T5TextEncoder(SubwordTokenizer tokenizer, T5Encoder encoder, long end) {
    this.tokenizer = tokenizer;
    this.encoder = encoder;
    this.end = end;
  }

  /**
   * Reads the architecture alone.
   *
   * @throws WeightsException naming file, key and value, if it is no T5 encoder
   */
  public static T5Config config(T5Files files) {
    return T5Config.parse(
        JsonFields.of(files.config().toString(), StrictJson.object(files.config())));
  }

  /**
   * Loads an encoder. A decoder's tensors in the same files are not read.
   *
   * @param dtype type of the linear layers
   * @throws WeightsException naming the file and the member or tensor that cannot be used
   */
  public static T5TextEncoder load(T5Files files, TorchDevice device, DType dtype) {
    T5Config config = config(files);
    SubwordTokenizer tokenizer = SubwordTokenizer.open(files.tokenizer(), config.vocabSize());
    try (Weights weights = Checkpoints.open(files.weights())) {
      return new T5TextEncoder(
          tokenizer, new T5Encoder(config, weights, device, dtype), config.eosTokenId());
    } catch (RuntimeException e) {
      tokenizer.close();
      throw e;
    }
  }

  @Override
  public int channels() {
    return encoder.channels();
  }

  @Override
  public PackedRows encode(List<String> prompts, int maxLength) {
    return encoder.encode(prompts.stream().map(prompt -> ids(prompt, maxLength)).toList());
  }

  /** The tokens of a text with the end token, which a text that is cut keeps. */
  long[] ids(String prompt, int maxLength) {
    long[] ids = tokenizer.ids(prompt);
    int kept = Math.min(ids.length, maxLength - 1);
    long[] ended = Arrays.copyOf(ids, kept + 1);
    ended[kept] = end;
    return ended;
  }

  @Override
  public void close() {
    encoder.close();
    tokenizer.close();
  }
}
