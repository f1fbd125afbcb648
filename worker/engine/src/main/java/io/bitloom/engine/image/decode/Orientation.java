package io.bitloom.engine.image.decode;

import io.bitloom.engine.image.RgbImage;
import java.awt.Rectangle;

/**
 * How a stored picture has to be turned, by the values 1 to 8 of the EXIF tag of that name.
 *
 * @param swaps whether stored rows are columns of the upright picture
 * @param mirrorsX whether stored rows run from the right
 * @param mirrorsY whether stored columns run from the bottom
 */
record Orientation(boolean swaps, boolean mirrorsX, boolean mirrorsY) {
  static final Orientation UPRIGHT = new Orientation(false, false, false);

  /** The orientation of a value; upright if it is none. */
  static Orientation of(int exif) {
    return switch (exif) {
      case 2 -> new Orientation(false, true, false);
      case 3 -> new Orientation(false, true, true);
      case 4 -> new Orientation(false, false, true);
      case 5 -> new Orientation(true, false, false);
      case 6 -> new Orientation(true, false, true);
      case 7 -> new Orientation(true, true, true);
      case 8 -> new Orientation(true, true, false);
      default -> UPRIGHT;
    };
  }

  /** Where a part of the upright picture lies in the stored one of the given size. */
  Rectangle stored(Rectangle upright, int width, int height) {
    Rectangle part =
        swaps
            ? new Rectangle(upright.y, upright.x, upright.height, upright.width)
            : new Rectangle(upright);
    if (mirrorsX) {
      part.x = width - part.x - part.width;
    }
    if (mirrorsY) {
      part.y = height - part.y - part.height;
    }
    return part;
  }

  /** The upright picture of a stored one. */
  RgbImage turn(RgbImage stored) {
    if (equals(UPRIGHT)) {
      return stored;
    }
    int width = swaps ? stored.height() : stored.width();
    int height = swaps ? stored.width() : stored.height();
    byte[] from = stored.rgb();
    byte[] to = new byte[from.length];
    for (int y = 0, at = 0; y < height; y++) {
      for (int x = 0; x < width; x++, at += 3) {
        int column = swaps ? y : x;
        int row = swaps ? x : y;
        column = mirrorsX ? stored.width() - 1 - column : column;
        row = mirrorsY ? stored.height() - 1 - row : row;
        int pixel = 3 * (row * stored.width() + column);
        to[at] = from[pixel];
        to[at + 1] = from[pixel + 1];
        to[at + 2] = from[pixel + 2];
      }
    }
    return new RgbImage(width, height, to);
  }
}
