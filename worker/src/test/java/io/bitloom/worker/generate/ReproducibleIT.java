package io.bitloom.worker.generate;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.bitloom.common.prompt.PromptRules;
import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.common.schedule.ScaleSchedules;
import io.bitloom.v1.GuidanceSchedule;
import io.bitloom.v1.Prompt;
import io.bitloom.v1.Sampling;
import io.bitloom.v1.SamplingPreset;
import io.bitloom.worker.ChildJvm;
import io.bitloom.worker.WorkerJvm;
import io.bitloom.worker.modeldir.ModelDirectory;
import io.bitloom.worker.tensor.TorchDevice;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
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
  private static GenerationPipeline pipeline;

  @BeforeAll
  static void load() {
    PipelineConfig defaults = PipelineConfig.of(TorchDevice.CPU);
    PipelineConfig config =
        new PipelineConfig(
            defaults.device(), defaults.dtype(), 0, BATCH, defaults.encoderThreads(), 0, true);
    pipeline = GenerationPipeline.load(UNTRAINED, config, new SimpleMeterRegistry());
  }

  @AfterAll
  static void close() {
    pipeline.close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"1.0_0.06M", "0.666_0.06M"})
  void anImageIsTheSameAloneAndAnywhereAmongStrangersWithOtherParameters(String id)
      throws IOException {
    ScaleSchedule schedule = ScaleSchedules.find(id).orElseThrow();
    Prompt plain = prompt("a red fox in fresh snow", 7, schedule, Sampling.newBuilder());
    Prompt special =
        prompt(
            "an old lighthouse",
            8,
            schedule,
            Sampling.newBuilder().addGuidance(3).addGuidanceLayers(-1).addGuidanceLayers(0));
    byte[] alone = draw(schedule, List.of(plain)).get(0);
    byte[] specialAlone = draw(schedule, List.of(special)).get(0);

    List<Prompt> batch = strangers(schedule);
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
    Sampling.Builder sampling = Sampling.newBuilder().addGuidance(5).addTemperature(1).setTopP(0.9);
    Prompt prompt = prompt("a red fox", 7, schedule, sampling).toBuilder().setNumImages(2).build();
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
  private static List<Prompt> strangers(ScaleSchedule schedule) {
    Random random = new Random(3);
    int scales = schedule.scales().size();
    List<Prompt> strangers = new ArrayList<>();
    for (int i = 0; i < BATCH; i++) {
      Sampling.Builder sampling = Sampling.newBuilder();
      switch (i % 5) {
        case 0 -> sampling.setPreset(SamplingPreset.SAMPLING_PRESET_FAST);
        case 1 -> sampling.addGuidance(1).setGreedy(true);
        case 2 ->
            sampling
                .addGuidance(2 + i)
                .setGuidanceSchedule(GuidanceSchedule.GUIDANCE_SCHEDULE_PYRAMID)
                .addGuidanceLayers(-2);
        case 3 -> sampling.addAllGuidance(random.doubles(scales, 1, 9).boxed().toList());
        default ->
            sampling
                .addGuidance(30)
                .addGuidanceLayers(-3)
                .addGuidanceLayers(0)
                .addAllTemperature(random.doubles(scales, 0.1, 9).boxed().toList())
                .setTopP(random.nextDouble());
      }
      String text = String.join(" ", Collections.nCopies(1 + random.nextInt(60), "word" + i));
      Prompt stranger = prompt(text, i, schedule, sampling);
      strangers.add(
          i % 2 == 0 ? stranger : stranger.toBuilder().setNegativePrompt("rain " + i).build());
    }
    return strangers;
  }

  private static Prompt prompt(
      String text, long seed, ScaleSchedule schedule, Sampling.Builder sampling) {
    Prompt prompt =
        Prompt.newBuilder()
            .setPrompt(text)
            .setSeed(seed)
            .setHDivW(Double.parseDouble(schedule.template()))
            .setSampling(sampling)
            .build();
    return PromptRules.resolve(
            prompt, Prompt.getDefaultInstance(), UNTRAINED.defaults(), List.of("0.06M"), "job", 0)
        .prompt();
  }

  /** The pixels of all images, which are drawn in one batch. */
  private static List<byte[]> draw(ScaleSchedule schedule, List<Prompt> prompts)
      throws IOException {
    List<byte[]> images = new ArrayList<>();
    int batch = prompts.stream().mapToInt(Prompt::getNumImages).sum();
    for (PromptWork work : pipeline.submit(schedule, prompts, BatchObserver.NONE).prompts()) {
      DrawnPrompt drawn = work.result().join();
      assertEquals(batch, drawn.batchImages());
      for (var image : drawn.images().getImagesList()) {
        images.add(pixels(new ByteArrayInputStream(image.getData().toByteArray())));
      }
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
