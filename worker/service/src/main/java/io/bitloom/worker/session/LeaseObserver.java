package io.bitloom.worker.session;

import com.google.protobuf.UnsafeByteOperations;
import io.bitloom.common.log.LogFields;
import io.bitloom.engine.DrawnScale;
import io.bitloom.engine.image.JpegEncoder;
import io.bitloom.engine.image.RgbImage;
import io.bitloom.v1.ConnectRequest;
import io.bitloom.v1.Lease;
import io.bitloom.v1.Preview;
import io.bitloom.v1.Progress;
import io.bitloom.v1.TaskRef;
import java.util.List;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Reports a lease's scales, and makes its previews if the coordinator asked for them. */
final class LeaseObserver implements Consumer<DrawnScale> {
  private static final Logger log = LoggerFactory.getLogger(LeaseObserver.class);
  private static final int MOST_PIXELS = 512;
  private static final int QUALITY = 80;

  private final Lease lease;
  private final List<TaskRef> tasks;
  private final Consumer<ConnectRequest> display;
  private boolean previews;

  /**
   * @param tasks those that are drawn, in the order of their prompts in the engine
   * @param display is given what there is to see
   */
  LeaseObserver(Lease lease, List<TaskRef> tasks, Consumer<ConnectRequest> display) {
    this.lease = lease;
    this.tasks = tasks;
    this.display = display;
    this.previews = lease.getWatch().getPreviewPixels() > 0;
  }

  @Override
  public void accept(DrawnScale batch) {
    display.accept(
        ConnectRequest.newBuilder()
            .setProgress(
                Progress.newBuilder()
                    .setLeaseId(lease.getLeaseId())
                    .setScale(batch.scalesDone())
                    .setScales(batch.scales()))
            .build());
    if (previews) {
      preview(batch);
    }
  }

  /** A preview is not worth a batch: after the first that fails there are no more. */
  private void preview(DrawnScale batch) {
    try {
      for (int i = 0; i < batch.images(); i++) {
        if (isWatched(tasks.get(batch.prompt(i)))) {
          display.accept(ConnectRequest.newBuilder().setPreview(preview(batch, i)).build());
        }
      }
    } catch (RuntimeException | OutOfMemoryError e) {
      log.atWarn()
          .addKeyValue(LogFields.LEASE, lease.getLeaseId())
          .setCause(e)
          .log("no previews of lease {}", lease.getLeaseId());
      previews = false;
    }
  }

  private boolean isWatched(TaskRef task) {
    List<TaskRef> watched = lease.getWatch().getPreviewTasksList();
    return watched.isEmpty() || watched.contains(task);
  }

  private Preview preview(DrawnScale batch, int image) {
    int pixels = Math.min(MOST_PIXELS, lease.getWatch().getPreviewPixels());
    RgbImage picture = batch.picture(image, pixels);
    return Preview.newBuilder()
        .setLeaseId(lease.getLeaseId())
        .setTask(tasks.get(batch.prompt(image)))
        .setIndex(batch.index(image))
        .setScale(batch.scalesDone())
        .setScales(batch.scales())
        .setWidth(picture.width())
        .setHeight(picture.height())
        .setJpeg(UnsafeByteOperations.unsafeWrap(JpegEncoder.encode(picture, QUALITY)))
        .build();
  }
}
