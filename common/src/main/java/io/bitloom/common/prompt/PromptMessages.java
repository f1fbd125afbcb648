package io.bitloom.common.prompt;

import io.bitloom.common.rules.ImagePrompt;
import io.bitloom.common.rules.SamplingParameters;
import io.bitloom.v1.GuidanceSchedule;
import io.bitloom.v1.ImageFormat;
import io.bitloom.v1.Prompt;
import io.bitloom.v1.Sampling;
import io.bitloom.v1.SamplingPreset;

/**
 * Prompts as messages and as plain values. What a message leaves out, the value has not either;
 * enum values that this version does not know are left out.
 */
public final class PromptMessages {
  private PromptMessages() {}

  /** The value of a message. */
  public static ImagePrompt prompt(Prompt message) {
    ImagePrompt.Builder prompt =
        ImagePrompt.builder(message.getPrompt())
            .customId(message.getCustomId())
            .negativePrompt(message.getNegativePrompt())
            .size(message.getSize())
            .sampling(sampling(message.getSampling()))
            .format(format(message.getFormat()));
    if (message.hasEnablePositivePrompt()) {
      prompt.enablePositivePrompt(message.getEnablePositivePrompt());
    }
    if (message.hasAspectRatio()) {
      prompt.aspectRatio(message.getAspectRatio());
    }
    if (message.hasHDivW()) {
      prompt.hDivW(message.getHDivW());
    }
    if (message.hasSeed()) {
      prompt.seed(message.getSeed());
    }
    if (message.getNumImages() != 0) {
      prompt.numImages(message.getNumImages());
    }
    if (message.hasQuality()) {
      prompt.quality(message.getQuality());
    }
    return prompt.build();
  }

  /** The value of a message. */
  public static SamplingParameters sampling(Sampling message) {
    SamplingParameters.Builder sampling =
        SamplingParameters.builder()
            .guidance(message.getGuidanceList())
            .guidanceSchedule(
                switch (message.getGuidanceSchedule()) {
                  case GUIDANCE_SCHEDULE_CONSTANT -> SamplingParameters.GuidanceSchedule.CONSTANT;
                  case GUIDANCE_SCHEDULE_PYRAMID -> SamplingParameters.GuidanceSchedule.PYRAMID;
                  case GUIDANCE_SCHEDULE_UNSPECIFIED, UNRECOGNIZED -> null;
                })
            .guidanceLayers(message.getGuidanceLayersList())
            .temperature(message.getTemperatureList())
            .greedy(message.getGreedy())
            .preset(
                switch (message.getPreset()) {
                  case SAMPLING_PRESET_QUALITY -> SamplingParameters.Preset.QUALITY;
                  case SAMPLING_PRESET_FAST -> SamplingParameters.Preset.FAST;
                  case SAMPLING_PRESET_UNSPECIFIED, UNRECOGNIZED -> null;
                });
    if (message.hasTopP()) {
      sampling.topP(message.getTopP());
    }
    if (message.hasTopK()) {
      sampling.topK(message.getTopK());
    }
    return sampling.build();
  }

  private static ImagePrompt.Format format(ImageFormat format) {
    return switch (format) {
      case IMAGE_FORMAT_PNG -> ImagePrompt.Format.PNG;
      case IMAGE_FORMAT_JPEG -> ImagePrompt.Format.JPEG;
      case IMAGE_FORMAT_WEBP -> ImagePrompt.Format.WEBP;
      case IMAGE_FORMAT_WEBP_LOSSLESS -> ImagePrompt.Format.WEBP_LOSSLESS;
      case IMAGE_FORMAT_UNSPECIFIED, UNRECOGNIZED -> null;
    };
  }

  /** The message of a value. */
  public static Prompt message(ImagePrompt prompt) {
    Prompt.Builder message =
        Prompt.newBuilder()
            .setCustomId(prompt.customId())
            .setPrompt(prompt.text())
            .setNegativePrompt(prompt.negativePrompt())
            .setSize(prompt.size());
    if (prompt.enablePositivePrompt() != null) {
      message.setEnablePositivePrompt(prompt.enablePositivePrompt());
    }
    if (prompt.aspectRatio() != null) {
      message.setAspectRatio(prompt.aspectRatio());
    }
    if (prompt.hDivW() != null) {
      message.setHDivW(prompt.hDivW());
    }
    if (prompt.seed() != null) {
      message.setSeed(prompt.seed());
    }
    if (!prompt.sampling().equals(SamplingParameters.NONE)) {
      message.setSampling(message(prompt.sampling()));
    }
    if (prompt.numImages() != null) {
      message.setNumImages(prompt.numImages());
    }
    if (prompt.format() != null) {
      message.setFormat(message(prompt.format()));
    }
    if (prompt.quality() != null) {
      message.setQuality(prompt.quality());
    }
    return message.build();
  }

  private static Sampling message(SamplingParameters sampling) {
    Sampling.Builder message =
        Sampling.newBuilder()
            .addAllGuidance(sampling.guidance())
            .addAllGuidanceLayers(sampling.guidanceLayers())
            .addAllTemperature(sampling.temperature())
            .setGreedy(sampling.greedy());
    if (sampling.guidanceSchedule() != null) {
      message.setGuidanceSchedule(
          switch (sampling.guidanceSchedule()) {
            case CONSTANT -> GuidanceSchedule.GUIDANCE_SCHEDULE_CONSTANT;
            case PYRAMID -> GuidanceSchedule.GUIDANCE_SCHEDULE_PYRAMID;
          });
    }
    if (sampling.preset() != null) {
      message.setPreset(
          switch (sampling.preset()) {
            case QUALITY -> SamplingPreset.SAMPLING_PRESET_QUALITY;
            case FAST -> SamplingPreset.SAMPLING_PRESET_FAST;
          });
    }
    if (sampling.topP() != null) {
      message.setTopP(sampling.topP());
    }
    if (sampling.topK() != null) {
      message.setTopK(sampling.topK());
    }
    return message.build();
  }

  /** The format as messages have it. */
  public static ImageFormat message(ImagePrompt.Format format) {
    return switch (format) {
      case PNG -> ImageFormat.IMAGE_FORMAT_PNG;
      case JPEG -> ImageFormat.IMAGE_FORMAT_JPEG;
      case WEBP -> ImageFormat.IMAGE_FORMAT_WEBP;
      case WEBP_LOSSLESS -> ImageFormat.IMAGE_FORMAT_WEBP_LOSSLESS;
    };
  }
}
