package io.bitloom.worker.verify;

import io.bitloom.common.rules.ImagePrompt;
import io.bitloom.common.rules.ImagePromptRules;
import io.bitloom.common.rules.SamplingParameters;
import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.common.schedule.ScaleSchedules;
import io.bitloom.engine.Engine;
import io.bitloom.engine.EngineConfig;
import io.bitloom.engine.PromptWork;
import io.bitloom.engine.modeldir.ModelDirectory;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.LibTorch;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.engine.tensor.Weights;
import io.bitloom.engine.tokenizer.VisualTokenizer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.bytedeco.pytorch.Tensor;

/**
 * What holds on every processor, checked in this process; the arguments are the fixtures' folder
 * and whether those that take longer are checked, too. The last line printed is {@code result: }
 * with what does not hold, or with {@code holds}.
 */
public final class ProcessorPromises {
  static final String RESULT = "result: ";

  private static final Set<String> QUICK_FIXTURES =
      Set.of(
          "quantizer.safetensors",
          "vae_tiny8b.safetensors",
          "transformer_infer_tiny8b.safetensors");

  private static final Set<String> MORE_FIXTURES =
      Set.of("vae_tiny.safetensors", "transformer_infer.safetensors");

  private static final double PART_OF_THE_TOKENIZERS = 0.12; // 24 of them
  private static final double PART_ON_EVERY_NUMBER_OF_THREADS = 0.06;
  private static final int[] THREADS = {1, 2, 3};

  private final List<String> broken = new ArrayList<>();

  private ProcessorPromises() {}

  public static void main(String[] arguments) {
    ProcessorPromises promises = new ProcessorPromises();
    Path fixtures = Path.of(arguments[0]);
    boolean more = Boolean.parseBoolean(arguments[1]);
    if (Files.isDirectory(fixtures)) {
      FixtureSuite.exact(fixtures)
          .only(name -> QUICK_FIXTURES.contains(name) || (more && MORE_FIXTURES.contains(name)))
          .run(promises::look);
    }
    new RandomTokenizersCheck(PART_OF_THE_TOKENIZERS).run(promises::look);
    promises.decodedAlikeByAnyNumberOfThreads();
    promises.drawnAlikeByAnyNumberOfThreadsAloneAndInABatch();
    System.out.println(
        RESULT + (promises.broken.isEmpty() ? "holds" : String.join(" | ", promises.broken)));
    System.exit(0);
  }

  private void look(CaseReport report) {
    System.out.println(VerifyCommand.lines(report).get(0));
    if (!report.holds()) {
      VerifyCommand.lines(report).stream().map(String::strip).forEach(broken::add);
    }
  }

  private void decodedAlikeByAnyNumberOfThreads() {
    for (RandomTokenizer.Kind kind : RandomTokenizer.Kind.values()) {
      for (RandomTokenizer drawn : RandomTokenizer.of(kind, PART_ON_EVERY_NUMBER_OF_THREADS)) {
        float[] first = null;
        for (int threads : THREADS) {
          LibTorch.threads(threads);
          float[] values = served(drawn);
          first = first == null ? values : first;
          expect(Arrays.equals(first, values), drawn + ": other values with " + threads);
        }
      }
    }
    System.out.println("decoded with each number of threads");
  }

  /** What the first picture of a tokenizer's batch is decoded to, and its features. */
  private static float[] served(RandomTokenizer drawn) {
    try (Scope scope = Scope.open();
        Weights weights = drawn.weights();
        VisualTokenizer tokenizer = new VisualTokenizer(drawn.config(), weights)) {
      Tensor decoded = tokenizer.decode(drawn.codes().narrow(0, 0, 1)).flatten();
      Tensor features = tokenizer.features(drawn.pictures().narrow(0, 0, 1)).flatten();
      return Tensors.floats(Tensors.concat(List.of(decoded, features), 0));
    }
  }

  private void drawnAlikeByAnyNumberOfThreadsAloneAndInABatch() {
    ModelDirectory model = ModelDirectory.open(ModelDirectory.UNTRAINED);
    byte[] first = null;
    for (int threads : THREADS) {
      EngineConfig config =
          new EngineConfig(TorchDevice.CPU, DType.F32, threads, 0, 1, 0, false, false);
      try (Engine engine = Engine.open(model, config)) {
        ImagePrompt fox = prompt(model, "a red fox in fresh snow", 7);
        byte[] alone = draw(engine, List.of(fox)).get(0);
        first = first == null ? alone : first;
        expect(Arrays.equals(first, alone), "another picture with threads " + threads);
        List<ImagePrompt> batch =
            List.of(prompt(model, "a boat", 1), prompt(model, "an old lighthouse by day", 2), fox);
        byte[] together = draw(engine, batch).get(2);
        expect(Arrays.equals(alone, together), "another picture in a batch, threads " + threads);
      }
    }
    System.out.println("drawn with each number of threads");
  }

  private static ImagePrompt prompt(ModelDirectory model, String text, long seed) {
    ImagePrompt prompt =
        ImagePrompt.builder(text)
            .seed(seed)
            .sampling(SamplingParameters.builder().guidance(3).build())
            .build();
    return ImagePromptRules.resolve(
            prompt, ImagePrompt.NONE, model.defaults(), List.of("0.06M"), "job", 0)
        .prompt();
  }

  private static List<byte[]> draw(Engine engine, List<ImagePrompt> prompts) {
    ScaleSchedule schedule = ScaleSchedules.find("1.0_0.06M").orElseThrow();
    List<byte[]> files = new ArrayList<>();
    for (PromptWork work : engine.submit(schedule, prompts, scale -> {}).prompts()) {
      files.add(work.images().get(0).file());
    }
    return files;
  }

  private void expect(boolean holds, String otherwise) {
    if (!holds) {
      broken.add(otherwise);
    }
  }
}
