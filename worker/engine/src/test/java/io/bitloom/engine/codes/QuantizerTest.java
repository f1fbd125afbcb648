package io.bitloom.engine.codes;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.schedule.Scale;
import io.bitloom.engine.codes.QuantizerConfig.Kind;
import io.bitloom.engine.nn.Nn;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import java.util.List;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import org.bytedeco.pytorch.GeneratorOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class QuantizerTest {
  private static final List<Scale> SCALES =
      List.of(new Scale(1, 1), new Scale(2, 3), new Scale(4, 6));

  private static Tensor random(long seed, long... shape) {
    return torch.randn(shape, new GeneratorOptional(torch.make_generator_cpu(seed)));
  }

  private static double value(Tensor scalar) {
    return Tensors.doubles(scalar)[0];
  }

  /** The gradient of a loss by autograd and by central differences, in float64. */
  private static void assertGradient(Tensor at, Function<Tensor, Tensor> loss) {
    Tensor x = Tensors.to(at, DType.F64).detach().clone();
    Tensor leaf = x.clone().set_requires_grad(true);
    loss.apply(leaf).backward();
    double[] gradient = Tensors.doubles(leaf.grad());
    double[] values = Tensors.doubles(x);
    double step = 1e-5;
    ToDoubleFunction<double[]> f =
        changed -> value(loss.apply(Tensors.of(changed, x.shape()).view(x.shape())));
    for (int i = 0; i < values.length; i++) {
      double[] changed = values.clone();
      changed[i] = values[i] + step;
      double above = f.applyAsDouble(changed);
      changed[i] = values[i] - step;
      double below = f.applyAsDouble(changed);
      assertEquals((above - below) / (2 * step), gradient[i], 1e-6, "element " + i);
    }
  }

  @Test
  void gradientsOfTheEntropiesAndCommitmentsAreThoseOfFiniteDifferences() {
    try (Scope scope = Scope.open()) {
      Tensor z = random(1, 1, 4, 2, 3);
      for (Quantizer quantizer :
          List.of(
              new BinarySphericalQuantizer(4, 1),
              new LookupFreeQuantizer(4, 0.5),
              new FiniteScalarQuantizer(List.of(8, 5, 3, 4)))) {
        assertGradient(
            z,
            x -> {
              Quantizer.Quantized level = quantizer.quantize(x);
              return level
                  .commitment()
                  .add(Tensors.times(level.tokenEntropy(), 0.3))
                  .sub(Tensors.times(level.codebookEntropy(), 0.7))
                  .add(Tensors.times(x.sum(), 0.01));
            });
      }
    }
  }

  @Test
  void gradientsPassStraightThroughTheRounding() {
    try (Scope scope = Scope.open()) {
      Tensor weight = random(3, 1, 4, 2, 3);
      Tensor z = random(2, 1, 4, 2, 3).set_requires_grad(true);
      new LookupFreeQuantizer(4, 1).quantize(z).codes().mul(weight).sum().backward();
      assertArrayEquals(Tensors.floats(weight), Tensors.floats(z.grad()), 1e-6f);

      // BSQ: straight through to the direction, whose own derivative is left.
      Tensor x = random(2, 1, 4, 2, 3);
      Tensor direct = x.clone().set_requires_grad(true);
      new BinarySphericalQuantizer(4, 1).quantize(direct).codes().mul(weight).sum().backward();
      Tensor byHand = x.clone().set_requires_grad(true);
      Nn.l2Normalize(byHand, 1).mul(weight).sum().backward();
      assertArrayEquals(Tensors.floats(byHand.grad()), Tensors.floats(direct.grad()), 1e-6f);
    }
  }

  @Test
  void theEntropyOfATokenOverAllCodesIsTheSumOverItsBits() {
    try (Scope scope = Scope.open()) {
      Tensor z = random(4, 1, 6, 3, 3);
      double beta = 0.7;
      double exact = value(new LookupFreeQuantizer(6, beta).quantize(z).tokenEntropy());
      Tensor one = torch.sigmoid(Tensors.times(Rows.of(z), 4 * beta)); // per bit
      double sum = value(BinarySphericalQuantizer.bitEntropy(one).sum(-1L).mean());
      assertEquals(sum, exact, 1e-4);
    }
  }

  @Test
  void theEntropyOfTheCodebookIsExactForLfqAndAnUpperBoundForBsq() {
    try (Scope scope = Scope.open()) {
      // Two bits that always agree: two codes of four are used, though both bits look even.
      Tensor z = Tensors.of(new float[] {1, -1, 1, -1}, 1, 2, 1, 2);
      double exact = value(new LookupFreeQuantizer(2, 20).quantize(z).codebookEntropy());
      double independent =
          value(new BinarySphericalQuantizer(2, 100).quantize(z).codebookEntropy());
      assertEquals(Math.log(2), exact, 1e-4);
      assertEquals(2 * Math.log(2), independent, 1e-4);
    }
  }

  @Test
  void bsqIsTheQuantizerThatInferenceUses() {
    try (Scope scope = Scope.open()) {
      Tensor z = random(5, 2, 8, 4, 6);
      ResidualQuantizer quantizer = ResidualQuantizer.ofBits(8);
      var served = quantizer.encode(z, SCALES);
      var trained = quantizer.quantize(z, SCALES);
      for (int k = 0; k < SCALES.size(); k++) {
        assertArrayEquals(
            Tensors.bytes(served.digits().get(k)), Tensors.bytes(trained.digits().get(k)));
      }
      assertArrayEquals(
          Tensors.floats(served.summedCodes()), Tensors.floats(trained.summedCodes()), 1e-5f);
    }
  }

  @Test
  void theStatisticsOfBsqAreThoseOfItsDefinition() {
    try (Scope scope = Scope.open()) {
      Tensor z = random(5, 2, 8, 4, 6);
      Tensor direction = Nn.l2Normalize(z.permute(0, 2, 3, 1).reshape(-1, 8), 1); // (N, d)
      Tensor zero = torch.sigmoid(Tensors.times(direction, -4 * 100 / Math.sqrt(8))); // (N, d)
      Tensor p = torch.stack(new TensorVector(zero, Tensors.plus(zero.neg(), 1)), -1); // (N, d, 2)
      Tensor codes = direction.sign().div(new Scalar(Math.sqrt(8))); // (N, d)

      var quantized = new BinarySphericalQuantizer(8).quantize(z);
      assertEquals(value(entropy(p).sum(-1L).mean()), value(quantized.tokenEntropy()), 1e-5);
      assertEquals(value(entropy(p.mean(0L)).sum()), value(quantized.codebookEntropy()), 1e-5);
      assertEquals(
          value(direction.sub(codes).square().mean()), value(quantized.commitment()), 1e-6);
    }
  }

  /** −Σ p·ln p along the last axis. */
  private static Tensor entropy(Tensor p) {
    return p.mul(Tensors.plus(p, 1e-8).log()).sum(-1L).neg();
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void digitsAreEnoughToRebuildTheSum(Kind kind) {
    try (Scope scope = Scope.open();
        ResidualQuantizer quantizer = QuantizerConfig.of(kind, 6).build(SCALES.size(), 1)) {
      Tensor features = random(6, 2, 6, 4, 6);
      var quantized = quantizer.quantize(features, SCALES);
      assertEquals(SCALES.size(), quantized.digits().size());
      float[] sum = Tensors.floats(quantizer.sum(quantized.digits()));
      assertArrayEquals(Tensors.floats(quantized.summedCodes()), sum, 1e-5f);
      var encoding = quantizer.encode(features, SCALES);
      assertArrayEquals(sum, Tensors.floats(encoding.summedCodes()), 1e-5f);
      for (int k = 0; k < SCALES.size(); k++) {
        assertArrayEquals(
            Tensors.longs(quantized.digits().get(k)), Tensors.longs(encoding.digits().get(k)));
      }
      double penalty = value(quantized.penalty(QuantizerConfig.of(kind, 6)));
      assertTrue(Double.isFinite(penalty), "penalty " + penalty);
    }
  }

  @Test
  void everyLevelOfFsqCanBeReached() {
    try (Scope scope = Scope.open()) {
      FiniteScalarQuantizer quantizer = new FiniteScalarQuantizer(List.of(8, 5));
      CodeUsage usage = new CodeUsage(quantizer.radices());
      usage.add(quantizer.quantize(Tensors.times(random(7, 1, 2, 64, 64), 1.5)).digits());
      assertEquals(1, usage.usedShare());
      Tensor codes = quantizer.codes(Tensors.of(new long[] {0, 0, 7, 4}, 1, 1, 2, 2));
      assertArrayEquals(new float[] {-1, 0.75f, -1, 1}, Tensors.floats(codes), 1e-6f);
    }
  }

  @Test
  void aCodebookMovesToTheFeaturesAndLeavesNoEntryUnused() {
    try (Scope scope = Scope.open();
        VectorQuantizer quantizer = new VectorQuantizer(2, 8, 0.8, 1)) {
      // Eight clusters far from where the codebook begins.
      Tensor centres = Tensors.plus(Tensors.times(random(8, 1, 2, 1, 8), 5), 20);
      Tensor features = centres.repeat(1, 1, 16, 1); // (1, 2, 16, 8)
      for (int i = 0; i < 200; i++) {
        quantizer.learn(Rows.of(features));
      }
      var level = quantizer.quantize(features);
      CodeUsage usage = new CodeUsage(quantizer.radices());
      usage.add(level.digits());
      assertTrue(usage.perplexity() > 6, "perplexity " + usage.perplexity());
      assertTrue(value(level.commitment()) < 1, "distance " + value(level.commitment()));
    }
  }

  @Test
  void aCodebookThatSeesOneTokenAStepFillsUpWithTokensThatDiffer() {
    try (Scope scope = Scope.open();
        VectorQuantizer quantizer = new VectorQuantizer(2, 16, 0.99, 1)) {
      // Far from where the codebook begins, so that of its entries two at most are near.
      Tensor tokens = Tensors.plus(Tensors.times(random(8, 12, 2), 5), 20);
      for (int i = 0; i < 12; i++) {
        quantizer.learn(tokens.narrow(0, i, 1));
      }
      CodeUsage usage = new CodeUsage(quantizer.radices());
      usage.add(quantizer.quantize(tokens.t().reshape(1, 2, 1, 12)).digits());
      assertTrue(usage.perplexity() > 5, "perplexity " + usage.perplexity());
    }
  }

  @Test
  void aSharedCodebookMovesOnceAStepHoweverManyLevelsThereAre() {
    try (Scope scope = Scope.open();
        ResidualQuantizer quantizer = QuantizerConfig.of(Kind.VQ, 4).build(3, 1)) {
      quantizer.train(random(9, 2, 4, 4, 6), SCALES);
      assertEquals(1, quantizer.state().get("levels.0.updates").item_long());
      // All tokens of a step are counted alike: (1 + 6 + 24) of each of two pictures.
      double counted = value(quantizer.state().get("levels.0.count").sum());
      assertTrue(counted >= 0.01 * 62 - 1e-6, "counted " + counted);
    }
  }

  @Test
  void aCodebookLearnsNothingFromFeaturesThatAreNotFinite() {
    try (Scope scope = Scope.open();
        VectorQuantizer quantizer = new VectorQuantizer(2, 8, 0.8, 1)) {
      float[] before = Tensors.floats(quantizer.state().get("codebook"));
      quantizer.learn(random(8, 16, 2).fill_(new Scalar(Double.NaN)));
      assertArrayEquals(before, Tensors.floats(quantizer.state().get("codebook")));
    }
  }

  @Test
  void moreResidualLevelsComeNearer() {
    try (Scope scope = Scope.open();
        ResidualQuantizer quantizer = QuantizerConfig.of(Kind.RVQ, 4).build(3, 1)) {
      Tensor features = random(9, 1, 4, 8, 8);
      List<Scale> same = List.of(new Scale(8, 8), new Scale(8, 8), new Scale(8, 8));
      double before = Double.POSITIVE_INFINITY;
      for (int levels = 1; levels <= 3; levels++) {
        var one = new ResidualQuantizer(List.of(quantizer.level(0)));
        double distance =
            value(
                one.encode(features, same.subList(0, levels))
                    .summedCodes()
                    .sub(features)
                    .square()
                    .mean());
        assertTrue(distance < before, distance + " against " + before);
        before = distance;
      }
    }
  }

  @Test
  void usageCountsBitsThatNeverChange() {
    try (Scope scope = Scope.open()) {
      CodeUsage usage = new CodeUsage(new int[] {2, 2, 2});
      usage.add(Tensors.of(new long[] {0, 1, 0, 0, 1, 1, 0, 1, 0, 0, 1, 1}, 1, 2, 2, 3));
      assertArrayEquals(new double[] {0, 0, 1}, usage.digitEntropies(), 1e-12);
      assertEquals(2, usage.deadDigits());
      assertEquals(2, usage.perplexity(), 1e-12);
      assertEquals(0.25, usage.usedShare());
      assertEquals(4, usage.cells());
    }
  }

  @Test
  void settingsOutOfRangeAreNamed() {
    assertEquals(
        "quantizer: d: LFQ enumerates 2^d codes, expected at most 18, got 24",
        assertThrows(
                IllegalArgumentException.class, () -> QuantizerConfig.of(Kind.LFQ, 24).build(1, 0))
            .getMessage());
    assertThrows(IllegalArgumentException.class, () -> QuantizerConfig.of(Kind.BSQ, 65));
  }
}
