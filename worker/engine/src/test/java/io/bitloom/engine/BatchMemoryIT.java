package io.bitloom.engine;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.common.schedule.ScaleSchedules;
import io.bitloom.engine.model.GenerationBatch;
import io.bitloom.engine.model.ImageSampling;
import io.bitloom.engine.model.InfinityTransformer;
import io.bitloom.engine.modeldir.ModelDirectory;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.PackedRows;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.engine.tensor.Weights;
import io.bitloom.engine.text.TextEncoder;
import java.io.IOException;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * The memory of batches in a process of its own, with a Java heap that does not grow. The long form
 * is {@code bitloom bench memory}.
 */
@Timeout(600)
class BatchMemoryIT {
  private static final List<String> SMALL_JVM =
      List.of("-Xms128m", "-Xmx128m", "-XX:+AlwaysPreTouch", "-XX:+UseSerialGC");

  /**
   * Gives every tensor back to the system when it is freed. Else what glibc keeps is counted as
   * taken before, and how much that is depends on the machine's threads and load.
   */
  private static final Map<String, String> KEEP_NOTHING = Map.of("MALLOC_MMAP_THRESHOLD_", "65536");

  @Test
  void aBatchTakesWhatItIsThoughtToTake() throws Exception {
    try (ChildJvm child = ChildJvm.start(Measuring.class, SMALL_JVM, KEEP_NOTHING)) {
      for (String schedule : Measuring.BATCHES) {
        String line = child.awaitLine(schedule + " took ");
        double ratio = Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1));
        assertTrue(ratio < BatchEstimate.TOLERANCE && ratio > 0.6, line);
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
      ModelDirectory demo = ModelDirectory.open(ModelDirectory.UNTRAINED);
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
        transformer.generate(batch, (k, sum) -> System.out.println("scale " + k)); // still there
      }
    }
  }
}
