package io.bitloom.engine.text;

import io.bitloom.engine.tensor.Layouts;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/** Names and shapes of all tensors of a T5 encoder, under the names of Hugging Face. */
public final class T5Layout {
  private static final String EMBEDDING = "shared.weight";

  /** The embedding's other name, which a file can have besides or instead. */
  private static final String TIED = "encoder.embed_tokens.weight";

  private T5Layout() {}

  /** Name to shape of every tensor. */
  public static Map<String, long[]> of(T5Config config) {
    long width = config.dModel();
    long inner = (long) config.dKv() * config.numHeads();
    Map<String, long[]> shapes = new LinkedHashMap<>();
    shapes.put(EMBEDDING, new long[] {config.vocabSize(), width});
    for (int k = 0; k < config.numLayers(); k++) {
      String attention = "encoder.block." + k + ".layer.0.";
      for (String matrix : List.of("q", "k", "v")) {
        shapes.put(attention + "SelfAttention." + matrix + ".weight", new long[] {inner, width});
      }
      shapes.put(attention + "SelfAttention.o.weight", new long[] {width, inner});
      if (k == 0) {
        shapes.put(
            attention + "SelfAttention.relative_attention_bias.weight",
            new long[] {config.buckets(), config.numHeads()});
      }
      shapes.put(attention + "layer_norm.weight", new long[] {width});
      String feedForward = "encoder.block." + k + ".layer.1.";
      shapes.put(feedForward + "DenseReluDense.wi_0.weight", new long[] {config.dFf(), width});
      shapes.put(feedForward + "DenseReluDense.wi_1.weight", new long[] {config.dFf(), width});
      shapes.put(feedForward + "DenseReluDense.wo.weight", new long[] {width, config.dFf()});
      shapes.put(feedForward + "layer_norm.weight", new long[] {width});
    }
    shapes.put("encoder.final_layer_norm.weight", new long[] {width});
    return shapes;
  }

  /**
   * Compares the shapes of a checkpoint's tensors with the architecture. Whole T5 models have a
   * decoder, which is passed over.
   *
   * @return a line for every tensor that is missing, of another shape or not part of it
   */
  public static List<String> faults(T5Config config, Map<String, long[]> shapes) {
    Map<String, long[]> expected = of(config);
    Set<String> optional =
        shapes.keySet().stream()
            .filter(name -> name.startsWith("decoder.") || name.equals("lm_head.weight"))
            .collect(Collectors.toSet());
    if (shapes.containsKey(TIED)) {
      long[] embedding = expected.get(EMBEDDING);
      if (!shapes.containsKey(EMBEDDING)) {
        expected.remove(EMBEDDING);
      }
      expected.put(TIED, embedding);
    }
    return Layouts.faults(expected, shapes, optional);
  }
}
