package io.bitloom.worker.generate;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.bitloom.common.prompt.PromptRules;
import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.common.schedule.ScaleSchedules;
import io.bitloom.v1.Prompt;
import io.bitloom.worker.ChildJvm;
import io.bitloom.worker.model.GenerationBatch;
import io.bitloom.worker.model.ImageSampling;
import io.bitloom.worker.model.InfinityTransformer;
import io.bitloom.worker.model.ScaleObserver;
import io.bitloom.worker.modeldir.ModelDirectory;
import io.bitloom.worker.tensor.DType;
import io.bitloom.worker.tensor.PackedRows;
import io.bitloom.worker.tensor.Scope;
import io.bitloom.worker.tensor.TorchDevice;
import io.bitloom.worker.tensor.Weights;
import io.bitloom.worker.text.TextEncoder;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * The memory of batches in processes of their own, with a Java heap that does not grow. The long
 * form of the comparison is {@code bitloom bench memory}.
 */
@Timeout(300)
class BatchMemoryIT {
  private static final List<String> SMALL_JVM =
      List.of("-Xms128m", "-Xmx128m", "-XX:+AlwaysPreTouch", "-XX:+UseSerialGC");

  private static final Path PRLIMIT = Path.of("/usr/bin/prlimit");

  @Test
  void aBatchTakesWhatItIsThoughtToTake() throws Exception {
    try (ChildJvm child = ChildJvm.start(Measuring.class, SMALL_JVM)) {
      for (String schedule : Measuring.BATCHES) {
        String line = child.awaitLine(schedule + " took ");
        double ratio = Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1));
        assertTrue(ratio < BatchEstimate.TOLERANCE && ratio > 0.7, line);
      }
    }
  }

  /** Prints what a batch took, divided by the estimate. */
  public static final class Measuring {
    private static final List<String> BATCHES =
        List.of("1.0_0.06M", "1.0_0.25M"); // the larger last
    private static final int IMAGES = 8;

    private Measuring() {}

    public static void main(String[] arguments) throws IOException {
      ModelDirectory demo = ModelDirectory.open(ModelDirectory.DEMO);
      BatchEstimate estimate =
          BatchEstimate.of(demo.transformer(), TorchDevice.CPU, DType.F32, IMAGES);
      try (Weights weights = demo.transformerWeights();
          TextEncoder encoder = demo.textEncoder(TorchDevice.CPU, DType.F32);
          InfinityTransformer transformer =
              InfinityTransformer.forInference(
                  demo.transformer(), weights, TorchDevice.CPU, DType.F32)) {
        draw(transformer, encoder, ScaleSchedules.find(BATCHES.get(0)).orElseThrow(), 1);
        long before = ProcessStatus.kilobytes("VmRSS");
        for (String id : BATCHES) {
          ScaleSchedule schedule = ScaleSchedules.find(id).orElseThrow();
          draw(transformer, encoder, schedule, IMAGES);
          double took = 1024.0 * (ProcessStatus.kilobytes("VmHWM") - before);
          System.out.println(id + " took " + took / IMAGES / estimate.bytesPerImage(schedule));
        }
      }
    }

    private static void draw(
        InfinityTransformer transformer, TextEncoder encoder, ScaleSchedule schedule, int images) {
      try (Scope scope = Scope.open()) {
        PackedRows texts = encoder.encode(Collections.nCopies(images, "a red fox"), 40);
        ImageSampling sampling = ImageSampling.constant(7, 0, 3, 1, 0.97, schedule.scales().size());
        GenerationBatch batch =
            new GenerationBatch(
                schedule.scales(), texts, null, Collections.nCopies(images, sampling));
        transformer.generate(batch, ScaleObserver.NONE);
      }
    }
  }

  @Test
  void aBatchThatTheSystemHasNoMemoryForIsHalvedUntilItFitsAndEveryImageComes() throws Exception {
    boolean canLimit = Files.isExecutable(PRLIMIT);
    if (!canLimit) {
      System.out.println("BatchMemoryIT skips the limit: there is no " + PRLIMIT);
    }
    assumeTrue(canLimit, "no prlimit");
    try (ChildJvm child = ChildJvm.start(Limited.class, SMALL_JVM)) {
      String line = child.awaitLine("images of a batch: ");
      int limit = Integer.parseInt(line.substring(line.indexOf(": ") + 2));
      assertTrue(limit > 0 && limit < Limited.IMAGES, line);
    }
  }

  /**
   * Draws one image, takes all further memory but some away from itself, and draws a batch of which
   * half of the keys and values fit. Only what can be written to is counted: address space that
   * allocators reserve differs from run to run.
   */
  public static final class Limited {
    private static final int IMAGES = 16;

    private Limited() {}

    public static void main(String[] arguments) throws Exception {
      ModelDirectory demo = ModelDirectory.open(ModelDirectory.DEMO);
      PipelineConfig config =
          new PipelineConfig(TorchDevice.CPU, DType.F32, 0, IMAGES, 1, 0, false);
      ScaleSchedule schedule = ScaleSchedules.find("1.0_0.25M").orElseThrow();
      try (GenerationPipeline pipeline =
          GenerationPipeline.load(demo, config, new SimpleMeterRegistry())) {
        pipeline.warmUp(schedule);
        long spare =
            IMAGES
                / 2
                * new BatchEstimate(demo.transformer(), DType.F32, true, 0, 0, 1)
                    .bytesPerImage(schedule);
        limitMemory(spare);
        Prompt prompt = prompt(demo);
        pipeline
            .submit(schedule, List.of(prompt), BatchObserver.NONE)
            .prompts()
            .get(0)
            .result()
            .join();
        System.out.println("images of a batch: " + pipeline.capacity().maxImages(schedule));
      }
    }

    private static void limitMemory(long spare) throws IOException, InterruptedException {
      long limit = 1024 * ProcessStatus.kilobytes("VmData") + spare;
      String pid = Long.toString(ProcessHandle.current().pid());
      Process prlimit =
          new ProcessBuilder(PRLIMIT.toString(), "--pid", pid, "--data=" + limit + ":").start();
      if (prlimit.waitFor() != 0) {
        throw new IOException("prlimit failed");
      }
    }

    private static Prompt prompt(ModelDirectory model) {
      Prompt prompt = Prompt.newBuilder().setPrompt("a fox").setNumImages(IMAGES).build();
      return PromptRules.resolve(
              prompt, Prompt.getDefaultInstance(), model.defaults(), List.of("0.25M"), "memory", 0)
          .prompt();
    }
  }
}
