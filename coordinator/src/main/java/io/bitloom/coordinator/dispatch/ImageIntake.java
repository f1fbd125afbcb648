package io.bitloom.coordinator.dispatch;

import com.google.protobuf.ByteString;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.prompt.PromptEnums;
import io.bitloom.common.results.ImageName;
import io.bitloom.common.results.ResultStore;
import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.common.schedule.ScaleSchedules;
import io.bitloom.v1.GeneratedImage;
import io.bitloom.v1.GeneratedImages;
import io.bitloom.v1.Prompt;

/** Checks the images of a prompt against what was asked for and stores them. */
final class ImageIntake {

  private ImageIntake() {}

  /**
   * Blocks while the images are stored.
   *
   * @param schedule id of the scale schedule that they were drawn by
   * @return the images with their names in the store in place of their bytes
   * @throws BitloomException {@code RESULT_CORRUPT} if they are not what was asked for; {@code
   *     RESULT_STORE_UNAVAILABLE}
   */
  static GeneratedImages store(
      ResultStore store, String schedule, OpenLease.Task task, GeneratedImages images) {
    task.leased().map(WorkerMessages::prompt).ifPresent(prompt -> checkSet(prompt, images));
    if (images.getImagesCount() == 0) {
      throw corrupt("no image came");
    }
    ScaleSchedule drawn = ScaleSchedules.find(schedule).orElseThrow();
    for (int i = 0; i < images.getImagesCount(); i++) {
      check(images.getImages(i), i, drawn);
    }
    GeneratedImages.Builder stored = GeneratedImages.newBuilder();
    for (GeneratedImage image : images.getImagesList()) {
      ImageName name =
          new ImageName(
              task.ref().jobId(),
              task.ref().offset(),
              image.getIndex(),
              image.getFormat(),
              image.getSha256());
      stored.addImages(
          image.toBuilder()
              .setSizeBytes(image.getData().size())
              .setUri(store.put(name, image.getData())));
    }
    return stored.build();
  }

  private static void checkSet(Prompt prompt, GeneratedImages images) {
    if (images.getImagesCount() != prompt.getNumImages()) {
      throw corrupt(
          prompt.getNumImages() + " images were asked for, not " + images.getImagesCount());
    }
    for (GeneratedImage image : images.getImagesList()) {
      if (image.getFormat() != prompt.getFormat()) {
        throw corrupt(prompt.getFormat() + " was asked for, not " + image.getFormat());
      }
    }
  }

  private static void check(GeneratedImage image, int index, ScaleSchedule schedule) {
    if (image.getIndex() != index) {
      throw corrupt("image " + index + " has index " + image.getIndex());
    }
    if (image.getWidth() != schedule.pixelWidth() || image.getHeight() != schedule.pixelHeight()) {
      throw corrupt(
          "schedule %s makes %dx%d pixels, not %dx%d"
              .formatted(
                  schedule,
                  schedule.pixelWidth(),
                  schedule.pixelHeight(),
                  image.getWidth(),
                  image.getHeight()));
    }
    if (PromptEnums.FORMAT.of(image.getFormat()).isEmpty()) {
      throw corrupt("image " + index + " has no known format");
    }
    ByteString bytes = image.getData();
    if (bytes.isEmpty() || !ImageName.sha256(bytes).equals(image.getSha256())) {
      throw corrupt("the bytes of image " + index + " do not have its digest");
    }
  }

  private static BitloomException corrupt(String message) {
    return new BitloomException(ErrorCode.RESULT_CORRUPT, message);
  }
}
