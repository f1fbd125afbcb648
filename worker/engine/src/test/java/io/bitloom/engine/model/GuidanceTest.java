package io.bitloom.engine.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class GuidanceTest {
  private static final int DEPTH = 4;
  private static final int TOKENS = 3;
  private static final int WIDTH = 5;
  private static final int LAYER = -1;

  private static ImageSampling image(Set<Integer> layers, Double... guidance) {
    List<Double> temperature = Collections.nCopies(guidance.length, 1.0);
    return new ImageSampling(1, 0, List.of(guidance), layers, temperature, 0, 0);
  }

  private static ImageSampling inside(Double... guidance) {
    return image(Set.of(LAYER), guidance);
  }

  private static ImageSampling elsewhere(Double... guidance) {
    return image(Set.of(ImageSampling.LOGITS, -3), guidance);
  }

  private static ImageSampling never() {
    return inside(1.0, 1.0, 1.0, 1.0);
  }

  static Stream<List<ImageSampling>> batches() {
    ImageSampling always = inside(3.0, 2.5, 0.1, 1.7);
    ImageSampling early = inside(2.0, 3.0, 1.0, 1.0);
    return Stream.of(
        List.of(never()),
        List.of(always),
        List.of(always, always, always),
        List.of(always, early, never()),
        List.of(never(), always, early),
        List.of(early, never(), always, early),
        List.of(always, elsewhere(2.0, 2.0, 2.0, 2.0), inside(1.0, 4.0, 1.0, 0.0)));
  }

  /** Every value is w · conditional + (1 − w) · unconditional of its own image, in float32. */
  @ParameterizedTest
  @MethodSource("batches")
  void everyImageIsCombinedByItsOwnWeights(List<ImageSampling> images) {
    int count = images.size();
    torch.manual_seed(2);
    try (Scope scope = Scope.open()) {
      GenerationBatch batch =
          new GenerationBatch(
              TinyInfinity.SCALES,
              TinyInfinity.text("p", Collections.nCopies(count, 1).toArray(Integer[]::new)),
              null,
              images);
      Guidance guidance = new Guidance(batch, DEPTH, TorchDevice.CPU);
      for (int k = 0; k < batch.scales().size(); k++) {
        int rows = guidance.rows(k);
        List<Integer> unconditional = guidance.guidedImages().subList(0, rows - count);
        Tensor x = torch.randn(rows, TOKENS, WIDTH);
        float[] values = Tensors.floats(x);
        float[] expected = values.clone();
        int size = TOKENS * WIDTH;
        for (int g = 0; g < unconditional.size(); g++) {
          ImageSampling image = images.get(unconditional.get(g));
          double w = image.guidance().get(k);
          if (image.guidanceLayers().contains(LAYER) && w != 1) {
            int above = unconditional.get(g) * size;
            int below = (count + g) * size;
            for (int i = 0; i < size; i++) {
              float sum = values[above + i] * (float) w + values[below + i] * (float) (1 - w);
              expected[above + i] = sum;
              expected[below + i] = sum;
            }
          }
        }
        assertArrayEquals(expected, Tensors.floats(guidance.afterBlock(k, DEPTH + LAYER, x)));

        Tensor shared = torch.randn(count, TOKENS, WIDTH);
        Tensor all = guidance.forRows(k, shared);
        assertEquals(rows, all.size(0));
        List<Integer> sources =
            Stream.concat(IntStream.range(0, count).boxed(), unconditional.stream()).toList();
        for (int row = 0; row < rows; row++) {
          assertArrayEquals(
              Tensors.floats(shared.select(0, sources.get(row))),
              Tensors.floats(all.select(0, row)));
        }
      }
    }
  }
}
