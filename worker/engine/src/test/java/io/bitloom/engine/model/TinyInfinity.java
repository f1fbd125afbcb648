package io.bitloom.engine.model;

import com.google.gson.JsonParser;
import io.bitloom.common.schedule.Scale;
import io.bitloom.engine.checkpoint.RuleTensor;
import io.bitloom.engine.tensor.PackedRows;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Weights;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import org.bytedeco.pytorch.Tensor;

/** Very small transformers with random weights, and inputs for them. */
final class TinyInfinity {
  static final List<Scale> SCALES =
      List.of(new Scale(1, 1), new Scale(2, 2), new Scale(3, 2), new Scale(6, 4));
  static final int TEXT_CHANNELS = 128;
  static final int TEXT_LENGTH = 9;

  private TinyInfinity() {}

  /** The released models' architecture in small, with some official arguments changed. */
  static InfinityConfig config(int bitsPerToken, String changes) {
    var arguments =
        JsonParser.parseString(
                """
                {"embed_dim": 64, "depth": 4, "num_heads": 2, "mlp_ratio": 4, "block_chunks": 2,
                 "text_channels": 128, "text_maxlen": 9, "shared_aln": true,
                 "rope2d_each_sa_layer": 1, "rope2d_normalized_by_hw": 2}
                """)
            .getAsJsonObject();
    JsonParser.parseString("{" + changes + "}").getAsJsonObject().asMap().forEach(arguments::add);
    return InfinityConfig.parse(arguments, bitsPerToken);
  }

  static InfinityConfig config() {
    return config(8, "");
  }

  /** Random weights: matrices that keep the variance, norms near 1, everything else small. */
  static Weights weights(InfinityConfig config) {
    Weights weights = new Weights("random");
    InfinityLayout.of(config)
        .forEach(
            (name, shape) -> {
              try (Scope scope = Scope.open()) {
                boolean matrix = shape.length == 2;
                boolean norm = shape.length == 1 && name.endsWith("weight");
                double scale = matrix ? 1.7 / Math.sqrt(shape[1]) : 0.3;
                boolean zero = name.endsWith("zero_k_bias");
                weights.put(
                    name, new RuleTensor(name, shape, norm ? 1 : 0, zero ? 0 : scale).generate(1));
              }
            });
    return weights;
  }

  /** Random text features of these lengths. */
  static PackedRows text(String name, Integer... lengths) {
    int rows = Arrays.stream(lengths).mapToInt(Integer::intValue).sum();
    Tensor features = new RuleTensor(name, new long[] {rows, TEXT_CHANNELS}, 0, 1).generate(rows);
    return new PackedRows(features, List.of(lengths));
  }

  static ImageSampling greedy(double guidance) {
    List<Double> same = Collections.nCopies(SCALES.size(), guidance);
    return new ImageSampling(0, 0, same, Set.of(0), Collections.nCopies(SCALES.size(), 1.0), 1, 0);
  }
}
