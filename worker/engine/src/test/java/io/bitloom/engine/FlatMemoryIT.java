package io.bitloom.engine;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.rules.ImagePrompt;
import io.bitloom.common.rules.ImagePromptRules;
import io.bitloom.common.rules.SamplingParameters;
import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.common.schedule.ScaleSchedules;
import io.bitloom.engine.modeldir.ModelDirectory;
import io.bitloom.engine.tensor.TorchDevice;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * In a process of its own, whose Java heap is all there from the start. The long form is {@code
 * bitloom bench memory}.
 */
@Timeout(600)
class FlatMemoryIT {
  private static final int IMAGES = 200;
  private static final int BATCH = 8;

  /** By then it has happened that both cores were at the largest pieces at the same moment. */
  private static final int WARM_AFTER = 96;

  private static final List<String> SCHEDULES = List.of("1.0_0.06M", "0.5_0.06M", "1.5_0.06M");

  @Test
  void thePeakMemoryOf200ImagesOfManyKindsIsThatOfTheFirst100() throws Exception {
    List<String> fixedHeap = List.of("-Xms256m", "-Xmx256m", "-XX:+AlwaysPreTouch");
    try (ChildJvm child = ChildJvm.start(Drawing.class, fixedHeap)) {
      long warm = peakKilobytes(child, WARM_AFTER);
      long last = peakKilobytes(child, IMAGES);
      assertTrue(last - warm < warm / 29, "from " + warm + " kB to " + last + " kB");
    }
  }

  private static long peakKilobytes(ChildJvm child, int images) throws InterruptedException {
    String line = child.awaitLine("after " + images + " images: ");
    return Long.parseLong(line.substring(line.indexOf(": ") + 2));
  }

  /** Draws batches of several sizes and schedules and prints the peak of the resident memory. */
  public static final class Drawing {
    private Drawing() {}

    public static void main(String[] arguments) throws IOException {
      ModelDirectory demo = ModelDirectory.open(ModelDirectory.UNTRAINED);
      try (Engine engine = Engine.open(demo, EngineConfig.of(TorchDevice.CPU))) {
        for (int images = BATCH; images <= IMAGES; images += BATCH) {
          ScaleSchedule schedule =
              ScaleSchedules.find(SCHEDULES.get(images / BATCH % SCHEDULES.size())).orElseThrow();
          double guidance = images % (2 * BATCH) == 0 ? 1 : 3; // with and without a second half
          ImagePrompt prompt =
              ImagePrompt.builder("a fox")
                  .numImages(BATCH)
                  .sampling(SamplingParameters.builder().guidance(guidance).build())
                  .build();
          ImagePrompt resolved =
              ImagePromptRules.resolve(
                      prompt, ImagePrompt.NONE, demo.defaults(), List.of("0.06M"), "memory", images)
                  .prompt();
          engine.submit(schedule, List.of(resolved), scale -> {}).prompts().get(0).images();
          System.out.println("after " + images + " images: " + ProcessStatus.kilobytes("VmHWM"));
        }
      }
    }
  }
}
