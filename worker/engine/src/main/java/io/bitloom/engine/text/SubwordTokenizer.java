package io.bitloom.engine.text;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import io.bitloom.engine.tensor.WeightsException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;

/**
 * From a text to token ids, as Hugging Face's tokenizers do it (DJL's bindings; the native library
 * comes inside the jar). Reads {@code tokenizer.json}, or {@code spiece.model}, of which the same
 * tokenizer is made.
 *
 * <p>The files are checked before the native code sees them, because that ends the whole process
 * when it stumbles.
 */
public final class SubwordTokenizer implements AutoCloseable {
  private static final String JSON = ".json";
  private static final Map<String, String> AS_IS =
      Map.of("truncation", "false", "padding", "false");

  static {
    // DJL must neither download another build of its library nor report its use.
    System.setProperty("ai.djl.offline", "true");
    System.setProperty("OPT_OUT_TRACKING", "true");
  }

  private final HuggingFaceTokenizer tokenizer;

  private SubwordTokenizer(HuggingFaceTokenizer tokenizer) {
    this.tokenizer = tokenizer;
  }

  /**
   * Reads a tokenizer.
   *
   * @param file {@code tokenizer.json}, or the model of a sentencepiece unigram tokenizer
   * @param ids number of ids that the encoder knows
   * @throws WeightsException naming file and member, if it cannot be used
   */
  public static SubwordTokenizer open(Path file, int ids) {
    String source = file.toString();
    TokenizerJson json =
        source.endsWith(JSON)
            ? TokenizerJson.read(file)
            : TokenizerJson.of(source, SentencePieceModel.read(file), ids);
    if (json.largestId() >= ids) {
      throw new WeightsException(
          source, "has token ids up to " + json.largestId() + ", the encoder knows " + ids);
    }
    byte[] text = json.json().toString().getBytes(StandardCharsets.UTF_8);
    try {
      return new SubwordTokenizer(
          HuggingFaceTokenizer.newInstance(new ByteArrayInputStream(text), AS_IS));
    } catch (IOException | RuntimeException e) {
      throw new WeightsException(source, "is no tokenizer: " + e.getMessage(), e);
    }
  }

  /** The ids of a text, without an end token. */
  public long[] ids(String text) {
    return tokenizer.encode(text, false, false).getIds();
  }

  @Override
  public void close() {
    tokenizer.close();
  }
}
