package io.bitloom.engine.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.schedule.Scale;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.LibTorch;
import io.bitloom.engine.tensor.PackedRows;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.engine.tensor.Weights;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CancellationException;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class InfinityTransformerTest {
  private static final List<Scale> SCALES = TinyInfinity.SCALES;

  private final InfinityConfig config = TinyInfinity.config();
  private final List<Double> warm = List.of(0.9, 1.0, 1.1, 1.0);
  private Scope scope;

  @BeforeEach
  void openScope() {
    scope = Scope.open();
  }

  @AfterEach
  void closeScope() {
    scope.close();
  }

  private static InfinityTransformer model(InfinityConfig config) {
    try (Weights weights = TinyInfinity.weights(config)) {
      return InfinityTransformer.forInference(config, weights, TorchDevice.CPU, DType.F32);
    }
  }

  private static List<byte[]> bits(InfinityTransformer model, GenerationBatch batch) {
    return model.generate(batch, ScaleObserver.NONE).bits().stream().map(Tensors::bytes).toList();
  }

  private static void assertSameBits(List<byte[]> expected, List<byte[]> actual) {
    assertEquals(expected.size(), actual.size());
    for (int k = 0; k < expected.size(); k++) {
      assertArrayEquals(expected.get(k), actual.get(k), "scale " + k);
    }
  }

  /** Bits of image i out of a batch. */
  private static List<byte[]> image(List<byte[]> bits, int i, int images) {
    return bits.stream()
        .map(all -> Arrays.copyOfRange(all, i * all.length / images, (i + 1) * all.length / images))
        .toList();
  }

  private ImageSampling drawn(long seed, List<Double> guidance, Integer... layers) {
    return new ImageSampling(seed, 0, guidance, Set.of(layers), warm, 0, 0.97);
  }

  /** Strangers: other seeds, lengths, guidance at other places, one negative prompt, one greedy. */
  private GenerationBatch strangers() {
    List<ImageSampling> images =
        List.of(
            drawn(3, List.of(4.0, 3.0, 1.0, 1.0), 0),
            drawn(5, List.of(1.0, 1.0, 1.0, 1.0), 0),
            drawn(7, List.of(1.0, 2.0, 1.0, 2.5), -2, 0),
            TinyInfinity.greedy(3),
            drawn(9, List.of(2.0, 2.0, 2.0, 2.0), -3),
            drawn(11, List.of(1.0, 2.0, 3.0, 4.0), 0),
            drawn(13, List.of(30.0, 1.0, 1.0, 1.0), -1, -2, -3, 0));
    return new GenerationBatch(
        SCALES,
        TinyInfinity.text("prompts", 5, 1, 9, 4, 7, 2, 3),
        TinyInfinity.text("negative", 0, 2, 6, 0, 0, 9, 0),
        images);
  }

  private static GenerationBatch alone(GenerationBatch batch, int i) {
    PackedRows negative = batch.negative();
    return new GenerationBatch(
        batch.scales(),
        single(batch.prompts(), i),
        negative == null || negative.lengths().get(i) == 0 ? null : single(negative, i),
        List.of(batch.images().get(i)));
  }

  private static PackedRows single(PackedRows rows, int i) {
    return new PackedRows(rows.sequence(i).contiguous(), List.of(rows.lengths().get(i)));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 5})
  void anImageDoesNotDependOnTheRestOfItsBatch(int threads) {
    int before = LibTorch.threads();
    LibTorch.threads(threads);
    try (InfinityTransformer model = model(config)) {
      GenerationBatch batch = strangers();
      List<byte[]> together = bits(model, batch);
      for (int i = 0; i < batch.size(); i++) {
        assertSameBits(bits(model, alone(batch, i)), image(together, i, batch.size()));
      }
    } finally {
      LibTorch.threads(before);
    }
  }

  @Test
  void anUnconditionalRowIsComputedUpToTheLastScaleThatItsImageGuidesAt() {
    Map<Integer, Integer> rows = new TreeMap<>();
    Trace trace =
        Trace.to(
            (name, tensor) -> {
              if (name.matches("act/scale\\d/block3/blk")) {
                rows.put(name.charAt("act/scale".length()) - '0', (int) tensor.size(0));
              }
            });
    try (InfinityTransformer model = model(config)) {
      model.generate(strangers(), ScaleObserver.NONE, trace);
    }
    assertEquals(Map.of(0, 7 + 6, 1, 7 + 5, 2, 7 + 4, 3, 7 + 4), rows);
  }

  /** Blocks run in groups of rows where a scale has many tokens; a trace sees all rows at once. */
  @Test
  void largeScalesGiveTheSameBitsInGroupsOfRows() {
    List<Scale> scales = List.of(new Scale(1, 1), new Scale(12, 12), new Scale(24, 24));
    List<ImageSampling> images =
        List.of(
            ImageSampling.constant(1, 0, 3, 1, 0.97, scales.size()),
            ImageSampling.constant(2, 0, 2, 1, 0.97, scales.size()));
    GenerationBatch batch = new GenerationBatch(scales, TinyInfinity.text("p", 5, 3), null, images);
    try (InfinityTransformer model = model(config)) {
      List<byte[]> inGroups = bits(model, batch);
      Trace watching = Trace.to((name, tensor) -> {});
      List<byte[]> atOnce =
          model.generate(batch, ScaleObserver.NONE, watching).bits().stream()
              .map(Tensors::bytes)
              .toList();
      assertSameBits(atOnce, inGroups);
      for (int i = 0; i < batch.size(); i++) {
        assertSameBits(bits(model, alone(batch, i)), image(inGroups, i, batch.size()));
      }
    }
  }

  @Test
  void theModelTakesTheMatricesOutOfTheWeights() {
    try (Weights weights = TinyInfinity.weights(config);
        InfinityTransformer model =
            InfinityTransformer.forInference(config, weights, TorchDevice.CPU, DType.F32)) {
      assertFalse(weights.has("head.weight"));
      assertEquals(
          List.of(),
          weights.names().stream()
              .filter(name -> weights.get(name).dim() == 2)
              .filter(name -> !name.equals("cfg_uncond") && !name.equals("lvl_embed.weight"))
              .toList());
      assertEquals(config, model.config());
    }
  }

  @Test
  void seedAndIndexPickTheImage() {
    try (InfinityTransformer model = model(config)) {
      PackedRows prompt = TinyInfinity.text("p", 5, 5);
      ImageSampling first = ImageSampling.constant(1, 0, 2, 1, 0, SCALES.size());
      ImageSampling second = ImageSampling.constant(1, 1, 2, 1, 0, SCALES.size());
      List<byte[]> bits =
          bits(model, new GenerationBatch(SCALES, prompt, null, List.of(first, second)));
      assertSameBits(
          bits, bits(model, new GenerationBatch(SCALES, prompt, null, List.of(first, second))));
      assertFalse(Arrays.equals(image(bits, 0, 2).get(3), image(bits, 1, 2).get(3)));
    }
  }

  @Test
  void guidanceAndNegativePromptsChangeTheImage() {
    try (InfinityTransformer model = model(config)) {
      byte[] towards = lastBits(model, 5, null);
      byte[] away = lastBits(model, -5, null);
      byte[] fromNegative = lastBits(model, 5, TinyInfinity.text("n", 3));
      assertFalse(Arrays.equals(towards, away));
      assertFalse(Arrays.equals(towards, fromNegative));
    }
  }

  private static byte[] lastBits(InfinityTransformer model, double guidance, PackedRows negative) {
    PackedRows prompt = TinyInfinity.text("p", 5);
    List<ImageSampling> images = List.of(TinyInfinity.greedy(guidance));
    List<byte[]> bits = bits(model, new GenerationBatch(SCALES, prompt, negative, images));
    return bits.get(bits.size() - 1);
  }

  /**
   * Generation with its cache and the masked pass over all scales are two ways to the same logits,
   * whatever the architecture.
   */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "'swiglu': true",
        "'rms_norm': true, 'nm0': true",
        "'shared_aln': false",
        "'head_aln': false",
        "'head_aln': false, 'head_depth': 2, 'rms_norm': true",
        "'head_depth': 2",
        "'cos_attn': false",
        "'cross_attn_layer_scale': 0.5",
        "'add_lvl_embeding_only_first_block': 0",
        "'add_lvl_embeding_only_first_block': 0, 'block_chunks': 1",
        "'rope2d_normalized_by_hw': 0",
        "'rope2d_normalized_by_hw': 1",
        "'rope2d_each_sa_layer': 0",
        "'rope2d_each_sa_layer': 0, 'add_lvl_embeding_only_first_block': 0",
        "'apply_spatial_patchify': 1",
        "'use_bit_label': 0"
      })
  void generationAgreesWithTheTeacherForcedPass(String changes) {
    InfinityConfig config = TinyInfinity.config(8, changes.replace('\'', '"'));
    PackedRows prompts = TinyInfinity.text("p", 5, 3);
    List<ImageSampling> images = Collections.nCopies(2, TinyInfinity.greedy(1));
    List<Tensor> inputs = new ArrayList<>();
    List<Tensor> logits = new ArrayList<>();
    Trace trace =
        Trace.to(
            (name, tensor) -> {
              if (name.startsWith("next_scale_input/")) {
                inputs.add(Scope.own(tensor.clone()));
              } else if (name.startsWith("logits/")) {
                logits.add(Scope.own(tensor.clone()));
              }
            });
    try (Weights weights = TinyInfinity.weights(config);
        InfinityTransformer drawing = model(config);
        InfinityTransformer training =
            InfinityTransformer.forTraining(config, weights, TorchDevice.CPU, DType.F32)) {
      drawing.generate(
          new GenerationBatch(SCALES, prompts, null, images), ScaleObserver.NONE, trace);
      Tensor teacherForced =
          training.forward(prompts, List.of(false, false), concat(inputs), SCALES);
      assertArrayEquals(Tensors.floats(teacherForced), Tensors.floats(concat(logits)), 1e-3f);
    }
  }

  private static Tensor concat(List<Tensor> scales) {
    return torch.cat(new TensorVector(scales.toArray(Tensor[]::new)), 1);
  }

  @Test
  void gradientsReachEveryParameterThatTheLossDependsOn() {
    try (Weights weights = TinyInfinity.weights(config);
        InfinityTransformer model =
            InfinityTransformer.forTraining(config, weights, TorchDevice.CPU, DType.F32)) {
      weights.names().forEach(name -> weights.get(name).set_requires_grad(true));
      long tokens = SCALES.stream().mapToInt(Scale::tokens).sum();
      PackedRows prompts = TinyInfinity.text("p", 5, 3);
      Tensor inputs = Tensors.zeros(DType.F32, TorchDevice.CPU, 2, tokens - 1, 8);
      Tensor labels = Tensors.zeros(DType.U8, TorchDevice.CPU, 2, tokens, 8);
      Tensor logits = model.forward(prompts, List.of(false, true), inputs, SCALES);
      Tensor perToken = BitLoss.perBit(logits, labels).mean(-1);
      BitLoss.total(perToken, BitLoss.reweighted(SCALES)).backward();
      for (String name : weights.names()) {
        boolean reached = weights.get(name).grad().defined();
        assertEquals(!name.endsWith("zero_k_bias"), reached, name);
      }
    }
  }

  @Test
  void theBfloat16ModelAgreesWithTheFloat32OneInMostBits() {
    try (Weights weights = TinyInfinity.weights(config);
        InfinityTransformer exact = model(config);
        InfinityTransformer half =
            InfinityTransformer.forInference(config, weights, TorchDevice.CPU, DType.BF16)) {
      GenerationBatch batch =
          new GenerationBatch(
              SCALES, TinyInfinity.text("p", 5), null, List.of(TinyInfinity.greedy(1)));
      byte[] expected = bits(exact, batch).get(1);
      byte[] actual = bits(half, batch).get(1);
      int same = 0;
      for (int i = 0; i < expected.length; i++) {
        same += expected[i] == actual[i] ? 1 : 0;
      }
      assertTrue(same > 0.9 * expected.length, same + " of " + expected.length);
      assertEquals(exact.kvBytesPerImage(SCALES, true), 2 * half.kvBytesPerImage(SCALES, true));
    }
  }

  @Test
  void theCacheLeavesOutTheLastScale() {
    try (InfinityTransformer model = model(config)) {
      long cachedTokens = 1 + 4 + 6;
      assertEquals(2L * 4 * 64 * cachedTokens * 4, model.kvBytesPerImage(SCALES, false));
      assertEquals(2L * 4 * 64 * cachedTokens * 4 * 2, model.kvBytesPerImage(SCALES, true));
    }
  }

  @Test
  void anObserverSeesEveryScaleAndCanEndTheGeneration() {
    try (InfinityTransformer model = model(config)) {
      GenerationBatch batch =
          new GenerationBatch(
              SCALES, TinyInfinity.text("p", 5), null, List.of(TinyInfinity.greedy(1)));
      List<Integer> seen = new ArrayList<>();
      Generation generation =
          model.generate(
              batch,
              (scale, codes) -> {
                seen.add(scale);
                assertArrayEquals(new long[] {1, 8, 6, 4}, codes.shape());
              });
      assertEquals(List.of(0, 1, 2, 3), seen);
      assertArrayEquals(new long[] {1, 24, 8}, generation.bits().get(3).shape());
      assertThrows(
          CancellationException.class,
          () ->
              model.generate(
                  batch,
                  (scale, codes) -> {
                    throw new CancellationException();
                  }));
    }
  }

  @Test
  void aBatchThatDoesNotFitTheModelIsRefused() {
    try (InfinityTransformer model = model(config)) {
      assertRefused(model, "10 text rows", TinyInfinity.text("p", 10), TinyInfinity.greedy(1));
      PackedRows narrow = new PackedRows(Tensors.of(new float[6], 2, 3), List.of(2));
      assertRefused(model, "3 channels", narrow, TinyInfinity.greedy(1));
      assertRefused(
          model,
          "guidance layer -4",
          TinyInfinity.text("p", 2),
          drawn(1, List.of(2.0, 2.0, 2.0, 2.0), -4));
    }
  }

  private static void assertRefused(
      InfinityTransformer model, String reason, PackedRows prompt, ImageSampling image) {
    GenerationBatch batch = new GenerationBatch(SCALES, prompt, null, List.of(image));
    String message =
        assertThrows(
                IllegalArgumentException.class, () -> model.generate(batch, ScaleObserver.NONE))
            .getMessage();
    assertTrue(message.contains(reason), message);
  }
}
