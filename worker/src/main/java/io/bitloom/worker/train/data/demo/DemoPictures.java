package io.bitloom.worker.train.data.demo;

import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.worker.image.RgbImage;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.util.Random;

/** Draws the examples. Threads may share one. */
public final class DemoPictures {
  /** Counts the ways in which examples were drawn: features of earlier ones do not fit. */
  static final int VERSION = 3;

  private final Drawings drawings = new Drawings();

  /** The picture of an example; the same every time. */
  public RgbImage draw(DemoExample example) {
    ScaleSchedule schedule = example.schedule();
    BufferedImage image =
        new BufferedImage(
            schedule.pixelWidth(), schedule.pixelHeight(), BufferedImage.TYPE_INT_RGB);
    int variant = new Random(example.seed()).nextInt(Backdrops.VARIANTS);
    Backdrops.paint(example.composition().backdrop(), variant, image);
    Graphics2D graphics = image.createGraphics();
    for (Layout.Box box : Layout.boxes(example.composition(), schedule)) {
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
