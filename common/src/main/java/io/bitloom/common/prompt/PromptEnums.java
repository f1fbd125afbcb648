package io.bitloom.common.prompt;

import io.bitloom.v1.GuidanceSchedule;
import io.bitloom.v1.ImageFormat;
import io.bitloom.v1.SamplingPreset;
import java.util.List;

/** The enums of a prompt by the names that people write. */
public final class PromptEnums {
  public static final PromptEnum<ImageFormat> FORMAT =
      PromptEnum.after(
          "IMAGE_FORMAT_",
          List.of(
              ImageFormat.IMAGE_FORMAT_PNG,
              ImageFormat.IMAGE_FORMAT_JPEG,
              ImageFormat.IMAGE_FORMAT_WEBP,
              ImageFormat.IMAGE_FORMAT_WEBP_LOSSLESS));

  public static final PromptEnum<GuidanceSchedule> GUIDANCE_SCHEDULE =
      PromptEnum.after(
          "GUIDANCE_SCHEDULE_",
          List.of(
              GuidanceSchedule.GUIDANCE_SCHEDULE_CONSTANT,
              GuidanceSchedule.GUIDANCE_SCHEDULE_PYRAMID));

  public static final PromptEnum<SamplingPreset> PRESET =
      PromptEnum.after(
          "SAMPLING_PRESET_",
          List.of(SamplingPreset.SAMPLING_PRESET_QUALITY, SamplingPreset.SAMPLING_PRESET_FAST));

  private PromptEnums() {}
}
