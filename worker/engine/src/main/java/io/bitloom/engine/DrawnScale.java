package io.bitloom.engine;

import io.bitloom.engine.image.RgbImage;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/**
 * What is drawn of a batch after a scale. Whoever submits prompts is given one for every scale, on
 * the device thread, which draws nothing meanwhile; it is valid during that call, and an exception
 * fails the batch.
 *
 * <p>Prompts that were submitted together may be drawn in several batches, and a batch is drawn
 * again after a failure: scales then count from 1 again.
 */
public final class DrawnScale {
  private final ImageModel model;
  private final ImageEncoding encoding;
  private final Submission submission;
  private final List<ImageRequest> batch;
  private final int scalesDone;
  private final Tensor summedCodesBdHW;

  DrawnScale(
      ImageModel model,
      ImageEncoding encoding,
      Submission submission,
      List<ImageRequest> batch,
      int scalesDone,
      Tensor summedCodesBdHW) {
    this.model = model;
    this.encoding = encoding;
    this.submission = submission;
    this.batch = batch;
    this.scalesDone = scalesDone;
    this.summedCodesBdHW = summedCodesBdHW;
  }

  /** Scales that are drawn, 1 to {@link #scales()}. */
  public int scalesDone() {
    return scalesDone;
  }

  public int scales() {
    return submission.schedule().scales().size();
  }

  /** Images of this batch. */
  public int images() {
    return batch.size();
  }

  /** The place of an image's prompt among those submitted together. */
  public int prompt(int image) {
    return submission.prompts().indexOf(batch.get(image).work());
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
    return model.picture(submission.schedule(), summedCodesBdHW.narrow(0, image, 1), longerSide);
  }

  /** A picture as a file, in the format of an image's prompt and with the same description. */
  public byte[] file(int image, RgbImage picture) {
    ImageRequest request = batch.get(image);
    return encoding.encode(request.work(), submission.schedule(), request.index(), picture).file();
  }
}
