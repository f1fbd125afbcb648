package io.bitloom.training.data.demo;

import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.LinearGradientPaint;
import java.awt.RenderingHints;
import java.awt.geom.Ellipse2D;
import java.awt.geom.Path2D;
import java.awt.geom.Rectangle2D;
import java.awt.image.BufferedImage;

/**
 * Brush strokes of the backdrops. Coordinates are shares of the picture's width and height, so that
 * a backdrop fills every aspect ratio; sizes of round things are shares of its shorter side.
 */
final class Painting {
  private final Graphics2D graphics;
  private final double width;
  private final double height;

  Painting(BufferedImage image) {
    graphics = on(image);
    width = image.getWidth();
    height = image.getHeight();
  }

  /** Smooth edges, drawn the same way everywhere. */
  static Graphics2D on(BufferedImage image) {
    Graphics2D graphics = image.createGraphics();
    graphics.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
    graphics.setRenderingHint(RenderingHints.KEY_STROKE_CONTROL, RenderingHints.VALUE_STROKE_PURE);
    graphics.setRenderingHint(
        RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BILINEAR);
    return graphics;
  }

  /** A band over the whole width whose colour changes evenly from top to bottom. */
  Painting gradient(double top, double bottom, int... rgb) {
    float[] stops = new float[rgb.length];
    Color[] colours = new Color[rgb.length];
    for (int i = 0; i < rgb.length; i++) {
      stops[i] = (float) i / (rgb.length - 1);
      colours[i] = new Color(rgb[i]);
    }
    graphics.setPaint(
        new LinearGradientPaint(
            0, (float) (top * height), 0, (float) (bottom * height), stops, colours));
    graphics.fill(new Rectangle2D.Double(0, top * height, width, (bottom - top) * height));
    return this;
  }

  /**
   * Ground with a wavy upper edge, down to the lower edge of the picture.
   *
   * @param y of the edge's middle
   * @param swing how far the edge goes up and down
   * @param waves over the whole width
   * @param phase where the wave begins, in turns
   */
  Painting hills(double y, double swing, double waves, double phase, int upper, int lower) {
    Path2D.Double ground = new Path2D.Double();
    ground.moveTo(0, height + 1);
    int steps = 48;
    for (int i = 0; i <= steps; i++) {
      double x = (double) i / steps;
      double edge = y + swing * StrictMath.sin(2 * StrictMath.PI * (waves * x + phase));
      ground.lineTo(x * width, edge * height);
    }
    ground.lineTo(width, height + 1);
    ground.closePath();
    graphics.setPaint(
        new LinearGradientPaint(
            0,
            (float) ((y - swing) * height),
            0,
            (float) height,
            new float[] {0, 1},
            new Color[] {new Color(upper), new Color(lower)}));
    graphics.fill(ground);
    return this;
  }

  /** A disc; rgb may carry an opacity in its highest byte. */
  Painting disc(double x, double y, double radius, int argb) {
    return ellipse(x, y, radius, radius, argb);
  }

  /** An ellipse; radii are shares of the shorter side. */
  Painting ellipse(double x, double y, double radiusX, double radiusY, int argb) {
    double unit = Math.min(width, height);
    graphics.setPaint(new Color(argb, true));
    graphics.fill(
        new Ellipse2D.Double(
            x * width - radiusX * unit,
            y * height - radiusY * unit,
            2 * radiusX * unit,
            2 * radiusY * unit));
    return this;
  }

  /** A cloud of three discs on a flat base. */
  Painting cloud(double x, double y, double size, int argb) {
    double unit = Math.min(width, height);
    double sideways = size * unit / width;
    double upwards = size * unit / height;
    return ellipse(x, y, size * 1.15, size * 0.36, argb)
        .disc(x - 0.42 * sideways, y - 0.22 * upwards, size * 0.4, argb)
        .disc(x + 0.25 * sideways, y - 0.36 * upwards, size * 0.52, argb);
  }

  /** A fir of three tiers that stands on (x, y); its width and height are shares too. */
  Painting fir(double x, double y, double firWidth, double firHeight, int rgb) {
    graphics.setPaint(new Color(rgb));
    for (int tier = 0; tier < 3; tier++) {
      double half = firWidth / 2 * (1 - 0.22 * tier);
      double base = y - firHeight * 0.27 * tier;
      Path2D.Double triangle = new Path2D.Double();
      triangle.moveTo((x - half) * width, base * height);
      triangle.lineTo((x + half) * width, base * height);
      triangle.lineTo(x * width, (base - firHeight * 0.46) * height);
      triangle.closePath();
      graphics.fill(triangle);
    }
    return this;
  }

  void done() {
    graphics.dispose();
  }
}
