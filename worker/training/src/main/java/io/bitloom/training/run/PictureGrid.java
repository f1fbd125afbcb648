package io.bitloom.training.run;

import io.bitloom.engine.image.RgbImage;
import java.util.Arrays;
import java.util.List;

/** Pictures in rows and columns on white. */
public final class PictureGrid {
  private static final int GAP = 4;

  private PictureGrid() {}

  /** About as many columns as rows. */
  public static RgbImage of(List<RgbImage> pictures) {
    return of(pictures, (int) Math.ceil(Math.sqrt(pictures.size())));
  }

  /** A number of columns; cells are as large as the largest picture. */
  public static RgbImage of(List<RgbImage> pictures, int columns) {
    int rows = (pictures.size() + columns - 1) / columns;
    int cellWidth = pictures.stream().mapToInt(RgbImage::width).max().orElse(1) + GAP;
    int cellHeight = pictures.stream().mapToInt(RgbImage::height).max().orElse(1) + GAP;
    int width = columns * cellWidth;
    int height = rows * cellHeight;
    byte[] grid = new byte[3 * width * height];
    Arrays.fill(grid, (byte) 255);
    for (int i = 0; i < pictures.size(); i++) {
      RgbImage picture = pictures.get(i);
      int left = i % columns * cellWidth;
      int top = i / columns * cellHeight;
      for (int y = 0; y < picture.height(); y++) {
        int from = 3 * y * picture.width();
        int to = 3 * ((top + y) * width + left);
        System.arraycopy(picture.rgb(), from, grid, to, 3 * picture.width());
      }
    }
    return new RgbImage(width, height, grid);
  }
}
