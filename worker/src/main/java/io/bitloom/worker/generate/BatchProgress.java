package io.bitloom.worker.generate;

import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.worker.image.RgbImage;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/**
 * What is drawn of a batch after a scale.
 *
 * <p>Prompts that were submitted together may be drawn in several batches, and a batch is drawn
 * again after a failure: scales then count from 1 again.
 */
public final class BatchProgress {
  private final ImageModel model;
  private final ScaleSchedule schedule;
  private final List<PromptWork> submitted;
  private final List<ImageRequest> batch;
  private final int scalesDone;
  private final Tensor summedCodesBdHW;

  BatchProgress(
      ImageModel model,
      ScaleSchedule schedule,
      List<PromptWork> submitted,
      List<ImageRequest> batch,
      int scalesDone,
      Tensor summedCodesBdHW) {
    this.model = model;
    this.schedule = schedule;
    this.submitted = submitted;
    this.batch = batch;
    this.scalesDone = scalesDone;
    this.summedCodesBdHW = summedCodesBdHW;
  }

  /** Scales that are drawn, 1 to {@link #scales()}. */
  public int scalesDone() {
    return scalesDone;
  }

  public int scales() {
    return schedule.scales().size();
  }

  /** Images of this batch. */
  public int images() {
    return batch.size();
  }

  /** The place of an image's prompt among those submitted together. */
  public int prompt(int image) {
    return submitted.indexOf(batch.get(image).work());
  }

  /** The index of an image within its prompt. */
  public int index(int image) {
    return batch.get(image).index();
  }

  /** What an image looks like so far: the sum of its codes, decoded. Costs as much as the last. */
  public RgbImage picture(int image) {
    return picture(image, Integer.MAX_VALUE);
  }

  /**
   * The same in small: the sum is resized before it is decoded, which costs as much less as there
   * are fewer pixels.
   *
   * @param longerSide pixels that it is to have at most; a multiple of the tokenizer's stride is
   *     made of it, one stride at least
   */
  public RgbImage picture(int image, int longerSide) {
    return model.decode(schedule, summedCodesBdHW.narrow(0, image, 1), longerSide);
  }
}
