package io.bitloom.coordinator.config;

import io.bitloom.common.config.ConfigException;
import io.bitloom.common.config.Settings;
import io.bitloom.common.prompt.PromptRules;

/**
 * What callers may ask for. Sizes are in bytes.
 *
 * @param promptCharacters Unicode characters that a prompt may have
 * @param promptBytes that a prompt may take with every default filled in
 * @param imagesPerPrompt images that a prompt may ask for
 * @param specBytes that the name, labels and defaults of a job may take together
 * @param jobBytes that a job may take in the queue: spec, prompts and outcomes
 * @param openJobs jobs of a tenant that have not ended
 * @param queuedPrompts prompts of a tenant that have no outcome yet
 * @param promptsPerSecond prompts that a tenant may append through one coordinator, on average
 * @param queueBytes that all jobs of a tenant take in the queue until they are deleted
 * @param resultBytes that the images of these jobs take
 */
public record LimitsConfig(
    int promptCharacters,
    long promptBytes,
    int imagesPerPrompt,
    long specBytes,
    long jobBytes,
    int openJobs,
    long queuedPrompts,
    int promptsPerSecond,
    long queueBytes,
    long resultBytes) {

  /** Numbers in Redis's scripts are exact up to here. */
  private static final long MOST = 1L << 50;

  static final Setting<Integer> PROMPT_CHARACTERS =
      Setting.number("prompt-characters", "N", 4000, "Longest prompt (default: {default}).");
  static final Setting<Long> PROMPT_BYTES =
      Setting.bytes(
          "prompt-bytes",
          "64KiB",
          "Most bytes of a prompt with all its fields (default: {default}).");
  static final Setting<Integer> IMAGES_PER_PROMPT =
      Setting.number(
          "images-per-prompt",
          "N",
          PromptRules.MAX_IMAGES,
          "Most images that a prompt may ask for (default: {default}).");
  static final Setting<Long> SPEC_BYTES =
      Setting.bytes(
          "spec-bytes",
          "64KiB",
          "Most bytes of a job's name, labels and defaults together (default: {default}).");
  static final Setting<Long> JOB_BYTES =
      Setting.bytes(
          "job-bytes", "4GiB", "Most bytes that one job takes in the queue (default: {default}).");
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
  static final Setting<Long> QUEUE_BYTES =
      Setting.bytes(
          "queue-bytes",
          "8GiB",
          "Most bytes that all jobs of a tenant take in the queue until they are deleted (default:"
              + " {default}).");
  static final Setting<Long> RESULT_BYTES =
      Setting.bytes(
          "result-bytes",
          "1TiB",
          "Bytes of images from which on a tenant's new prompts are refused (default: {default}).");

  public static final LimitsConfig DEFAULTS = of(SettingValues.DEFAULTS);

  /**
   * @throws ConfigException naming the key of the first bad value
   */
  public LimitsConfig {
    Settings.inRange(PROMPT_CHARACTERS.name(), promptCharacters, 1, 100_000);
    Settings.bytesInRange(PROMPT_BYTES.name(), promptBytes, 1, 1 << 20);
    Settings.inRange(IMAGES_PER_PROMPT.name(), imagesPerPrompt, 1, PromptRules.MAX_IMAGES);
    Settings.bytesInRange(SPEC_BYTES.name(), specBytes, 1, 1 << 20);
    Settings.bytesInRange(JOB_BYTES.name(), jobBytes, 1, MOST);
    Settings.inRange(OPEN_JOBS.name(), openJobs, 1, 1_000_000);
    if (queuedPrompts < 1) {
      throw new ConfigException(QUEUED_PROMPTS.name(), queuedPrompts, "must be at least 1");
    }
    Settings.inRange(PROMPTS_PER_SECOND.name(), promptsPerSecond, 1, 100_000_000);
    Settings.bytesInRange(QUEUE_BYTES.name(), queueBytes, 1, MOST);
    Settings.bytesInRange(RESULT_BYTES.name(), resultBytes, 1, MOST);
  }

  static LimitsConfig of(SettingValues values) {
    return new LimitsConfig(
        values.get(PROMPT_CHARACTERS),
        values.get(PROMPT_BYTES),
        values.get(IMAGES_PER_PROMPT),
        values.get(SPEC_BYTES),
        values.get(JOB_BYTES),
        values.get(OPEN_JOBS),
        values.get(QUEUED_PROMPTS),
        values.get(PROMPTS_PER_SECOND),
        values.get(QUEUE_BYTES),
        values.get(RESULT_BYTES));
  }

  /** The same, where one tenant may have more or less than others. */
  public LimitsConfig ofTenant(
      long jobBytes,
      int openJobs,
      long queuedPrompts,
      int promptsPerSecond,
      long queueBytes,
      long resultBytes) {
    return new LimitsConfig(
        promptCharacters,
        promptBytes,
        imagesPerPrompt,
        specBytes,
        jobBytes,
        openJobs,
        queuedPrompts,
        promptsPerSecond,
        queueBytes,
        resultBytes);
  }
}
