package io.bitloom.engine.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.schedule.Scale;
import io.bitloom.common.schedule.ScaleSchedules;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Launches;
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
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * How many kernels a GPU is asked for while it generates, by {@link Launches}, of models of real
 * size without values.
 */
class LaunchesTest {
  private static final int MOST_OF_A_BLOCK = 24;
  private static final List<Scale> SCALES = ScaleSchedules.nearest(1).scales(); // 1024²

  /** What was launched for what. */
  private static final class Counts {
    private final Map<String, List<String>> launches = new LinkedHashMap<>();

    void add(String part, List<String> operators) {
      launches.computeIfAbsent(part, name -> new ArrayList<>()).addAll(operators);
    }

    int of(String part) {
      return launches.get(part).size();
    }

    int ofBlock(int k, int block) {
      return of(block(k, block));
    }

    static String block(int k, int block) {
      return "scale " + k + " block " + block;
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"LAYER12", "MODEL_2B", "MODEL_8B"})
  void aBlockTakesFewLaunchesWhateverTheRows(InfinityPreset preset) {
    InfinityConfig config =
        InfinityConfig.parse(preset.settings(), preset.spatialPatchify() ? 56 : 32);
    try (Weights weights = weightsWithoutValues(config);
        InfinityTransformer model =
            InfinityTransformer.forInference(config, weights, TorchDevice.META, DType.BF16)) {
      generate(model, List.of(1)); // computes the angles of the schedule, once and for all
      Counts expected = generate(model, Collections.nCopies(2, 17));
      print(preset, config, expected);
      for (int k = 0; k < SCALES.size(); k++) {
        for (int block = 0; block < config.depth(); block++) {
          String part = Counts.block(k, block);
          assertTrue(
              expected.of(part) <= MOST_OF_A_BLOCK, part + ": " + expected.launches.get(part));
        }
      }
      for (int rows : new int[] {12, 32}) {
        Counts alike = generate(model, Collections.nCopies(rows, 17));
        Counts mixed = generate(model, IntStream.range(0, rows).mapToObj(r -> 5 + r).toList());
        for (int k = 0; k < SCALES.size(); k++) {
          for (int block = 0; block < config.depth(); block++) {
            assertEquals(expected.ofBlock(k, block), alike.ofBlock(k, block), rows + " rows");
            assertEquals(expected.ofBlock(k, block), mixed.ofBlock(k, block), rows + " texts");
          }
        }
        assertEquals(expected.of("start"), alike.of("start"), rows + " rows");
        assertTrue(
            mixed.of("start") <= expected.of("start") + config.depth() + 3, // texts side by side
            rows + " texts: " + mixed.launches.get("start"));
      }
    }
  }

  private static void print(InfinityPreset preset, InfinityConfig config, Counts counts) {
    TreeSet<Integer> blocks = new TreeSet<>();
    for (int k = 1; k < SCALES.size(); k++) {
      for (int block = 1; block < config.depth(); block++) {
        blocks.add(counts.ofBlock(k, block));
      }
    }
    System.out.println(
        preset.label()
            + ": launches of a block "
            + blocks
            + ", of the first "
            + counts.ofBlock(1, 0)
            + ", of head and guidance "
            + counts.of("logits") / SCALES.size()
            + ", at the start "
            + counts.of("start")
            + " "
            + counts.launches.get(Counts.block(1, 1)));
  }

  private static Weights weightsWithoutValues(InfinityConfig config) {
    Weights weights = new Weights("without values");
    InfinityLayout.of(config)
        .forEach(
            (name, shape) -> {
              try (Scope scope = Scope.open()) {
                weights.put(name, Tensors.empty(DType.F32, TorchDevice.META, shape));
              }
            });
    return weights;
  }

  /** Counts a generation with a row for each text of these lengths. */
  private static Counts generate(InfinityTransformer model, List<Integer> lengths) {
    int textChannels = model.config().textChannels();
    int textRows = lengths.stream().mapToInt(Integer::intValue).sum();
    ImageSampling greedy =
        new ImageSampling(
            0,
            0,
            Collections.nCopies(SCALES.size(), 1.0),
            Set.of(ImageSampling.LOGITS),
            Collections.nCopies(SCALES.size(), 0.5),
            1,
            0);
    Counts counts = new Counts();
    try (Scope scope = Scope.open();
        Launches launches = Launches.start()) {
      Tensor text = Tensors.empty(DType.F32, TorchDevice.META, textRows, textChannels);
      GenerationBatch batch =
          new GenerationBatch(
              SCALES,
              new PackedRows(text, lengths),
              null,
              Collections.nCopies(lengths.size(), greedy));
      model.generate(
          batch,
          (k, summed) -> counts.add("input", launches.take()),
          Trace.to((name, tensor) -> counts.add(part(name), launches.take())));
    }
    return counts;
  }

  /**
   * What a tensor of {@link InfinityTransformer#generate} is a result of. The way to the first one
   * of the first block is most of all the start: conditions, texts, caches.
   */
  private static String part(String name) {
    String[] path = name.split("/");
    if (name.equals("act/scale0/block0/sa") || path.length == 2 && path[0].equals("act")) {
      return "start";
    }
    if (path.length == 4) {
      int k = Integer.parseInt(path[1].substring("scale".length()));
      return Counts.block(k, Integer.parseInt(path[2].substring("block".length())));
    }
    return path[0];
  }
}
