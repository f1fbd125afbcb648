package io.bitloom.engine.image.decode;

import io.bitloom.engine.image.RgbImage;
import java.awt.Rectangle;

/**
 * How a picture comes into another shape: resized until it just covers it, the middle taken. Only
 * what is in the middle is computed, which is the same and bounds what a very long picture takes.
 */
record Fit(Lanczos.Axis across, Lanczos.Axis down) {

  /** The fit of an upright picture, with the official trainer's rounding. */
  static Fit of(PictureHeader header, Orientation turned, int width, int height) {
    int from = turned.swaps() ? header.height() : header.width();
    int below = turned.swaps() ? header.width() : header.height();
    return of(from, below, width, height);
  }

  static Fit of(int fromWidth, int fromHeight, int width, int height) {
    long resizedWidth = width;
    long resizedHeight = height;
    double aspect = (double) fromWidth / fromHeight;
    if (aspect <= (double) width / height) {
      resizedHeight = Math.max(height, (long) (width / aspect));
    } else {
      resizedWidth = Math.max(width, (long) (aspect * height));
    }
    return new Fit(
        new Lanczos.Axis(fromWidth, resizedWidth, (resizedWidth - width) / 2, width),
        new Lanczos.Axis(fromHeight, resizedHeight, (resizedHeight - height) / 2, height));
  }

  /** The part of the upright picture that counts. */
  Rectangle part() {
    return new Rectangle(
        across.start(), down.start(), across.end() - across.start(), down.end() - down.start());
  }

  /** 1, or the n with which every n-th pixel of every n-th row of the part is no more than most. */
  int step(long most) {
    Rectangle part = part();
    return (int) Math.ceil(Math.sqrt((double) part.width * part.height / most));
  }

  /** The picture in its new shape; {@code image} is every step-th pixel of the part. */
  RgbImage resize(RgbImage image, int step) {
    return Lanczos.resize(image, across, down, step);
  }
}
