package io.bitloom.engine.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.bitloom.engine.tensor.cpu.CpuKernels;
import io.bitloom.engine.tensor.cuda.CudaKernels;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.T_TensorTensor_T;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Whole batches give exactly the states that the definition gives, image by image. */
class DrawTest {
  private static final float LARGEST_BELOW_1 = 1 - 0x1p-24f;
  private static final float INFINITY = Float.POSITIVE_INFINITY;

  private final List<Kernels> backends = List.of(new CpuKernels(), new CudaKernels());
  private Scope scope;

  @BeforeEach
  void openScope() {
    scope = Scope.open();
  }

  @AfterEach
  void closeScope() {
    scope.close();
  }

  /**
   * The definition, for one image: of the states that top-k leaves, the less likely ones go while
   * their probabilities sum up to at most 1 − p; then the cumulative distribution is inverted.
   *
   * @param logits of choices (N, V)
   * @param uniform (N)
   * @return states (N)
   */
  private static Tensor defined(Tensor logits, DrawRules.Rule rule, Tensor uniform) {
    if (rule.topK() == 1) {
      return logits.argmax(new LongOptional(-1), false);
    }
    Scalar never = new Scalar(Double.NEGATIVE_INFINITY);
    Tensor left = logits;
    if (rule.topK() > 0) {
      long k = Math.min(rule.topK(), left.size(-1));
      Tensor kth = left.topk(k, -1, true, false).get0().amin(new long[] {-1}, true);
      left = left.masked_fill(left.lt(kth), never);
    }
    if (rule.topP() > 0) {
      T_TensorTensor_T ascending = left.sort(-1, false);
      Tensor unlikely = ascending.get0().softmax(-1).cumsum(-1).le(new Scalar(1 - rule.topP()));
      unlikely.narrow(-1, unlikely.size(-1) - 1, 1).zero_();
      left = left.masked_fill(unlikely.scatter(-1, ascending.get1(), unlikely), never);
    }
    Tensor cumulative = left.softmax(-1).cumsum(-1);
    Tensor total = cumulative.narrow(-1, cumulative.size(-1) - 1, 1);
    return cumulative.le(uniform.unsqueeze(-1).mul(total)).sum(new long[] {-1});
  }

  private void drawsAsDefined(Tensor logitsBNV, List<DrawRules.Rule> rules, Tensor uniformBN) {
    List<long[]> expected =
        IntStream.range(0, rules.size())
            .mapToObj(
                i ->
                    Tensors.longs(
                        defined(logitsBNV.select(0, i), rules.get(i), uniformBN.select(0, i))))
            .toList();
    for (Kernels backend : backends) {
      DrawRules onDevice = new DrawRules(rules, logitsBNV.size(-1), TorchDevice.CPU);
      Tensor drawn = backend.draw(logitsBNV, onDevice, uniformBN);
      assertEquals(logitsBNV.size(-1) == 2 ? DType.U8 : DType.I64, Tensors.dtype(drawn));
      for (int i = 0; i < rules.size(); i++) {
        assertArrayEquals(
            expected.get(i), Tensors.longs(drawn.select(0, i)), backend + " " + rules.get(i));
      }
    }
  }

  private static Tensor uniform(int images, int count) {
    long[] starts =
        IntStream.range(0, images).mapToLong(image -> SplitMix64.start(3, image)).toArray();
    return SplitMix64.uniform(Tensors.of(starts, images, 1), count);
  }

  private static List<DrawRules.Rule> mixed() {
    List<DrawRules.Rule> rules = new ArrayList<>();
    for (int topK : new int[] {0, 1, 2, 5}) {
      for (double topP : new double[] {0, 0.03, 0.5, 0.9, 0.97, 1}) {
        rules.add(new DrawRules.Rule(topK, topP));
      }
    }
    return rules;
  }

  @Test
  void aMillionBitsOfDifferentRulesAndTemperatures() {
    List<DrawRules.Rule> rules = mixed();
    int count = 1_000_000 / rules.size() + 1;
    torch.manual_seed(5);
    Tensor temperature = torch.rand(rules.size(), 1, 1).mul(new Scalar(6.0)).exp();
    drawsAsDefined(
        torch.randn(rules.size(), count, 2).mul(temperature), rules, uniform(rules.size(), count));
  }

  @Test
  void aMillionLogitsOfManyStates() {
    List<DrawRules.Rule> rules = mixed();
    torch.manual_seed(6);
    Tensor temperature = torch.rand(rules.size(), 1, 1).mul(new Scalar(3.0)).exp();
    for (int states : new int[] {3, 8, 300}) {
      int count = 350_000 / rules.size() / states + 1;
      Tensor logits = torch.randn(rules.size(), count, states).mul(temperature);
      Tensor numbers = uniform(rules.size(), count);
      drawsAsDefined(logits, rules, numbers);
      for (DrawRules.Rule rule : rules) { // of all images alike
        drawsAsDefined(logits.narrow(0, 0, 2), List.of(rule, rule), numbers.narrow(0, 0, 2));
      }
    }
  }

  @Test
  void logitsAndNumbersAtTheirBounds() {
    float[] values = {
      0, -0f, Float.MIN_VALUE, 0x1p-24f, 1, 1 + 0x1p-23f, 17, 88, 104, 3e38f, INFINITY
    };
    float[] numbers = {0, 0x1p-24f, 0.5f, 0.5f - 0x1p-24f, 0.97f, LARGEST_BELOW_1};
    List<Float> pairs = new ArrayList<>();
    List<Float> drawn = new ArrayList<>();
    for (float first : values) {
      for (float second : values) {
        for (float sign : new float[] {1, -1}) {
          for (float other : new float[] {1, -1}) {
            for (float number : numbers) {
              pairs.add(sign * first);
              pairs.add(other * second);
              drawn.add(number);
            }
          }
        }
      }
    }
    drawsAlike(floats(pairs), floats(drawn), mixed());
  }

  /** Probabilities are at 1 − p, or the numbers next to it, and random numbers at the boundary. */
  @Test
  void probabilitiesAtTheLimitOfTopP() {
    Random random = new Random(8);
    for (int round = 0; round < 40; round++) {
      float logit = (float) -Math.abs(random.nextGaussian() * 3);
      Tensor pair = Tensors.of(new float[] {0, logit}, 1, 2).softmax(-1);
      float[] p = Tensors.floats(pair);
      List<DrawRules.Rule> rules = new ArrayList<>();
      for (float limit : new float[] {Math.nextDown(p[1]), p[1], Math.nextUp(p[1])}) {
        rules.add(new DrawRules.Rule(0, 1 - (double) limit));
      }
      float near = Math.min(p[0], LARGEST_BELOW_1);
      float[] numbers = {
        0, Math.nextDown(p[1]), p[1], Math.nextUp(p[1]), Math.nextDown(near), near,
      };
      float[] logits = new float[4 * numbers.length];
      float[] twice = new float[2 * numbers.length];
      for (int i = 0; i < numbers.length; i++) {
        logits[4 * i + 1] = logit; // (0, logit) and (logit, 0)
        logits[4 * i + 2] = logit;
        twice[2 * i] = numbers[i];
        twice[2 * i + 1] = numbers[i];
      }
      drawsAlike(logits, twice, rules);
    }
  }

  /** Every rule draws from the same logits (N, 2) with the same numbers (N). */
  private void drawsAlike(float[] logits, float[] numbers, List<DrawRules.Rule> rules) {
    int count = numbers.length;
    drawsAsDefined(
        Tensors.of(logits, 1, count, 2).expand(rules.size(), count, 2).contiguous(),
        rules,
        Tensors.of(numbers, 1, count).expand(rules.size(), count).contiguous());
  }

  private static float[] floats(List<Float> values) {
    float[] floats = new float[values.size()];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = values.get(i);
    }
    return floats;
  }

  @Test
  void greedyImagesNeedNoNumbers() {
    Tensor logits = Tensors.of(new float[] {0, 1, 1, 0, 2, 2}, 1, 3, 2);
    DrawRules greedy = new DrawRules(List.of(new DrawRules.Rule(1, 0.9)), 2, TorchDevice.CPU);
    for (Kernels backend : backends) {
      assertArrayEquals(new long[] {1, 0, 0}, Tensors.longs(backend.draw(logits, greedy, null)));
    }
  }
}
