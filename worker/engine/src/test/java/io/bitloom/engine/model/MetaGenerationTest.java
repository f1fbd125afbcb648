package io.bitloom.engine.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.Gson;
import com.google.gson.JsonObject;
import io.bitloom.common.schedule.Scale;
import io.bitloom.common.schedule.ScaleSchedules;
import io.bitloom.common.schedule.SizeClass;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.MetaWeights;
import io.bitloom.engine.tensor.PackedRows;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.engine.tensor.Transfers;
import io.bitloom.engine.tensor.Weights;
import io.bitloom.engine.text.ClassLabels;
import io.bitloom.engine.text.HashedWordEncoder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Every released architecture draws at every size as a GPU would have it, on tensors without
 * memory: nothing lies on another device, nothing has another shape, and from the first scale on
 * nothing is moved to the device or read from it.
 */
class MetaGenerationTest {
  private static final DType DTYPE = DType.BF16;

  @ParameterizedTest
  @EnumSource
  void everyRungOfTheLadderDrawsAtEverySize(InfinityPreset preset) {
    InfinityConfig config = MetaModels.config(preset);
    try (Weights weights = MetaWeights.of(InfinityLayout.of(config));
        InfinityTransformer model =
            InfinityTransformer.forInference(config, weights, TorchDevice.META, DTYPE)) {
      for (SizeClass size : SizeClass.ofAllShapes()) {
        List<Scale> square = ScaleSchedules.nearest(1, size).scales();
        drawsWithoutWaiting(model, alike(config, square), DType.U8);
        List<Scale> wide = ScaleSchedules.nearest(0.5, size).scales();
        drawsWithoutWaiting(model, mixed(config, wide), DType.U8);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"16, var256, 0", "20, var256, 0", "24, var256, 0", "30, var256, 0", "36, var512, 1"})
  void everyReleasedVarDraws(int depth, String size, int sharedNorm, @TempDir Path folder)
      throws IOException {
    JsonObject settings = new JsonObject();
    settings.addProperty("num_classes", 1000);
    settings.addProperty("vocab_size", MetaModels.VQVAE.vocabSize());
    settings.addProperty("embed_dim", 64 * depth);
    settings.addProperty("depth", depth);
    settings.addProperty("num_heads", depth);
    settings.addProperty("shared_aln", sharedNorm);
    settings.addProperty("attn_l2_norm", 1);
    SizeClass squares = SizeClass.find(size).orElseThrow();
    settings.add("patch_nums", new Gson().toJsonTree(SquareVar.sides(squares)));
    InfinityConfig config = InfinityConfig.parse(settings, MetaModels.VQVAE.codebookDim());
    Path names = folder.resolve("classes.txt");
    Files.write(names, IntStream.range(0, 1000).mapToObj(i -> "class " + i).toList());
    try (Weights weights = MetaWeights.of(InfinityLayout.of(config));
        InfinityTransformer model = MetaModels.var(config, weights, DTYPE);
        Scope scope = Scope.open()) {
      PackedRows labels = ClassLabels.read(names, 1000).encode(List.of("class 7", "12"), 1);
      List<Scale> scales = squares.squares();
      GenerationBatch batch =
          new GenerationBatch(
              scales, labels, null, Collections.nCopies(2, image(scales, 4, 900, 0.95)));
      drawsWithoutWaiting(model, batch, DType.I64);
    }
  }

  @Test
  void theOtherArchitecturesDrawToo() {
    for (String changes :
        List.of(
            "\"rope2d_each_sa_layer\": 0",
            "\"use_bit_label\": 0",
            "\"rms_norm\": true, \"nm0\": true, \"swiglu\": true, \"cos_attn\": false",
            "\"shared_aln\": false, \"head_aln\": false, \"head_depth\": 2",
            "\"cross_attn_layer_scale\": 0.1, \"add_lvl_embeding_only_first_block\": 0",
            "\"text_maxlen\": 40")) {
      InfinityConfig config = TinyInfinity.config(8, changes);
      try (Weights weights = MetaWeights.of(InfinityLayout.of(config));
          InfinityTransformer model =
              InfinityTransformer.forInference(config, weights, TorchDevice.META, DTYPE)) {
        drawsWithoutWaiting(model, mixed(config, TinyInfinity.SCALES), DType.U8);
      }
    }
  }

  @Test
  void theTeacherForcedPassStaysOnTheDevice() {
    InfinityConfig config = MetaModels.config(InfinityPreset.LAYER12);
    List<Scale> scales = ScaleSchedules.nearest(1, SizeClass.PIXELS_0_25M).scales();
    long tokens = scales.stream().mapToLong(Scale::tokens).sum();
    try (Weights weights = MetaWeights.of(InfinityLayout.of(config));
        InfinityTransformer model =
            InfinityTransformer.forTraining(config, weights, TorchDevice.META, DTYPE);
        Scope scope = Scope.open();
        NoGradGuard noGradients = new NoGradGuard()) {
      PackedRows prompts = words(config, "a fox", "an owl on a roof");
      Tensor inputs =
          Tensors.empty(DType.F32, TorchDevice.META, 2, tokens - 1, config.bitsPerToken());
      Tensor logits = model.forward(prompts, List.of(false, true), inputs, scales);
      assertTrue(logits.is_meta());
      assertArrayEquals(new long[] {2, tokens, config.logitsPerToken()}, logits.shape());
    }
  }

  /** Two guided images with texts of one length, encoded on the device. */
  private static GenerationBatch alike(InfinityConfig config, List<Scale> scales) {
    PackedRows prompts = words(config, "a fox", "a cat").on(TorchDevice.META);
    return new GenerationBatch(
        scales, prompts, null, Collections.nCopies(2, image(scales, 4, 0, 0.97)));
  }

  /** Images that have nothing in common but their size. */
  private static GenerationBatch mixed(InfinityConfig config, List<Scale> scales) {
    List<Double> rising = new ArrayList<>(Collections.nCopies(scales.size(), 1.0));
    rising.set(0, 3.0);
    rising.set(1, 2.0);
    List<Double> cooling = new ArrayList<>(Collections.nCopies(scales.size(), 0.9));
    cooling.set(0, 1.3);
    ImageSampling early =
        new ImageSampling(2, 1, rising, Set.of(ImageSampling.LOGITS), cooling, 1, 0);
    ImageSampling inside =
        new ImageSampling(
            3, 0, Collections.nCopies(scales.size(), 2.5), Set.of(0, -2), cooling, 0, 0.8);
    return new GenerationBatch(
        scales,
        words(config, "a fox", "an owl on a roof", "rain", "a cat", "two cats"),
        new PackedRows(words(config, "fog and mist").rows(), List.of(0, 4, 0, 0, 0)),
        List.of(
            early,
            image(scales, 4, 0, 0.97),
            inside,
            image(scales, 1, 2, 0),
            image(scales, 3, 1, 0)));
  }

  private static ImageSampling image(List<Scale> scales, double guidance, int topK, double topP) {
    return new ImageSampling(
        1,
        0,
        Collections.nCopies(scales.size(), guidance),
        Set.of(ImageSampling.LOGITS),
        Collections.nCopies(scales.size(), 0.5),
        topK,
        topP);
  }

  /** Features that lie on the CPU, as those of an encoder without weights do. */
  private static PackedRows words(InfinityConfig config, String... prompts) {
    return new HashedWordEncoder(config.textChannels())
        .encode(List.of(prompts), config.textMaxLength());
  }

  private static void drawsWithoutWaiting(
      InfinityTransformer model, GenerationBatch batch, DType bitsType) {
    List<Scale> scales = batch.scales();
    Transfers soFar = Transfers.ofThread();
    List<List<Long>> transfers = new ArrayList<>();
    try (Scope scope = Scope.open()) {
      Generation drawn =
          model.generate(
              batch, (k, summed) -> transfers.add(List.of(soFar.uploads(), soFar.reads())));
      String what = model.config().embedDim() + " wide, " + batch.size() + " of " + scales;
      for (int k = 0; k < scales.size(); k++) {
        Tensor bits = drawn.bits().get(k);
        long choices = bitsType == DType.U8 ? model.config().bitsPerToken() : 1;
        assertArrayEquals(
            new long[] {batch.size(), scales.get(k).tokens(), choices}, bits.shape(), what);
        assertEquals(bitsType, Tensors.dtype(bits), what);
        assertTrue(bits.is_meta(), what);
        assertEquals(
            transfers.get(0), transfers.get(k), "uploads and reads up to scale " + k + ", " + what);
      }
      Tensor summed = drawn.summedCodesBdHW();
      assertTrue(summed.is_meta(), what);
      Scale last = scales.get(scales.size() - 1);
      int cells = model.config().spatialPatchify() ? 2 : 1;
      assertArrayEquals(
          new long[] {
            batch.size(),
            model.config().tokenizerChannels(),
            (long) cells * last.height(),
            (long) cells * last.width()
          },
          summed.shape(),
          what);
    }
  }
}
