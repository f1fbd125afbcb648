package io.bitloom.engine.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.schedule.Scale;
import io.bitloom.common.schedule.ScaleSchedules;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Launches;
import io.bitloom.engine.tensor.MetaWeights;
import io.bitloom.engine.tensor.PackedRows;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.engine.tensor.Weights;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * How many kernels a GPU is asked for while it generates, by {@link Launches}, of models of real
 * size on the meta device. What a batch costs in launches does not depend on how many rows it has.
 */
class LaunchesTest {
  private static final int MOST_OF_A_BLOCK = 24;
  private static final List<Scale> SCALES = ScaleSchedules.nearest(1).scales(); // 1024²
  private static final String START = "start";

  @ParameterizedTest
  @EnumSource(names = {"LAYER12", "MODEL_2B", "MODEL_8B"})
  void launchesAreFewWhateverTheRows(InfinityPreset preset) {
    InfinityConfig config = MetaModels.config(preset);
    try (Weights weights = MetaWeights.of(InfinityLayout.of(config));
        InfinityTransformer model =
            InfinityTransformer.forInference(config, weights, TorchDevice.META, DType.BF16)) {
      generate(model, List.of(1)); // computes the angles of the schedule, once and for all
      Map<String, List<String>> two = generate(model, List.of(17));
      print(preset, config, two);
      for (int k = 0; k < SCALES.size(); k++) {
        for (int block = 0; block < config.depth(); block++) {
          List<String> launches = two.get(block(k, block));
          assertTrue(launches.size() <= MOST_OF_A_BLOCK, block(k, block) + ": " + launches);
        }
      }
      for (int images : new int[] {6, 16}) { // 12 and 32 rows
        assertEquals(two, generate(model, Collections.nCopies(images, 17)));
        Map<String, List<String>> mixed =
            generate(model, IntStream.range(0, images).mapToObj(i -> 5 + i).toList());
        List<String> start = mixed.put(START, two.get(START));
        assertEquals(two, mixed);
        // Where texts are brought to one length: for each block, the condition and the mask.
        assertEquals(two.get(START).size() + config.depth() + 3, start.size(), start::toString);
      }
    }
  }

  private static void print(
      InfinityPreset preset, InfinityConfig config, Map<String, List<String>> launches) {
    System.out.println(preset.label() + ", launches of two rows:");
    for (int k : new int[] {1, SCALES.size() - 1}) {
      System.out.println(
          "  scale "
              + k
              + ": first block "
              + launches.get(block(k, 0)).size()
              + ", last block "
              + launches.get(block(k, config.depth() - 1)).size()
              + ", outside blocks "
              + launches.get(outside(k)).size());
    }
    System.out.println("  start: " + launches.get(START).size());
    System.out.println("  " + block(1, 1) + ": " + launches.get(block(1, 1)));
    System.out.println("  " + outside(1) + ": " + launches.get(outside(1)));
    System.out.println("  in all: " + launches.values().stream().mapToInt(List::size).sum());
  }

  /** Counts the generation of an image, guided at all scales, for each text of these lengths. */
  private static Map<String, List<String>> generate(
      InfinityTransformer model, List<Integer> lengths) {
    int rows = lengths.stream().mapToInt(Integer::intValue).sum();
    ImageSampling sampling = ImageSampling.constant(1, 0, 4, 0.5, 0.97, SCALES.size());
    Map<String, List<String>> counts = new LinkedHashMap<>();
    int[] drawn = {0}; // scales
    try (Scope scope = Scope.open();
        Launches launches = Launches.start()) {
      Tensor text = Tensors.empty(DType.F32, TorchDevice.META, rows, model.config().textChannels());
      model.generate(
          new GenerationBatch(
              SCALES,
              new PackedRows(text, lengths),
              null,
              Collections.nCopies(lengths.size(), sampling)),
          (k, summed) -> {
            add(counts, outside(k), launches.take());
            drawn[0]++;
          },
          Trace.to((name, tensor) -> add(counts, part(name, drawn[0]), launches.take())));
    }
    return counts;
  }

  private static void add(Map<String, List<String>> counts, String part, List<String> launches) {
    counts.computeIfAbsent(part, name -> new ArrayList<>()).addAll(launches);
  }

  /**
   * What a tensor of the model is a result of. The way to the first one of the first block is most
   * of all the start: conditions, texts, caches.
   */
  private static String part(String name, int k) {
    String[] path = name.split("/"); // act/scaleK/blockI/…, act/…, logits/K, next_scale_input/K
    if (path[0].equals("act") && path.length == 2 || name.equals("act/scale0/block0/sa")) {
      return START;
    }
    return path.length == 4
        ? block(k, Integer.parseInt(path[2].substring("block".length())))
        : outside(k);
  }

  private static String block(int k, int block) {
    return "scale " + k + " block " + block;
  }

  private static String outside(int k) {
    return "scale " + k + " outside blocks";
  }
}
