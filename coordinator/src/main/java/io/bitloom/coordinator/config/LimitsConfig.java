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

  static final Setting<Integer> PROMPT_CHARACTERS =
      Setting.number("prompt-characters", "N", 4000, "Longest prompt (default: {default}).");
  static final Setting<Integer> IMAGES_PER_PROMPT =
      Setting.number(
          "images-per-prompt",
          "N",
          PromptRules.MAX_IMAGES,
          "Most images that a prompt may ask for (default: {default}).");
  static final Setting<Integer> OPEN_JOBS =
      Setting.number(
          "open-jobs",
          "N",
          1000,
          "Most jobs of a tenant that have not ended (default: {default}).");
  static final Setting<Long> QUEUED_PROMPTS =
      Setting.largeNumber(
          "queued-prompts",
          "N",
          20_000_000,
          "Most prompts of a tenant that are not done (default: {default}).");
  static final Setting<Integer> PROMPTS_PER_SECOND =
      Setting.number(
          "prompts-per-second",
          "N",
          1_000_000,
          "Most prompts that a tenant may append in a second (default: {default}).");

  public static final LimitsConfig DEFAULTS = of(SettingValues.DEFAULTS);

  /**
   * @throws ConfigException naming the key of the first bad value
   */
  public LimitsConfig {
    Settings.inRange(PROMPT_CHARACTERS.name(), promptCharacters, 1, 100_000);
    Settings.inRange(IMAGES_PER_PROMPT.name(), imagesPerPrompt, 1, PromptRules.MAX_IMAGES);
    Settings.inRange(OPEN_JOBS.name(), openJobs, 1, 1_000_000);
    if (queuedPrompts < 1) {
      throw new ConfigException(QUEUED_PROMPTS.name(), queuedPrompts, "must be at least 1");
    }
    Settings.inRange(PROMPTS_PER_SECOND.name(), promptsPerSecond, 1, 100_000_000);
  }

  static LimitsConfig of(SettingValues values) {
    return new LimitsConfig(
        values.get(PROMPT_CHARACTERS),
        values.get(IMAGES_PER_PROMPT),
        values.get(OPEN_JOBS),
        values.get(QUEUED_PROMPTS),
        values.get(PROMPTS_PER_SECOND));
  }
}
