package io.bitloom.worker.train.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.bitloom.worker.image.RgbImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PictureFileTest {
  @TempDir private Path folder;

  /** A row of grey values as a picture. */
  private static RgbImage row(int... greys) {
    byte[] rgb = new byte[3 * greys.length];
    for (int i = 0; i < rgb.length; i++) {
      rgb[i] = (byte) greys[i / 3];
    }
    return new RgbImage(greys.length, 1, rgb);
  }

  private static int[] greys(RgbImage image) {
    int[] greys = new int[image.width() * image.height()];
    Arrays.setAll(greys, i -> image.rgb()[3 * i] & 0xff);
    return greys;
  }

  @Test
  void lanczosKeepsAConstantAndOvershootsAtAnEdge() {
    int[] constant = greys(Lanczos.resize(row(9, 9, 9, 9, 9), 3, 2));
    assertArrayEquals(new int[] {9, 9, 9, 9, 9, 9}, constant);
    int[] edge = greys(Lanczos.resize(row(0, 0, 0, 200, 200, 200), 12, 1));
    assertEquals(0, edge[0]);
    assertEquals(true, edge[7] > 200 && edge[4] == 0, Arrays.toString(edge));
  }

  @Test
  void theMiddleIsCutOutOfAPictureThatIsTooWide() {
    int[] cut = greys(PictureFile.fit(row(1, 2, 3, 4, 5, 6), 2, 1));
    assertArrayEquals(new int[] {3, 4}, cut);
  }

  @Test
  void whatIsNoPictureIsAnIoFault() throws IOException {
    Path text = folder.resolve("a.png");
    Files.writeString(text, "text");
    assertThrows(IOException.class, () -> PictureFile.fitted(text, 8, 8));
    assertThrows(IOException.class, () -> PictureFile.size(folder.resolve("missing.png")));
  }
}
