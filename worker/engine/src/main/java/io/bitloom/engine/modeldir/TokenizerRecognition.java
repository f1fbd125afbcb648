package io.bitloom.engine.modeldir;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.bitloom.engine.tensor.WeightsException;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Reads the settings of a tokenizer off the names and shapes of its tensors. */
final class TokenizerRecognition {
  private final String source;
  private final Map<String, long[]> shapes;

  private TokenizerRecognition(String source, Map<String, long[]> shapes) {
    this.source = source;
    this.shapes = shapes;
  }

  /**
   * @param source the checkpoint, for messages
   * @param shapes by official name
   * @throws WeightsException if the tensors that the sizes are read off are missing
   */
  static Architecture recognise(String source, Map<String, long[]> shapes) {
    return new TokenizerRecognition(source, shapes).recognise();
  }

  private Architecture recognise() {
    long base = outputs("encoder.conv_in");
    int levels = count("encoder.down.%d.block.0.conv1.conv.weight");
    int halvings = count("encoder.down.%d.downsample.conv.conv.weight");
    if (levels == 0 || base == 0 || halvings > Integer.SIZE - 2) {
      throw new WeightsException(source, "has no levels of a tokenizer's encoder");
    }
    JsonArray multiples = new JsonArray();
    for (int level = 0; level < levels; level++) {
      multiples.add(outputs("encoder.down." + level + ".block.0.conv1") / base);
    }
    JsonObject settings = new JsonObject();
    settings.addProperty("codebook_dim", outputs("encoder.conv_out"));
    int pixelShuffle = pixelShuffle();
    settings.addProperty("patch_size", pixelShuffle << halvings);
    settings.addProperty("base_ch", base);
    settings.add("ch_mult", multiples);
    settings.addProperty("num_res_blocks", count("encoder.down.0.block.%d.conv1.conv.weight"));
    long[] codebook = Architecture.shape(shapes, "quantize.embedding.weight", 2);
    if (codebook.length > 0) {
      settings.addProperty("vocab_size", codebook[0]);
    }
    if (pixelShuffle > 1) {
      settings.addProperty("pixel_shuffle", pixelShuffle);
    }
    return new Architecture(settings, "recognised from the tensors", List.of());
  }

  /** r of a first convolution that sees 3·r² channels. */
  private int pixelShuffle() {
    long channels = Architecture.shape(shapes, "encoder.conv_in.conv.weight", 4)[1];
    return (int) Math.max(1, Math.round(Math.sqrt(channels / 3.0)));
  }

  private long outputs(String convolution) {
    String name = convolution + ".conv.weight";
    long[] shape = Architecture.shape(shapes, name, 4);
    if (shape.length == 0) {
      throw new WeightsException(source, name, "is missing or no convolution");
    }
    return shape[0];
  }

  private int count(String pattern) {
    int count = 0;
    while (shapes.containsKey(String.format(Locale.ROOT, pattern, count))) {
      count++;
    }
    return count;
  }
}
