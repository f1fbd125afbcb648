package io.bitloom.engine.image;

import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.util.Arrays;
import java.util.List;

/** Pictures beside each other, for looking at how an image comes about. */
public final class PictureStrip {
  private static final int GAP = 8;
  private static final byte WHITE = (byte) 0xff;

  private PictureStrip() {}

  /** The picture, halved until it is no higher than {@code height} pixels. */
  public static RgbImage small(RgbImage picture, int height) {
    RgbImage small = picture;
    while (small.height() > height) {
      small = scaled(small, Math.max(1, small.width() / 2), Math.max(1, small.height() / 2));
    }
    return small;
  }

  private static RgbImage scaled(RgbImage picture, int width, int height) {
    RgbImage scaled = blank(width, height);
    Graphics2D canvas = scaled.view().createGraphics();
    canvas.setRenderingHint(
        RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BILINEAR);
    canvas.drawImage(picture.view(), 0, 0, width, height, null);
    canvas.dispose();
    return scaled;
  }

  /** Pictures from the left to the right, the tops in one line; at least one. */
  public static RgbImage of(List<RgbImage> pictures) {
    int width = pictures.stream().mapToInt(RgbImage::width).sum() + GAP * (pictures.size() - 1);
    RgbImage strip = blank(width, pictures.stream().mapToInt(RgbImage::height).max().orElseThrow());
    Graphics2D canvas = strip.view().createGraphics();
    int x = 0;
    for (RgbImage picture : pictures) {
      canvas.drawImage(picture.view(), x, 0, null);
      x += picture.width() + GAP;
    }
    canvas.dispose();
    return strip;
  }

  private static RgbImage blank(int width, int height) {
    byte[] rgb = new byte[3 * width * height];
    Arrays.fill(rgb, WHITE);
    return new RgbImage(width, height, rgb);
  }
}
