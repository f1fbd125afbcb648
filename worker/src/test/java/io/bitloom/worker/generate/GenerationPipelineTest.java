package io.bitloom.worker.generate;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.prompt.PromptRules;
import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.common.schedule.ScaleSchedules;
import io.bitloom.v1.DrawnText;
import io.bitloom.v1.GeneratedImage;
import io.bitloom.v1.ImageFormat;
import io.bitloom.v1.Prompt;
import io.bitloom.worker.image.RgbImage;
import io.bitloom.worker.modeldir.ModelDirectory;
import io.bitloom.worker.rewrite.ChatEndpoint;
import io.bitloom.worker.tensor.TorchDevice;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The demo model on the CPU. */
@Timeout(600)
class GenerationPipelineTest {
  private static final ScaleSchedule SQUARE = ScaleSchedules.find("1.0_0.06M").orElseThrow();
  private static final SimpleMeterRegistry metrics = new SimpleMeterRegistry();
  private static GenerationPipeline pipeline;

  @BeforeAll
  static void load() {
    pipeline =
        GenerationPipeline.load(
            ModelDirectory.open(ModelDirectory.UNTRAINED),
            PipelineConfig.of(TorchDevice.CPU),
            metrics);
  }

  @AfterAll
  static void close() {
    pipeline.close();
  }

  @Test
  void imagesHaveTheSizeOfTheirSchedule() throws IOException {
    for (String id : List.of("0.333_0.06M", "0.666_0.06M", "1.25_0.06M", "3.0_0.06M")) {
      ScaleSchedule schedule = ScaleSchedules.find(id).orElseThrow();
      BufferedImage image = read(draw(schedule, prompt(1)).get(0));
      assertEquals(schedule.pixelWidth(), image.getWidth(), id);
      assertEquals(schedule.pixelHeight(), image.getHeight(), id);
    }
  }

  @Test
  void anImageIsTheSameAloneAndAmongStrangers() {
    Prompt prompt = prompt(7);
    Prompt other =
        prompt(8).toBuilder()
            .setPrompt("a lighthouse in a storm")
            .setNegativePrompt("people")
            .setNumImages(2)
            .setSampling(prompt.getSampling().toBuilder().clearGuidance().addGuidance(1))
            .build();
    byte[] alone = pixels(draw(SQUARE, prompt).get(0));
    List<GeneratedImage> together = draw(SQUARE, other, prompt, other);
    assertArrayEquals(alone, pixels(together.get(2)));
    assertArrayEquals(pixels(together.get(0)), pixels(together.get(3)));
  }

  @Test
  void seedIndexPromptAndNegativePromptEachMakeAnotherImage() {
    Prompt prompt = prompt(7);
    List<GeneratedImage> images =
        draw(
            SQUARE,
            prompt.toBuilder().setNumImages(2).build(),
            prompt(8),
            prompt.toBuilder().setPrompt("a lighthouse").build(),
            prompt.toBuilder().setNegativePrompt("snow").build());
    for (int i = 0; i < images.size(); i++) {
      for (int j = 0; j < i; j++) {
        assertFalse(Arrays.equals(pixels(images.get(i)), pixels(images.get(j))), i + " is " + j);
      }
    }
  }

  @Test
  void demoImagesAreColourfulAndNotGrey() throws IOException {
    BufferedImage image = read(draw(SQUARE, prompt(7)).get(0));
    long saturated = 0;
    for (int y = 0; y < image.getHeight(); y++) {
      for (int x = 0; x < image.getWidth(); x++) {
        int rgb = image.getRGB(x, y);
        int[] channels = {rgb >> 16 & 0xff, rgb >> 8 & 0xff, rgb & 0xff};
        Arrays.sort(channels);
        saturated += channels[2] - channels[0] > 48 ? 1 : 0;
      }
    }
    assertTrue(saturated > image.getWidth() * image.getHeight() / 2, saturated + " pixels");
  }

  @Test
  void aBatchThatWasGivenUpStopsAtTheNextScaleAndTheNextBatchIsDrawn() {
    List<Integer> scales = Collections.synchronizedList(new ArrayList<>());
    List<BatchWork> batch = new ArrayList<>();
    CountDownLatch submitted = new CountDownLatch(1);
    batch.add(
        pipeline.submit(
            SQUARE,
            List.of(prompt(1), prompt(2)),
            progress -> {
              scales.add(progress.scalesDone());
              awaitUninterrupted(submitted);
              if (scales.size() == 2) {
                batch.get(0).prompts().forEach(PromptWork::abandon);
              }
            }));
    submitted.countDown();
    batch.get(0).drawn().join();
    assertEquals(List.of(1, 2), scales);
    assertEquals(1, draw(SQUARE, prompt(3)).size());
  }

  private static void awaitUninterrupted(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void everyImageCarriesFormatDigestAndTimes() {
    Prompt prompt = prompt(3).toBuilder().setFormat(ImageFormat.IMAGE_FORMAT_JPEG).build();
    DrawnPrompt drawn =
        pipeline.submit(SQUARE, List.of(prompt), scale -> {}).prompts().get(0).result().join();
    GeneratedImage image = drawn.images().getImages(0);
    assertEquals(ImageFormat.IMAGE_FORMAT_JPEG, image.getFormat());
    assertEquals(image.getData().size(), image.getSizeBytes());
    assertEquals(32, image.getSha256().size());
    assertEquals(1, drawn.batchImages());
    StageDurations times = drawn.durations();
    for (Duration time :
        List.of(times.text(), times.transformer(), times.decode(), times.encode())) {
      assertTrue(time.compareTo(Duration.ZERO) > 0, times.toString());
    }
  }

  @Test
  void thePositivePromptIsDrawnInsteadOfTheTextAndStandsInTheResult() {
    Prompt man = prompt(5).toBuilder().setPrompt("an old man").build();
    DrawnPrompt plain = drawn(man);
    DrawnPrompt positive = drawn(man.toBuilder().setEnablePositivePrompt(true).build());
    String text = positive.text().getText();
    assertTrue(text.startsWith("an old man. very smooth faces"), text);
    assertTrue(positive.text().getPositivePrompt());
    assertEquals(DrawnText.getDefaultInstance(), plain.text());
    byte[] pixels = pixels(positive.images().getImages(0));
    assertFalse(Arrays.equals(pixels(plain.images().getImages(0)), pixels));
    DrawnPrompt again = drawn(man.toBuilder().setPrompt(text).build());
    assertArrayEquals(pixels, pixels(again.images().getImages(0)));
    DrawnPrompt fox = drawn(prompt(5).toBuilder().setEnablePositivePrompt(true).build());
    assertEquals("", fox.text().getText());
  }

  private static DrawnPrompt drawn(Prompt prompt) {
    return drawn(pipeline, prompt);
  }

  private static DrawnPrompt drawn(GenerationPipeline pipeline, Prompt prompt) {
    return pipeline
        .submit(SQUARE, List.of(prompt), BatchObserver.NONE)
        .prompts()
        .get(0)
        .result()
        .join();
  }

  @Test
  void aRewrittenTextIsDrawnAndAfterAFailureThePromptsOwn() throws IOException {
    Prompt man = prompt(5).toBuilder().setPrompt("a man").setEnablePositivePrompt(true).build();
    try (ChatEndpoint endpoint = new ChatEndpoint();
        GenerationPipeline rewriting =
            GenerationPipeline.load(
                ModelDirectory.open(ModelDirectory.UNTRAINED),
                PipelineConfig.of(TorchDevice.CPU),
                Optional.of(endpoint.config()),
                new SimpleMeterRegistry())) {
      rewriting.warmUp(SQUARE);
      endpoint.answers("a red fox in fresh snow");
      DrawnPrompt fox = drawn(rewriting, man);
      assertEquals(
          DrawnText.newBuilder().setText("a red fox in fresh snow").setRewriter("tiny-lm").build(),
          fox.text());
      assertArrayEquals(
          pixels(drawn(prompt(5)).images().getImages(0)), pixels(fox.images().getImages(0)));
      endpoint.sends(503, "");
      DrawnPrompt own = drawn(rewriting, man.toBuilder().setPrompt("an old man").build());
      assertEquals("the endpoint answers with status 503", own.text().getRewriteFailure());
      assertTrue(own.text().getText().startsWith("an old man. very"), own.text().getText());
    }
  }

  @Test
  void aTextIsEncodedOnceForAllImagesAndPromptsOfAWorker() {
    Prompt prompt =
        prompt(3).toBuilder()
            .setPrompt("a text of its own")
            .setNegativePrompt("a text of its own, too")
            .setNumImages(3)
            .build();
    double misses = texts("miss");
    draw(SQUARE, prompt);
    draw(SQUARE, prompt);
    assertEquals(2, texts("miss") - misses);
    assertTrue(metrics.get("bitloom.worker.text.cache").gauge().value() > 0);
  }

  private static double texts(String cache) {
    return metrics.get("bitloom.worker.texts").tag("cache", cache).functionCounter().count();
  }

  @Test
  void morePromptImagesThanABatchHoldsAreDrawnInSeveral() {
    int images = pipeline.capacity().maxImages(SQUARE) + 1;
    DrawnPrompt drawn =
        pipeline
            .submit(
                SQUARE, List.of(prompt(1).toBuilder().setNumImages(images).build()), scale -> {})
            .prompts()
            .get(0)
            .result()
            .join();
    assertEquals(images, drawn.images().getImagesCount());
    assertEquals(images - 1, drawn.batchImages());
    for (int i = 0; i < images; i++) {
      assertEquals(i, drawn.images().getImages(i).getIndex());
    }
  }

  @Test
  void aPromptThatTheModelRefusesFailsAloneAndItsNeighboursAreDrawn() {
    Prompt broken = prompt(2);
    broken = broken.toBuilder().setSampling(broken.getSampling().toBuilder().setTopP(7)).build();
    BatchWork batch = pipeline.submit(SQUARE, List.of(prompt(1), broken, prompt(3)), scale -> {});
    assertEquals(1, batch.prompts().get(0).result().join().images().getImagesCount());
    assertEquals(1, batch.prompts().get(2).result().join().images().getImagesCount());
    CompletionException failed =
        assertThrows(CompletionException.class, () -> batch.prompts().get(1).result().join());
    assertEquals(
        ErrorCode.INTERNAL, assertInstanceOf(BitloomException.class, failed.getCause()).code());
  }

  @Test
  void scalesAreCountedAndAPromptThatWaitsCanBeWithdrawn() {
    List<Integer> scales = Collections.synchronizedList(new ArrayList<>());
    BatchWork running =
        pipeline.submit(SQUARE, List.of(prompt(1)), batch -> scales.add(batch.scalesDone()));
    BatchWork waiting = pipeline.submit(SQUARE, List.of(prompt(2)), scale -> {});
    assertTrue(waiting.prompts().get(0).withdraw());
    waiting.drawn().join();
    assertTrue(running.drawn().isDone());
    assertEquals(List.of(1, 2, 3, 4, 5, 6, 7), scales);
    assertFalse(waiting.prompts().get(0).result().isDone());
    assertFalse(running.prompts().get(0).withdraw());
  }

  @Test
  void anObserverCanLookAtTheSumSoFarInFullAndInSmall() throws IOException {
    List<RgbImage> pictures = Collections.synchronizedList(new ArrayList<>());
    List<RgbImage> small = Collections.synchronizedList(new ArrayList<>());
    ScaleSchedule wide = ScaleSchedules.find("0.5_0.06M").orElseThrow();
    BatchWork batch =
        pipeline.submit(
            wide,
            List.of(prompt(1), prompt(7)),
            progress -> {
              assertEquals(2, progress.images());
              assertEquals(1, progress.prompt(1));
              pictures.add(progress.picture(1));
              small.add(progress.picture(1, 100));
            });
    GeneratedImage image = batch.prompts().get(1).result().join().images().getImages(0);
    assertEquals(7, pictures.size());
    assertArrayEquals(pixels(image), pictures.get(6).rgb());
    assertFalse(Arrays.equals(pictures.get(5).rgb(), pictures.get(6).rgb()));
    assertEquals(96, small.get(0).width());
    assertEquals(48, small.get(0).height());
  }

  private static Prompt prompt(long seed) {
    Prompt prompt = Prompt.newBuilder().setPrompt("a red fox in fresh snow").setSeed(seed).build();
    ModelDirectory demo = ModelDirectory.open(ModelDirectory.UNTRAINED);
    return PromptRules.resolve(
            prompt, Prompt.getDefaultInstance(), demo.defaults(), List.of("0.06M"), "job", 0)
        .prompt();
  }

  /** All images of all prompts, which are submitted together. */
  private static List<GeneratedImage> draw(ScaleSchedule schedule, Prompt... prompts) {
    return pipeline.submit(schedule, List.of(prompts), scale -> {}).prompts().stream()
        .flatMap(work -> work.result().join().images().getImagesList().stream())
        .toList();
  }

  private static BufferedImage read(GeneratedImage image) throws IOException {
    return ImageIO.read(new ByteArrayInputStream(image.getData().toByteArray()));
  }

  private static byte[] pixels(GeneratedImage image) {
    try {
      BufferedImage read = read(image);
      int[] rgb = read.getRGB(0, 0, read.getWidth(), read.getHeight(), null, 0, read.getWidth());
      byte[] bytes = new byte[3 * rgb.length];
      for (int i = 0; i < rgb.length; i++) {
        bytes[3 * i] = (byte) (rgb[i] >> 16);
        bytes[3 * i + 1] = (byte) (rgb[i] >> 8);
        bytes[3 * i + 2] = (byte) rgb[i];
      }
      return bytes;
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }
}
