package io.bitloom.worker.rewrite;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.rules.ImagePrompt;
import io.bitloom.common.rules.ImagePromptRules;
import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.common.schedule.ScaleSchedules;
import io.bitloom.engine.Engine;
import io.bitloom.engine.EngineConfig;
import io.bitloom.engine.PromptRewriter;
import io.bitloom.engine.PromptWork;
import io.bitloom.engine.Rewriting;
import io.bitloom.engine.modeldir.ModelDirectory;
import io.bitloom.engine.tensor.TorchDevice;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What an engine draws that asks a language model, on the CPU. */
@Timeout(600)
class RewrittenPromptsTest {
  private static final ScaleSchedule SQUARE = ScaleSchedules.find("1.0_0.06M").orElseThrow();
  private static final ModelDirectory MODEL = ModelDirectory.open(ModelDirectory.UNTRAINED);

  @Test
  void aRewrittenTextIsDrawnAndAfterAFailureThePromptsOwn() throws IOException {
    ImagePrompt man = prompt().toBuilder().text("a man").enablePositivePrompt(true).build();
    try (ChatEndpoint endpoint = new ChatEndpoint();
        Engine plain = engine(Optional.empty());
        Engine rewriting =
            engine(Optional.of(new ChatRewriter(endpoint.config(), new SimpleMeterRegistry())))) {
      rewriting.warmUp(SQUARE);
      endpoint.answers("a red fox in fresh snow");
      PromptWork fox = drawn(rewriting, man);
      assertEquals(Optional.of("a red fox in fresh snow"), fox.drawnText());
      assertEquals(
          Optional.of(new Rewriting("a red fox in fresh snow", "tiny-lm", "")), fox.rewriting());
      assertFalse(fox.hasPositivePrompt());
      assertArrayEquals(pixels(drawn(plain, prompt())), pixels(fox));
      endpoint.sends(503, "");
      PromptWork own = drawn(rewriting, man.toBuilder().text("an old man").build());
      assertEquals("the endpoint answers with status 503", own.rewriting().orElseThrow().failure());
      String text = own.drawnText().orElseThrow();
      assertTrue(text.startsWith("an old man. very"), text);
    }
  }

  private static Engine engine(Optional<PromptRewriter> rewriter) {
    EngineConfig config = EngineConfig.of(TorchDevice.CPU);
    return Engine.open(MODEL, config, rewriter, new SimpleMeterRegistry());
  }

  private static ImagePrompt prompt() {
    ImagePrompt prompt = ImagePrompt.builder("a red fox in fresh snow").seed(5).build();
    return ImagePromptRules.resolve(
            prompt, ImagePrompt.NONE, MODEL.defaults(), List.of("0.06M"), "job", 0)
        .prompt();
  }

  private static PromptWork drawn(Engine engine, ImagePrompt prompt) {
    PromptWork work = engine.submit(SQUARE, List.of(prompt), scale -> {}).prompts().get(0);
    work.images();
    return work;
  }

  private static int[] pixels(PromptWork work) throws IOException {
    BufferedImage image = ImageIO.read(new ByteArrayInputStream(work.images().get(0).file()));
    return image.getRGB(0, 0, image.getWidth(), image.getHeight(), null, 0, image.getWidth());
  }
}
