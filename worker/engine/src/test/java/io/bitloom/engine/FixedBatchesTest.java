package io.bitloom.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.rules.ImagePrompt;
import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.common.schedule.ScaleSchedules;
import io.bitloom.engine.model.InfinityTransformer;
import io.bitloom.engine.model.ScaleObserver;
import io.bitloom.engine.model.Trace;
import io.bitloom.engine.modeldir.ModelDirectory;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.engine.tensor.Weights;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Batches that are filled up to one size, tried on the CPU. */
@Timeout(600)
class FixedBatchesTest {
  private static final ScaleSchedule SQUARE = ScaleSchedules.find("1.0_0.06M").orElseThrow();
  private static final ModelDirectory UNTRAINED = ModelDirectory.open(ModelDirectory.UNTRAINED);
  private static final int SIZE = 4;

  private static EngineConfig config(boolean fixed) {
    EngineConfig usual = EngineConfig.of(TorchDevice.CPU);
    return new EngineConfig(
        usual.device(), usual.dtype(), 0, SIZE, usual.encoderThreads(), 0, fixed, false);
  }

  @Test
  void theTransformerSeesTheSameShapesWhateverIsDrawn() {
    ImagePrompt fox = prompt(1);
    ImagePrompt storm =
        prompt(2).toBuilder().text("a lighthouse in a storm").negativePrompt("people").build();
    List<List<ImagePrompt>> batches =
        List.of(
            Collections.nCopies(SIZE, fox),
            List.of(storm, fox, fox, storm),
            Collections.nCopies(SIZE, storm));
    try (ImageModel fixed = ImageModel.load(UNTRAINED, config(true));
        ImageModel any = ImageModel.load(UNTRAINED, config(false));
        Weights weights = UNTRAINED.transformerWeights();
        InfinityTransformer transformer =
            InfinityTransformer.forInference(
                UNTRAINED.transformer(), weights, TorchDevice.CPU, DType.F32)) {
      List<String> first = shapes(fixed, transformer, batches.get(0));
      assertTrue(first.size() > SQUARE.scales().size(), first.toString());
      assertEquals(first, shapes(fixed, transformer, batches.get(1)));
      assertEquals(first, shapes(fixed, transformer, batches.get(2)));
      assertNotEquals(first, shapes(any, transformer, batches.get(1)));
    }
  }

  /** Names and shapes of everything that the transformer shows of itself. */
  private static List<String> shapes(
      ImageModel model, InfinityTransformer transformer, List<ImagePrompt> prompts) {
    List<String> shapes = new ArrayList<>();
    try (Scope scope = Scope.open()) {
      List<ImageRequest> images =
          prompts.stream().map(prompt -> new ImageRequest(new PromptWork(prompt), 0)).toList();
      transformer.generate(
          model.encodeTexts(SQUARE, images),
          ScaleObserver.NONE,
          Trace.to((name, tensor) -> shapes.add(name + Arrays.toString(tensor.shape()))));
    }
    return shapes;
  }

  @Test
  void batchesAreFilledUpAndTheImagesAreThoseOfOthers() {
    ImagePrompt prompt = prompt(7);
    ImagePrompt unguided =
        prompt(8).toBuilder().sampling(prompt.sampling().toBuilder().guidance(1).build()).build();
    SimpleMeterRegistry metrics = new SimpleMeterRegistry();
    try (Engine any = Engine.open(UNTRAINED, config(false));
        Engine fixed = Engine.open(UNTRAINED, config(true), Optional.empty(), metrics)) {
      Submission alone = fixed.submit(SQUARE, List.of(prompt), scale -> {});
      alone.drawn().join();
      FunctionCounter texts =
          metrics.get("bitloom.worker.texts").tag("cache", "miss").functionCounter();
      assertEquals(SIZE, texts.count()); // nothing is remembered, so each of the rows' texts
      Submission among = fixed.submit(SQUARE, List.of(prompt(9), prompt), scale -> {});
      Submission usual = any.submit(SQUARE, List.of(prompt), scale -> {});
      byte[] expected = pixels(usual, 0);
      assertArrayEquals(expected, pixels(alone, 0));
      assertArrayEquals(expected, pixels(among, 1));
      assertEquals(1, alone.prompts().get(0).batchImages());

      Submission mixed = fixed.submit(SQUARE, List.of(prompt, unguided, prompt(9)), scale -> {});
      mixed.drawn().join();
      for (PromptWork work : mixed.prompts()) {
        assertEquals(1, work.images().size());
        assertEquals(1, work.batchImages()); // rows depend on who guides
      }
      Submission together = any.submit(SQUARE, List.of(prompt, unguided), scale -> {});
      assertArrayEquals(expected, pixels(together, 0));
      assertEquals(2, together.prompts().get(0).batchImages());
    }
  }

  private static byte[] pixels(Submission submission, int prompt) {
    return submission.prompts().get(prompt).images().get(0).pixels().rgb();
  }

  private static ImagePrompt prompt(long seed) {
    return UNTRAINED
        .resolve(
            ImagePrompt.builder("a red fox in fresh snow").size("0.06M").seed(seed).build(),
            "job",
            0)
        .prompt();
  }
}
