package io.bitloom.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.rules.ImagePrompt;
import io.bitloom.common.rules.ImagePromptRules;
import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.common.schedule.ScaleSchedules;
import io.bitloom.engine.image.RgbImage;
import io.bitloom.engine.modeldir.ModelDirectory;
import io.bitloom.engine.tensor.TorchDevice;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The demo model on the CPU. */
@Timeout(600)
class EngineTest {
  private static final ScaleSchedule SQUARE = ScaleSchedules.find("1.0_0.06M").orElseThrow();
  private static final SimpleMeterRegistry metrics = new SimpleMeterRegistry();
  private static Engine engine;

  @BeforeAll
  static void load() {
    engine =
        Engine.open(
            ModelDirectory.open(ModelDirectory.UNTRAINED),
            EngineConfig.of(TorchDevice.CPU),
            Optional.empty(),
            metrics);
  }

  @AfterAll
  static void close() {
    engine.close();
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
    ImagePrompt prompt = prompt(7);
    ImagePrompt other =
        prompt(8).toBuilder()
            .text("a lighthouse in a storm")
            .negativePrompt("people")
            .numImages(2)
            .sampling(prompt.sampling().toBuilder().guidance(1).build())
            .build();
    byte[] alone = pixels(draw(SQUARE, prompt).get(0));
    List<EncodedImage> together = draw(SQUARE, other, prompt, other);
    assertArrayEquals(alone, pixels(together.get(2)));
    assertArrayEquals(pixels(together.get(0)), pixels(together.get(3)));
  }

  @Test
  void seedIndexPromptAndNegativePromptEachMakeAnotherImage() {
    ImagePrompt prompt = prompt(7);
    List<EncodedImage> images =
        draw(
            SQUARE,
            prompt.toBuilder().numImages(2).build(),
            prompt(8),
            prompt.toBuilder().text("a lighthouse").build(),
            prompt.toBuilder().negativePrompt("snow").build());
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
    List<Submission> batch = new ArrayList<>();
    CountDownLatch submitted = new CountDownLatch(1);
    batch.add(
        engine.submit(
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
  void everyImageCarriesFormatDigestAndTimes() throws NoSuchAlgorithmException {
    ImagePrompt prompt = prompt(3).toBuilder().format(ImagePrompt.Format.JPEG).build();
    PromptWork drawn = drawn(prompt);
    EncodedImage image = drawn.images().get(0);
    assertEquals(ImagePrompt.Format.JPEG, image.format());
    assertArrayEquals(new byte[] {(byte) 0xff, (byte) 0xd8}, Arrays.copyOf(image.file(), 2));
    assertArrayEquals(MessageDigest.getInstance("SHA-256").digest(image.file()), image.sha256());
    assertEquals(1, drawn.batchImages());
    StageDurations times = drawn.durations();
    for (Duration time :
        List.of(times.text(), times.transformer(), times.decode(), times.encode())) {
      assertTrue(time.compareTo(Duration.ZERO) > 0, times.toString());
    }
  }

  @Test
  void aPromptKnowsWhenItsBatchPassedEveryScaleAndItsImagesWereEncoded() {
    PromptWork drawn = drawn(prompt(3).toBuilder().numImages(2).build());
    drawn.images();
    int images = 0;
    for (BatchTimeline batch : drawn.batches()) {
      images += batch.images();
      assertEquals(SQUARE.scales().size(), batch.scales().size());
      List<Long> passed = new ArrayList<>(List.of(batch.start(), batch.encoded()));
      passed.addAll(batch.scales());
      passed.addAll(List.of(batch.generated(), batch.decoded(), drawn.encodeEnd()));
      for (int i = 1; i < passed.size(); i++) {
        assertTrue(passed.get(i) - passed.get(i - 1) >= 0, passed.toString());
      }
    }
    assertEquals(2, images);
    assertTrue(drawn.encodeStart() - drawn.batches().get(0).decoded() >= 0);
    assertTrue(drawn.encodeEnd() - drawn.encodeStart() > 0);
  }

  @Test
  void thePositivePromptIsDrawnInsteadOfTheTextAndStandsInTheResult() {
    ImagePrompt man = prompt(5).toBuilder().text("an old man").build();
    PromptWork plain = drawn(man);
    PromptWork positive = drawn(man.toBuilder().enablePositivePrompt(true).build());
    String text = positive.drawnText().orElseThrow();
    assertTrue(text.startsWith("an old man. very smooth faces"), text);
    assertTrue(positive.hasPositivePrompt());
    assertEquals(Optional.empty(), positive.rewriting());
    assertEquals(Optional.empty(), plain.drawnText());
    assertFalse(plain.hasPositivePrompt());
    byte[] pixels = pixels(positive.images().get(0));
    assertFalse(Arrays.equals(pixels(plain.images().get(0)), pixels));
    PromptWork again = drawn(man.toBuilder().text(text).build());
    assertArrayEquals(pixels, pixels(again.images().get(0)));
    PromptWork fox = drawn(prompt(5).toBuilder().enablePositivePrompt(true).build());
    assertEquals(Optional.empty(), fox.drawnText());
  }

  private static PromptWork drawn(ImagePrompt prompt) {
    return drawn(engine, prompt);
  }

  private static PromptWork drawn(Engine engine, ImagePrompt prompt) {
    PromptWork work = engine.submit(SQUARE, List.of(prompt), scale -> {}).prompts().get(0);
    work.images();
    return work;
  }

  @Test
  void aTextIsEncodedOnceForAllImagesAndPromptsOfAWorker() {
    ImagePrompt prompt =
        prompt(3).toBuilder()
            .text("a text of its own")
            .negativePrompt("a text of its own, too")
            .numImages(3)
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
    int images = engine.capacity().maxImages(SQUARE) + 1;
    PromptWork drawn = drawn(prompt(1).toBuilder().numImages(images).build());
    assertEquals(images, drawn.images().size());
    assertEquals(images - 1, drawn.batchImages());
    for (int i = 0; i < images; i++) {
      assertEquals(i, drawn.images().get(i).index());
    }
  }

  @Test
  void aPromptThatTheModelRefusesFailsAloneAndItsNeighboursAreDrawn() {
    ImagePrompt broken = prompt(2);
    broken = broken.toBuilder().sampling(broken.sampling().toBuilder().topP(7).build()).build();
    Submission batch = engine.submit(SQUARE, List.of(prompt(1), broken, prompt(3)), scale -> {});
    assertEquals(1, batch.prompts().get(0).images().size());
    assertEquals(1, batch.prompts().get(2).images().size());
    BitloomException failed =
        assertThrows(BitloomException.class, () -> batch.prompts().get(1).images());
    assertEquals(ErrorCode.INTERNAL, failed.code());
  }

  @Test
  void scalesAreCountedAndAPromptThatWaitsCanBeWithdrawn() {
    List<Integer> scales = Collections.synchronizedList(new ArrayList<>());
    Submission running =
        engine.submit(SQUARE, List.of(prompt(1)), batch -> scales.add(batch.scalesDone()));
    Submission waiting = engine.submit(SQUARE, List.of(prompt(2)), scale -> {});
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
    Submission batch =
        engine.submit(
            wide,
            List.of(prompt(1), prompt(7)),
            progress -> {
              assertEquals(2, progress.images());
              assertEquals(1, progress.prompt(1));
              pictures.add(progress.picture(1));
              small.add(progress.picture(1, 100));
            });
    EncodedImage image = batch.prompts().get(1).images().get(0);
    assertEquals(7, pictures.size());
    assertArrayEquals(pixels(image), pictures.get(6).rgb());
    assertFalse(Arrays.equals(pictures.get(5).rgb(), pictures.get(6).rgb()));
    assertEquals(96, small.get(0).width());
    assertEquals(48, small.get(0).height());
  }

  @Test
  void oneCallDrawsAPromptThatLeavesMostToTheModel() {
    ImagePrompt fox = prompt(7);
    ImagePrompt brief = ImagePrompt.builder(fox.text()).size("0.06M").seed(7).build();
    List<Integer> scales = Collections.synchronizedList(new ArrayList<>());
    List<EncodedImage> images = engine.generate(brief, scale -> scales.add(scale.scalesDone()));
    assertEquals(1, images.size());
    assertArrayEquals(pixels(draw(SQUARE, fox).get(0)), images.get(0).pixels().rgb());
    assertEquals(List.of(1, 2, 3, 4, 5, 6, 7), scales);
  }

  @Test
  void aPromptIsRefusedAsALineOfAFileIs() {
    ImagePrompt wrong = ImagePrompt.builder("a fox").numImages(17).aspectRatio("30:1").build();
    BitloomException refused = assertThrows(BitloomException.class, () -> engine.generate(wrong));
    assertEquals(ErrorCode.INVALID_FIELD, refused.code());
    assertEquals(
        "aspect_ratio must be between 1:3 and 3:1, not \"30:1\" (and 1 more)",
        refused.getMessage());
    ImagePrompt var = ImagePrompt.builder("a fox").size("var256").build();
    String message = assertThrows(BitloomException.class, () -> engine.generate(var)).getMessage();
    assertTrue(message.startsWith("size var256 is not drawn by model untrained"), message);
  }

  private static ImagePrompt prompt(long seed) {
    ImagePrompt prompt = ImagePrompt.builder("a red fox in fresh snow").seed(seed).build();
    return ImagePromptRules.resolve(
            prompt, ImagePrompt.NONE, engine.model().defaults(), List.of("0.06M"), "job", 0)
        .prompt();
  }

  /** All images of all prompts, which are submitted together. */
  private static List<EncodedImage> draw(ScaleSchedule schedule, ImagePrompt... prompts) {
    return engine.submit(schedule, List.of(prompts), scale -> {}).prompts().stream()
        .flatMap(work -> work.images().stream())
        .toList();
  }

  private static BufferedImage read(EncodedImage image) throws IOException {
    return ImageIO.read(new ByteArrayInputStream(image.file()));
  }

  private static byte[] pixels(EncodedImage image) {
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
