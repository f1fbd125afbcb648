package io.bitloom.common.rules;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class ImagePromptRulesTest {

  @Test
  void defaultSeedsDifferByJobAndOffsetAndNeverChange() {
    assertNotEquals(ImagePromptRules.defaultSeed("a", 0), ImagePromptRules.defaultSeed("a", 1));
    assertNotEquals(ImagePromptRules.defaultSeed("a", 0), ImagePromptRules.defaultSeed("b", 0));
    assertEquals(ImagePromptRules.defaultSeed("a", 5), ImagePromptRules.defaultSeed("a", 5));
    assertTrue(ImagePromptRules.defaultSeed("a", 9) >= 0);
    assertTrue(ImagePromptRules.defaultSeed("a", 9) < 1L << 53);
  }

  @Test
  void noImageIsRefusedAsTooManyAre() {
    for (int images : new int[] {0, 17}) {
      ImagePrompt prompt = ImagePrompt.builder("a fox").numImages(images).build();
      assertEquals(
          "num_images must be 1 to 16, not \"" + images + "\"",
          ImagePromptRules.defaults().check(prompt).get(0).toString());
    }
  }
}
