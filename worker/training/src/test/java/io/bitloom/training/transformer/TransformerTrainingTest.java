package io.bitloom.training.transformer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.bitloom.common.schedule.Scale;
import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.common.schedule.ScaleSchedules;
import io.bitloom.common.schedule.SizeClass;
import io.bitloom.engine.checkpoint.Checkpoints;
import io.bitloom.engine.model.InfinityConfig;
import io.bitloom.engine.model.InfinityTransformer;
import io.bitloom.engine.nn.LowRank;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.PackedRows;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.engine.tensor.Weights;
import io.bitloom.engine.text.HashedWordEncoder;
import io.bitloom.engine.text.WordEmbeddingConfig;
import io.bitloom.engine.text.WordVocabulary;
import io.bitloom.engine.tokenizer.TokenizerConfig;
import io.bitloom.engine.tokenizer.TokenizerLayout;
import io.bitloom.engine.tokenizer.VisualTokenizer;
import io.bitloom.training.data.SampleBatch;
import io.bitloom.training.data.TrainingSample;
import io.bitloom.training.distributed.Processes;
import io.bitloom.training.optim.AdamW;
import io.bitloom.training.optim.LearningRate;
import io.bitloom.training.run.StepReport;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TransformerTrainingTest {
  private static final TokenizerConfig TOKENIZER =
      new TokenizerConfig(8, 16, 24, List.of(1, 1, 1, 1), 1);
  private static final JsonObject ARCHITECTURE =
      JsonParser.parseString(
              """
              {"embed_dim": 32, "depth": 2, "num_heads": 2, "mlp_ratio": 8, "block_chunks": 1,
               "text_channels": 128, "text_maxlen": 9, "shared_aln": true,
               "rope2d_each_sa_layer": 1, "rope2d_normalized_by_hw": 2}
              """)
          .getAsJsonObject();
  private static final ScaleSchedule SQUARE =
      ScaleSchedules.nearest(1).schedule(SizeClass.values()[0]);
  private static final InfinityInitialization BOLD = new InfinityInitialization(0.1, 0.1, 1);

  /** How a training differs from the others of this class. */
  private record Variant(
      int partTokens, boolean recompute, boolean bits, DType precision, Lora lora) {
    private static final Variant PLAIN = new Variant(100_000, false, true, DType.F32);

    private Variant(int partTokens, boolean recompute, boolean bits, DType precision) {
      this(partTokens, recompute, bits, precision, null);
    }
  }

  private static TransformerTraining training(Variant variant) {
    return training(variant, null);
  }

  /** A training whose text encoder learns as well, if one is given. */
  private static TransformerTraining training(Variant variant, JointText text) {
    JsonObject architecture = ARCHITECTURE.deepCopy();
    architecture.addProperty("use_bit_label", variant.bits());
    InfinityConfig config = InfinityConfig.parse(architecture, TOKENIZER.codebookDim());
    Objective objective = new Objective(0.3, 13, true, 0.5, true, true, false, 4, Long.MAX_VALUE);
    TransformerSettings settings =
        new TransformerSettings(
            config,
            objective,
            AdamW.Settings.REFERENCE,
            null,
            new LearningRate(5e-3, LearningRate.Shape.CONSTANT, 0, 1, 1),
            5,
            0.9,
            true,
            variant.partTokens(),
            variant.recompute(),
            TorchDevice.CPU,
            variant.precision(),
            1,
            100,
            List.of(),
            variant.lora());
    Weights tokenizerWeights = new Weights("tokenizer");
    TokenizerLayout.of(TOKENIZER)
        .forEach(
            (name, shape) ->
                tokenizerWeights.put(name, Tensors.zeros(DType.F32, TorchDevice.CPU, shape)));
    try (Weights start = BOLD.weights(config, 1)) {
      if (text != null) {
        text.addTo(start, 1);
      }
      if (variant.lora() != null) {
        variant.lora().addTo(start, config, 1);
      }
      TrainedModel directory =
          new TrainedModel(
              "test",
              "",
              List.of(SizeClass.values()[0]),
              new JsonObject(),
              architecture,
              new JsonObject(),
              tokenizerWeights,
              new JsonObject(),
              text,
              List.of());
      return new TransformerTraining(
          settings,
          start,
          new HashedWordEncoder(128),
          new VisualTokenizer(TOKENIZER, tokenizerWeights),
          null,
          directory,
          Processes.alone());
    }
  }

  private static SampleBatch batch(long number) {
    List<TrainingSample> samples = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      float[] features = new float[8 * SQUARE.last().tokens()];
      SplittableRandom random = new SplittableRandom(i % 2);
      for (int j = 0; j < features.length; j++) {
        features[j] = (float) random.nextGaussian();
      }
      samples.add(
          new TrainingSample(4 * number + i, i % 2 == 0 ? "a" : "b c", null, features, null));
    }
    return new SampleBatch(number, SQUARE, samples);
  }

  private static float[] headAfter(TransformerTraining training, int steps) {
    for (int i = 0; i < steps; i++) {
      assertTrue(training.step(batch(i)).applied());
    }
    return Tensors.floats(training.tensors().get("transformer").get("head.weight"));
  }

  @Test
  void theLossFallsOnWhatIsSeenAgainAndAgain() {
    try (TransformerTraining training = training(Variant.PLAIN)) {
      double first = training.step(batch(0)).loss();
      double last = first;
      for (int i = 1; i < 25; i++) {
        last = training.step(batch(i)).loss();
      }
      assertTrue(last < 0.95 * first, first + " to " + last);
      double validation = training.validate(List.of(batch(0))).get("loss");
      assertTrue(validation < first, first + " to " + validation);
    }
  }

  @Test
  void aBatchInPartsHasTheGradientOfTheWhole() {
    try (TransformerTraining whole = training(Variant.PLAIN);
        TransformerTraining parts =
            training(new Variant(SQUARE.tokens(), false, true, DType.F32))) {
      StepReport first = whole.step(batch(0));
      StepReport second = parts.step(batch(0));
      assertEquals(first.loss(), second.loss(), 1e-6);
      assertEquals(first.gradientNorm(), second.gradientNorm(), 1e-5 * first.gradientNorm());
      assertEquals(first.scalars().get("loss/scale_2"), second.scalars().get("loss/scale_2"), 1e-6);
    }
  }

  @Test
  void recomputedActivationsGiveTheSameGradient() {
    try (TransformerTraining plain = training(Variant.PLAIN);
        TransformerTraining recomputing = training(new Variant(100_000, true, true, DType.F32))) {
      StepReport first = plain.step(batch(0));
      StepReport second = recomputing.step(batch(0));
      assertEquals(first.gradientNorm(), second.gradientNorm(), 1e-5 * first.gradientNorm());
      assertArrayEquals(headAfter(plain, 0), headAfter(recomputing, 0), 1e-4f);
    }
  }

  @Test
  void theSameSeedGivesTheSameWeightsBitForBit() {
    try (TransformerTraining first = training(Variant.PLAIN);
        TransformerTraining second = training(Variant.PLAIN)) {
      assertArrayEquals(headAfter(first, 3), headAfter(second, 3));
    }
  }

  @Test
  void aStepWithoutFiniteLossLeavesTheWeightsAlone() {
    try (TransformerTraining training = training(Variant.PLAIN)) {
      training.step(batch(0));
      float[] before = headAfter(training, 0);
      Tensor bias = training.tensors().get("transformer").get("head.bias").detach();
      bias.fill_(new Scalar(Double.NaN));
      StepReport report = training.step(batch(1));
      assertFalse(report.applied());
      assertArrayEquals(before, headAfter(training, 0));
    }
  }

  @Test
  void theConventionalClassifierLearnsIndices() {
    try (TransformerTraining training = training(new Variant(100_000, false, false, DType.F32))) {
      double first = training.step(batch(0)).loss();
      assertEquals(Math.log(256), first, 1.5);
      for (int i = 1; i < 10; i++) {
        training.step(batch(i));
      }
      assertTrue(training.step(batch(10)).loss() < first);
    }
  }

  @Test
  void aTextEncoderLearnsWithTheTransformer() {
    JointText text =
        new JointText(
            new WordEmbeddingConfig(128, 1, 4, 9, 4),
            WordVocabulary.ofTexts(Stream.of("a b c"), 10));
    try (TransformerTraining training = training(Variant.PLAIN, text)) {
      Weights weights = training.tensors().get("transformer");
      float[] before = Tensors.floats(weights.get("text_encoder.embed.weight"));
      double first = training.step(batch(0)).loss();
      for (int i = 1; i < 6; i++) {
        assertTrue(training.step(batch(i)).applied());
      }
      float[] after = Tensors.floats(weights.get("text_encoder.embed.weight"));
      assertFalse(Arrays.equals(before, after));
      assertTrue(training.validate(List.of(batch(0))).get("loss") < 1.1 * first);
    }
  }

  private static TransformerTraining lowRank(boolean recompute) {
    Lora lora = new Lora(2, 4, List.of("sa", "ca", "ffn"), "sha256:base");
    return training(new Variant(100_000, recompute, true, DType.F32, lora));
  }

  @Test
  void lowRankChangesBeginAsTheModelAndAreAllThatACheckpointHas() {
    try (TransformerTraining plain = training(Variant.PLAIN);
        TransformerTraining changes = lowRank(false);
        TransformerTraining restored = lowRank(true)) {
      assertEquals(plain.step(batch(0)).loss(), changes.step(batch(0)).loss());
      assertTrue(changes.step(batch(1)).applied());
      Weights checkpoint = changes.tensors().get("transformer");
      assertTrue(checkpoint.names().stream().allMatch(LowRank::isPart));
      assertTrue(checkpoint.names().contains("blocks.1.sa.mat_qkv.lora_up.weight"));
      restored.restore(changes.tensors(), changes.optimizerSteps());
      StepReport next = changes.step(batch(2));
      StepReport recomputed = restored.step(batch(2));
      assertEquals(next.loss(), recomputed.loss());
      assertEquals(next.gradientNorm(), recomputed.gradientNorm(), 1e-5 * next.gradientNorm());
    }
  }

  @Test
  void aModelWithLowRankChangesIsWrittenWithTheChangesMade(@TempDir Path folder)
      throws IOException {
    try (TransformerTraining changes = lowRank(false)) {
      for (int i = 0; i < 5; i++) {
        changes.step(batch(i));
      }
      changes.export(folder);
      try (Weights adapter = Checkpoints.open(folder.resolve("adapter.safetensors"));
          Weights written = Checkpoints.open(folder.resolve("transformer.safetensors"));
          Weights base = BOLD.weights(config(), 1)) {
        assertEquals(base.names(), written.names());
        String layer = "blocks.0.ffn.fc2";
        Tensor change = LowRank.find(adapter, layer, 256, 32).orElseThrow().change();
        Tensor made = written.get(layer + ".weight").sub(base.get(layer + ".weight"));
        assertTrue(Tensors.doubles(change.abs().max())[0] > 1e-4);
        assertArrayEquals(Tensors.floats(change), Tensors.floats(made), 1e-6f);
        // The model as it learns, with changes beside the matrices, and as it is written.
        Weights beside = base.renamed(name -> name);
        beside.share(adapter);
        assertArrayEquals(logits(beside), logits(written), 1e-4f);
        beside.close();
      }
    }
  }

  private static InfinityConfig config() {
    return InfinityConfig.parse(ARCHITECTURE, TOKENIZER.codebookDim());
  }

  private static float[] logits(Weights weights) {
    List<Scale> scales = SQUARE.scales().subList(0, 3);
    int tokens = scales.stream().mapToInt(Scale::tokens).sum();
    try (Scope scope = Scope.open();
        NoGradGuard noGradients = new NoGradGuard();
        InfinityTransformer model =
            InfinityTransformer.forTraining(config(), weights, TorchDevice.CPU, DType.F32)) {
      Tensor inputs = Tensors.zeros(DType.F32, TorchDevice.CPU, 1, tokens - 1, 8);
      PackedRows text = new HashedWordEncoder(128).encode(List.of("a b"), 9);
      return Tensors.floats(model.forward(text, List.of(false), inputs, scales));
    }
  }

  @Test
  void mixedPrecisionKeepsTheWeightsInFloat32() {
    try (TransformerTraining training = training(new Variant(100_000, false, true, DType.BF16))) {
      StepReport report = training.step(batch(0));
      assertTrue(report.applied());
      Weights weights = training.tensors().get("transformer");
      assertEquals(DType.F32, Tensors.dtype(weights.get("head.weight")));
    }
  }

  @Test
  void attentionCountsForWhatIsSeenAndRecomputedBlocksApart() {
    List<Scale> scales = ScaleSchedules.nearest(1).schedule(SizeClass.PIXELS_1M).scales();
    double tokens = scales.stream().mapToLong(Scale::tokens).sum();
    double width = 32;
    double blocks = 2; // with a feed-forward layer of 8 times their width
    double matrices = blocks * 2 * tokens * (4 + 2 + 2 * 8) * width * width;
    double dense = blocks * 4 * tokens * tokens * width;
    double head = 2 * tokens * width * 16;
    try (TransformerTraining plain = training(Variant.PLAIN);
        TransformerTraining recomputing = training(new Variant(100_000, true, true, DType.F32))) {
      double forwards = plain.settings().flops(scales) / 3;
      assertEquals(10_521, tokens);
      assertEquals(0.62, (forwards - matrices - head) / dense, 0.005);
      assertEquals(0, plain.settings().recomputedFlops(scales));
      assertEquals(forwards - head, recomputing.settings().recomputedFlops(scales));
    }
  }

  @Test
  void lateScalesCanJoinLaterInARun() {
    Objective objective = new Objective(0.3, 13, true, 0.5, true, false, false, 3, 10);
    assertEquals(SQUARE.scales().subList(0, 3), objective.trainedScales(SQUARE, 9));
    assertEquals(SQUARE.scales(), objective.trainedScales(SQUARE, 10));
    assertEquals(SQUARE.scales(), objective.trainedScales(SQUARE));
    assertEquals(SQUARE.scales(), Objective.REFERENCE.trainedScales(SQUARE, 0));
  }
}
