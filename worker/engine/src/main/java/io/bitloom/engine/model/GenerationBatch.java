package io.bitloom.engine.model;

import io.bitloom.common.schedule.Scale;
import io.bitloom.engine.tensor.PackedRows;
import java.util.List;

/**
 * Images to be made together: one schedule, everything else per image.
 *
 * @param scales the K scales
 * @param prompts text features of the B prompts
 * @param negative features of negative prompts, length 0 for images without one; null if no image
 *     has one
 * @param images how each of the B images is drawn
 * @param textRoom rows that texts take on average whatever their lengths, so that no shape depends
 *     on these; 0: as many as they have
 */
public record GenerationBatch(
    List<Scale> scales,
    PackedRows prompts,
    PackedRows negative,
    List<ImageSampling> images,
    int textRoom) {

  /**
   * @throws IllegalArgumentException if the parts are not for the same number of images and scales
   */
  public GenerationBatch {
    scales = List.copyOf(scales);
    images = List.copyOf(images);
    int count = images.size();
    require(count > 0, "a batch needs at least one image");
    require(!scales.isEmpty(), "a batch needs at least one scale");
    require(
        scales.size() <= InfinityConfig.MAX_SCALES,
        "at most " + InfinityConfig.MAX_SCALES + " scales, got " + scales.size());
    require(prompts.count() == count, count + " images, but " + prompts.count() + " prompts");
    require(
        prompts.lengths().stream().allMatch(n -> n > 0), "a prompt needs at least one text row");
    require(
        negative == null || negative.count() == count,
        count + " images, but another number of negative prompts");
    for (ImageSampling image : images) {
      require(
          image.guidance().size() >= scales.size() && image.temperature().size() >= scales.size(),
          "guidance and temperature need a value for each of " + scales.size() + " scales");
    }
  }

  /** A batch whose texts take as many rows as they have. */
  public GenerationBatch(
      List<Scale> scales, PackedRows prompts, PackedRows negative, List<ImageSampling> images) {
    this(scales, prompts, negative, images, 0);
  }

  /** Number of images B. */
  public int size() {
    return images.size();
  }

  private static void require(boolean holds, String message) {
    if (!holds) {
      throw new IllegalArgumentException(message);
    }
  }
}
