package io.bitloom.coordinator.dispatch.worker;

import com.google.protobuf.ByteString;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.prompt.PromptEnums;
import io.bitloom.common.results.DirectAccess;
import io.bitloom.common.results.ImageName;
import io.bitloom.common.results.ResultStore;
import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.common.schedule.ScaleSchedules;
import io.bitloom.v1.GeneratedImage;
import io.bitloom.v1.GeneratedImages;
import io.bitloom.v1.ImageUpload;
import io.bitloom.v1.Prompt;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Takes the images of prompts into the result store, after a check of what was asked for. */
final class ImageStorage {

  private static final int DIGEST_BYTES = 32;
  private static final long MAX_BYTES = 64L << 20;

  /** No prompt may ask for more; what it asked for is not known of a lease that was brought. */
  private static final int MAX_IMAGES = 255;

  private final ResultStore store;

  ImageStorage(ResultStore store) {
    this.store = store;
  }

  /** Whether workers may put images into the store by themselves. */
  boolean takesUploads() {
    return store.directAccess().isPresent();
  }

  /**
   * Stores images, or looks whether they are where their worker has put them; blocks meanwhile.
   *
   * @param schedule id of the scale schedule that they were drawn by
   * @return the images with their names in the store in place of their bytes
   * @throws BitloomException {@code RESULT_CORRUPT} or {@code RESULT_MISSING} if they are not what
   *     was asked for; {@code RESULT_STORE_UNAVAILABLE}
   */
  GeneratedImages store(String schedule, OpenLease.Task task, GeneratedImages images) {
    check(schedule, task, images.getImagesList());
    GeneratedImages.Builder stored = GeneratedImages.newBuilder();
    for (GeneratedImage image : images.getImagesList()) {
      stored.addImages(store(name(task, image), image));
    }
    return stored.build();
  }

  private GeneratedImage store(ImageName name, GeneratedImage image) {
    ByteString bytes = image.getData();
    if (!image.hasUri()) {
      if (bytes.isEmpty() || !ImageName.sha256(bytes).equals(image.getSha256())) {
        throw corrupt("the bytes of image " + image.getIndex() + " do not have its digest");
      }
      return image.toBuilder().setSizeBytes(bytes.size()).setUri(store.put(name, bytes)).build();
    }
    if (!image.getUri().equals(name.path())) {
      throw corrupt("image " + image.getIndex() + " has the name of another one");
    }
    directAccess().confirm(name, image.getSizeBytes());
    return image;
  }

  /**
   * Where a worker may put the images that it describes.
   *
   * @throws BitloomException {@code RESULT_CORRUPT} if they are not what was asked for; {@code
   *     RESULT_STORE_UNAVAILABLE}
   */
  List<ImageUpload> uploads(String schedule, OpenLease.Task task, List<GeneratedImage> images) {
    check(schedule, task, images);
    List<ImageUpload> uploads = new ArrayList<>();
    for (GeneratedImage image : images) {
      if (image.getSizeBytes() < 1 || image.getSizeBytes() > MAX_BYTES) {
        throw corrupt("image " + image.getIndex() + " has " + image.getSizeBytes() + " bytes");
      }
      ImageName name = name(task, image);
      var upload = directAccess().upload(name, image.getSizeBytes());
      uploads.add(
          ImageUpload.newBuilder()
              .setUri(name.path())
              .setUrl(upload.url().toString())
              .putAllHeaders(upload.headers())
              .build());
    }
    return uploads;
  }

  /** Deletes what is stored of a job that is not there any more; blocks. */
  void forget(String jobId) {
    store.delete(jobId);
  }

  private DirectAccess directAccess() {
    return store
        .directAccess()
        .orElseThrow(() -> corrupt("this result store takes no images from workers"));
  }

  private static ImageName name(OpenLease.Task task, GeneratedImage image) {
    return new ImageName(
        task.ref().jobId(),
        task.ref().offset(),
        image.getIndex(),
        image.getFormat(),
        image.getSha256());
  }

  private static void check(String schedule, OpenLease.Task task, List<GeneratedImage> images) {
    task.leased().map(WorkerMessages::prompt).ifPresent(prompt -> checkSet(prompt, images));
    if (images.isEmpty() || images.size() > MAX_IMAGES) {
      throw corrupt(images.size() + " images came, not 1 to " + MAX_IMAGES);
    }
    ScaleSchedule drawn = ScaleSchedules.find(schedule).orElseThrow();
    for (int i = 0; i < images.size(); i++) {
      check(images.get(i), i, drawn);
    }
  }

  private static void checkSet(Prompt prompt, List<GeneratedImage> images) {
    if (images.size() != prompt.getNumImages()) {
      throw corrupt(prompt.getNumImages() + " images were asked for, not " + images.size());
    }
    for (GeneratedImage image : images) {
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
          String.format(
              Locale.ROOT,
              "schedule %s makes %dx%d pixels, not %dx%d",
              schedule,
              schedule.pixelWidth(),
              schedule.pixelHeight(),
              image.getWidth(),
              image.getHeight()));
    }
    if (PromptEnums.FORMAT.of(image.getFormat()).isEmpty()) {
      throw corrupt("image " + index + " has no known format");
    }
    if (image.getSha256().size() != DIGEST_BYTES) {
      throw corrupt("image " + index + " has no SHA-256 digest");
    }
  }

  private static BitloomException corrupt(String message) {
    return new BitloomException(ErrorCode.RESULT_CORRUPT, message);
  }
}
