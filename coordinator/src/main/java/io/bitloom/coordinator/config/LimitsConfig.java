package io.bitloom.coordinator.config;

import io.bitloom.common.config.ConfigException;
import io.bitloom.common.config.Settings;
import io.bitloom.common.prompt.PromptRules;

/**
 * What callers may ask for.
 *
 * @param promptCharacters Unicode characters that a prompt may have
 * @param imagesPerPrompt images that a prompt may ask for
 * @param openJobs jobs of a tenant that have not ended
 * @param queuedPrompts prompts of a tenant that have no outcome yet
 * @param promptsPerSecond prompts that a tenant may append through one coordinator, on average
 */
public record LimitsConfig(
    int promptCharacters,
    int imagesPerPrompt,
    int openJobs,
    long queuedPrompts,
    int promptsPerSecond) {

  public static final LimitsConfig DEFAULTS =
      new LimitsConfig(4000, PromptRules.MAX_IMAGES, 1000, 20_000_000, 1_000_000);

  /**
   * @throws ConfigException naming the key of the first bad value
   */
  public LimitsConfig {
    Settings.inRange("prompt-characters", promptCharacters, 1, 100_000);
    Settings.inRange("images-per-prompt", imagesPerPrompt, 1, PromptRules.MAX_IMAGES);
    Settings.inRange("open-jobs", openJobs, 1, 1_000_000);
    if (queuedPrompts < 1) {
      throw new ConfigException("queued-prompts", queuedPrompts, "must be at least 1");
    }
    Settings.inRange("prompts-per-second", promptsPerSecond, 1, 100_000_000);
  }
}
