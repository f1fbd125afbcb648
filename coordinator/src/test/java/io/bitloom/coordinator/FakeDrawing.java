package io.bitloom.coordinator;

import com.google.protobuf.ByteString;
import io.bitloom.common.results.ImageName;
import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.common.schedule.ScaleSchedules;
import io.bitloom.v1.DrawnText;
import io.bitloom.v1.GeneratedImage;
import io.bitloom.v1.GeneratedImages;
import io.bitloom.v1.Lease;
import io.bitloom.v1.Prompt;
import io.bitloom.v1.PromptOutcome;
import io.bitloom.v1.Task;
import io.bitloom.v1.TaskFailure;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Random;

/** What a {@link FakeWorker} makes of a prompt. */
public final class FakeDrawing {

  private final FakeBehaviour behaviour;
  private final Random chance;

  FakeDrawing(FakeBehaviour behaviour) {
    this.behaviour = behaviour;
    this.chance = new Random(behaviour.troubles().seed());
  }

  boolean crashes() {
    return chance.nextDouble() < behaviour.troubles().crashRate();
  }

  /**
   * Draws one prompt.
   *
   * @param index its place in the lease
   */
  PromptOutcome draw(Lease lease, int index, Task task) {
    PromptOutcome.Builder outcome = PromptOutcome.newBuilder().setIndex(index);
    if (task.getPrompt().getEnablePositivePrompt()) {
      outcome.setDrawnText(DrawnText.newBuilder().setText("a fine text").setPositivePrompt(true));
    }
    if (refuses(task.getPrompt(), behaviour.troubles().refusalRate())) {
      outcome.setFailure(
          failure("PROMPT_REFUSED", "this worker does not draw such a thing", false));
    } else if (chance.nextDouble() < behaviour.troubles().failureRate()) {
      outcome.setFailure(failure("INTERNAL", "failed by chance", true));
    } else {
      outcome.setImages(images(lease.getSchedule(), task.getPrompt()));
    }
    return outcome.build();
  }

  private static TaskFailure.Builder failure(String reason, String message, boolean retryable) {
    return TaskFailure.newBuilder().setReason(reason).setMessage(message).setRetryable(retryable);
  }

  /** Whether a prompt is one of the share that no worker draws. */
  public static boolean refuses(Prompt prompt, double share) {
    return share >= 1 || share > 0 && stream(prompt, -1).nextDouble() < share;
  }

  private GeneratedImages images(String scheduleId, Prompt prompt) {
    ScaleSchedule schedule = ScaleSchedules.find(scheduleId).orElseThrow();
    GeneratedImages.Builder images = GeneratedImages.newBuilder();
    for (int index = 0; index < prompt.getNumImages(); index++) {
      ByteString bytes = bytes(prompt, index, behaviour.imageBytes());
      images.addImages(
          GeneratedImage.newBuilder()
              .setIndex(index)
              .setWidth(schedule.pixelWidth())
              .setHeight(schedule.pixelHeight())
              .setFormat(prompt.getFormat())
              .setSha256(ImageName.sha256(bytes))
              .setSizeBytes(bytes.size())
              .setData(bytes));
    }
    return images.build();
  }

  /** The bytes of an image. */
  public static ByteString bytes(Prompt prompt, int index, int size) {
    byte[] image = new byte[size];
    stream(prompt, index).nextBytes(image);
    return ByteString.copyFrom(image);
  }

  private static Random stream(Prompt prompt, int index) {
    byte[] text = prompt.getPrompt().getBytes(StandardCharsets.UTF_8);
    return new Random(31 * ByteBuffer.wrap(text).hashCode() + prompt.getSeed() + index);
  }
}
