package io.bitloom.worker.train.data.demo;

import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.worker.image.RgbImage;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.util.Random;

/** Draws the examples. Threads may share one. */
public final class DemoPictures {
  private final Drawings drawings = new Drawings();

  /** The picture of an example; the same every time. */
  public RgbImage draw(DemoExample example) {
    Random random = new Random(example.seed());
    ScaleSchedule schedule = example.schedule();
    BufferedImage image =
        new BufferedImage(
            schedule.pixelWidth(), schedule.pixelHeight(), BufferedImage.TYPE_INT_RGB);
    Backdrops.paint(example.composition().backdrop(), random.nextInt(Backdrops.VARIANTS), image);
    Graphics2D graphics = image.createGraphics();
    for (Layout.Box box : Layout.boxes(example.composition(), schedule, random)) {
      graphics.drawImage(drawings.of(box.subject(), box.side()), box.x(), box.y(), null);
    }
    graphics.dispose();
    return RgbImage.of(image);
  }

  /** A variant of a backdrop alone. */
  static RgbImage backdrop(Backdrop backdrop, int variant, ScaleSchedule schedule) {
    BufferedImage image =
        new BufferedImage(
            schedule.pixelWidth(), schedule.pixelHeight(), BufferedImage.TYPE_INT_RGB);
    Backdrops.paint(backdrop, variant, image);
    return RgbImage.of(image);
  }
}
