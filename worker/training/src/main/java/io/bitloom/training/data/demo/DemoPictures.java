package io.bitloom.training.data.demo;

import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.engine.image.RgbImage;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;

/** Draws the examples. Threads may share one. */
public final class DemoPictures {
  /** Counts the ways in which examples were drawn: features of earlier ones do not fit. */
  static final int VERSION = 4;

  private final Drawings drawings = new Drawings();

  /** The picture of an example; the same every time. */
  public RgbImage draw(DemoExample example) {
    return draw(example.composition(), example.schedule());
  }

  /** The picture that captions of a composition describe, in a shape and size. */
  public RgbImage draw(Composition composition, ScaleSchedule schedule) {
    BufferedImage image = painted(composition.backdrop(), schedule);
    Graphics2D graphics = image.createGraphics();
    for (Layout.Box box : Layout.boxes(composition, schedule)) {
      graphics.drawImage(drawings.of(box.subject(), box.side()), box.x(), box.y(), null);
    }
    graphics.dispose();
    return RgbImage.of(image);
  }

  /** A backdrop alone. */
  static RgbImage backdrop(Backdrop backdrop, ScaleSchedule schedule) {
    return RgbImage.of(painted(backdrop, schedule));
  }

  private static BufferedImage painted(Backdrop backdrop, ScaleSchedule schedule) {
    BufferedImage image =
        new BufferedImage(
            schedule.pixelWidth(), schedule.pixelHeight(), BufferedImage.TYPE_INT_RGB);
    Backdrops.paint(backdrop, image);
    return image;
  }
}
