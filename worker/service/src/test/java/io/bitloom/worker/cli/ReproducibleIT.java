package io.bitloom.worker.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.bitloom.common.rules.ImagePrompt;
import io.bitloom.common.rules.ImagePromptRules;
import io.bitloom.common.rules.SamplingParameters;
import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.common.schedule.ScaleSchedules;
import io.bitloom.engine.ChildJvm;
import io.bitloom.engine.EncodedImage;
import io.bitloom.engine.Engine;
import io.bitloom.engine.EngineConfig;
import io.bitloom.engine.PromptWork;
import io.bitloom.engine.modeldir.ModelDirectory;
import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.worker.WorkerJvm;
import java.awt.image.BufferedImage;
import java.awt.image.DataBufferByte;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The same prompt, seed and parameters give the same image: alone, among strangers, at any place of
 * a batch, in another process. The demo model on the CPU in float32.
 */
@Timeout(600)
class ReproducibleIT {
  private static final int BATCH = 16;
  private static final ModelDirectory UNTRAINED = ModelDirectory.open(ModelDirectory.UNTRAINED);
  private static Engine engine;

  @BeforeAll
  static void load() {
    EngineConfig defaults = EngineConfig.of(TorchDevice.CPU);
    EngineConfig config =
        new EngineConfig(
            defaults.device(),
            defaults.dtype(),
            0,
            BATCH,
            defaults.encoderThreads(),
            0,
            false,
            true);
    engine = Engine.open(UNTRAINED, config);
  }

  @AfterAll
  static void close() {
    engine.close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"1.0_0.06M", "0.666_0.06M"})
  void anImageIsTheSameAloneAndAnywhereAmongStrangersWithOtherParameters(String id)
      throws IOException {
    ScaleSchedule schedule = ScaleSchedules.find(id).orElseThrow();
    ImagePrompt plain =
        prompt("a red fox in fresh snow", 7, schedule, SamplingParameters.builder());
    ImagePrompt special =
        prompt(
            "an old lighthouse",
            8,
            schedule,
            SamplingParameters.builder().guidance(3).guidanceLayers(List.of(-1, 0)));
    byte[] alone = draw(schedule, List.of(plain)).get(0);
    byte[] specialAlone = draw(schedule, List.of(special)).get(0);

    List<ImagePrompt> batch = strangers(schedule);
    for (int place : List.of(0, 6, BATCH - 1)) {
      batch.set(place, plain);
    }
    batch.set(9, special);
    List<byte[]> together = draw(schedule, batch);
    for (int place : List.of(0, 6, BATCH - 1)) {
      assertArrayEquals(alone, together.get(place), "at place " + place);
    }
    assertArrayEquals(specialAlone, together.get(9));
    assertEquals(BATCH - 2, together.stream().map(Arrays::hashCode).distinct().count());
  }

  @Test
  void anImageIsTheSameInAnotherProcess(@TempDir Path folder) throws Exception {
    ScaleSchedule schedule = ScaleSchedules.find("0.666_0.06M").orElseThrow();
    SamplingParameters.Builder sampling =
        SamplingParameters.builder().guidance(5).temperature(1).topP(0.9);
    ImagePrompt prompt =
        prompt("a red fox", 7, schedule, sampling).toBuilder().numImages(2).build();
    List<byte[]> here = draw(schedule, List.of(prompt));

    try (ChildJvm child =
        WorkerJvm.start(
            "generate",
            "a red fox",
            "--model=" + ModelDirectory.UNTRAINED,
            "--aspect-ratio=3:2",
            "--n=2",
            "--seed=7",
            "--guidance=5",
            "--temperature=1",
            "--top-p=0.9",
            "--steps",
            "--out=" + folder)) {
      child.awaitLine("a-red-fox-7_1.png");
      assertEquals(0, child.awaitExit());
    }
    for (int image = 0; image < 2; image++) {
      assertArrayEquals(here.get(image), pixels(folder.resolve("a-red-fox-7_" + image + ".png")));
      assertArrayEquals(
          here.get(image), pixels(folder.resolve("a-red-fox-7_" + image + "_step07.png")));
    }
    BufferedImage strip = ImageIO.read(folder.resolve("a-red-fox-7_0_steps.png").toFile());
    assertEquals(7 * schedule.pixelWidth() + 6 * 8, strip.getWidth());
    try (var files = Files.list(folder)) {
      assertEquals(2 * (1 + 7 + 1), files.count());
    }
  }

  /** Prompts of many lengths, half of them with a negative one, all sampled differently. */
  private static List<ImagePrompt> strangers(ScaleSchedule schedule) {
    Random random = new Random(3);
    int scales = schedule.scales().size();
    List<ImagePrompt> strangers = new ArrayList<>();
    for (int i = 0; i < BATCH; i++) {
      SamplingParameters.Builder sampling = SamplingParameters.builder();
      switch (i % 5) {
        case 0 -> sampling.preset(SamplingParameters.Preset.FAST);
        case 1 -> sampling.guidance(1).greedy(true);
        case 2 ->
            sampling
                .guidance(2 + i)
                .guidanceSchedule(SamplingParameters.GuidanceSchedule.PYRAMID)
                .guidanceLayers(List.of(-2));
        case 3 -> sampling.guidance(random.doubles(scales, 1, 9).boxed().toList());
        default ->
            sampling
                .guidance(30)
                .guidanceLayers(List.of(-3, 0))
                .temperature(random.doubles(scales, 0.1, 9).boxed().toList())
                .topP(random.nextDouble());
      }
      String text = String.join(" ", Collections.nCopies(1 + random.nextInt(60), "word" + i));
      ImagePrompt stranger = prompt(text, i, schedule, sampling);
      strangers.add(
          i % 2 == 0 ? stranger : stranger.toBuilder().negativePrompt("rain " + i).build());
    }
    return strangers;
  }

  private static ImagePrompt prompt(
      String text, long seed, ScaleSchedule schedule, SamplingParameters.Builder sampling) {
    ImagePrompt prompt =
        ImagePrompt.builder(text)
            .seed(seed)
            .hDivW(Double.parseDouble(schedule.template()))
            .sampling(sampling.build())
            .build();
    return ImagePromptRules.resolve(
            prompt, ImagePrompt.NONE, UNTRAINED.defaults(), List.of("0.06M"), "job", 0)
        .prompt();
  }

  /** The pixels of all images, which are drawn in one batch. */
  private static List<byte[]> draw(ScaleSchedule schedule, List<ImagePrompt> prompts)
      throws IOException {
    List<byte[]> images = new ArrayList<>();
    int batch = prompts.stream().mapToInt(ImagePrompt::numImages).sum();
    for (PromptWork work : engine.submit(schedule, prompts, scale -> {}).prompts()) {
      for (EncodedImage image : work.images()) {
        images.add(pixels(new ByteArrayInputStream(image.file())));
      }
      assertEquals(batch, work.batchImages());
    }
    return images;
  }

  private static byte[] pixels(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      return pixels(in);
    }
  }

  private static byte[] pixels(InputStream png) throws IOException {
    return ((DataBufferByte) ImageIO.read(png).getRaster().getDataBuffer()).getData();
  }
}
