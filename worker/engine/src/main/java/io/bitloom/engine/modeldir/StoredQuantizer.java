package io.bitloom.engine.modeldir;

import com.google.gson.JsonObject;
import io.bitloom.engine.checkpoint.Checkpoint;
import io.bitloom.engine.checkpoint.SafetensorsFile;
import io.bitloom.engine.checkpoint.StrictJson;
import io.bitloom.engine.codes.QuantizerConfig;
import io.bitloom.engine.tensor.WeightsException;
import io.bitloom.engine.tokenizer.TokenizerConfig;

/** The quantizer that a tokenizer's weight file was trained with. */
public final class StoredQuantizer {
  private StoredQuantizer() {}

  /**
   * The settings in the file's metadata; without any, BSQ as in the released tokenizers.
   *
   * @throws WeightsException naming the file and the setting that is wrong
   */
  public static QuantizerConfig of(Checkpoint checkpoint, TokenizerConfig tokenizer) {
    if (!(checkpoint instanceof SafetensorsFile file)
        || !file.metadata().containsKey(QuantizerConfig.METADATA)) {
      return QuantizerConfig.of(QuantizerConfig.Kind.BSQ, tokenizer.codebookDim());
    }
    String source = checkpoint.file().toString();
    JsonObject json = StrictJson.object(source, file.metadata().get(QuantizerConfig.METADATA));
    try {
      QuantizerConfig quantizer = QuantizerConfig.of(json);
      if (quantizer.d() != tokenizer.codebookDim()) {
        throw new WeightsException(
            source,
            "quantizer: d: expected " + tokenizer.codebookDim() + ", found " + quantizer.d());
      }
      return quantizer;
    } catch (IllegalArgumentException e) {
      throw new WeightsException(source, e.getMessage(), e);
    }
  }
}
