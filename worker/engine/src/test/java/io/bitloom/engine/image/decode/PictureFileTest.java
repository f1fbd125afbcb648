package io.bitloom.engine.image.decode;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.engine.image.RgbImage;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import javax.imageio.ImageIO;
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

  private static RgbImage resized(RgbImage image, int width, int height) {
    return Lanczos.resize(
        image,
        new Lanczos.Axis(image.width(), width, 0, width),
        new Lanczos.Axis(image.height(), height, 0, height),
        1);
  }

  private static RgbImage cut(RgbImage image, int width, int height) {
    Fit fit = Fit.of(image.width(), image.height(), width, height);
    return fit.resize(Samples.part(image, fit.part(), 1), 1);
  }

  private Path png(int width, int height) throws IOException {
    BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_BYTE_GRAY);
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        image.getRaster().setSample(x, y, 0, (7 * x + 3 * y) % 256);
      }
    }
    Path file = folder.resolve("picture.png");
    ImageIO.write(image, "png", file.toFile());
    return file;
  }

  @Test
  void lanczosKeepsAConstantAndOvershootsAtAnEdge() {
    assertArrayEquals(new int[] {9, 9, 9, 9, 9, 9}, greys(resized(row(9, 9, 9, 9, 9), 3, 2)));
    int[] edge = greys(resized(row(0, 0, 0, 200, 200, 200), 12, 1));
    assertEquals(0, edge[0]);
    assertEquals(true, edge[7] > 200 && edge[4] == 0, Arrays.toString(edge));
  }

  @Test
  void theMiddleIsCutOutOfAPictureThatIsTooWide() {
    assertArrayEquals(new int[] {3, 4}, greys(cut(row(1, 2, 3, 4, 5, 6), 2, 1)));
  }

  @Test
  void aPartIsResizedAsItWouldBeInTheWhole() {
    int[] values = new int[600];
    Arrays.setAll(values, i -> 37 * i % 251);
    RgbImage line = row(values);
    RgbImage whole = resized(line, 300, 8);
    int[] middle = greys(cut(line, 8, 8));
    Fit fit = Fit.of(600, 1, 8, 8);
    assertEquals(4800, fit.across().to());
    assertTrue(fit.part().width < 20, "decodes " + fit.part());
    RgbImage large = resized(line, 4800, 8);
    for (int x = 0; x < 8; x++) {
      assertEquals(large.rgb()[3 * (2396 + x)] & 0xff, middle[x]);
    }
    assertEquals(300, whole.width());
  }

  @Test
  void picturesOfOneLineAreReadHoweverLongTheyAre() throws IOException {
    for (int[] size : new int[][] {{1, 65_000}, {65_000, 1}, {2, 200_000}, {300_000, 3}}) {
      RgbImage fitted =
          PictureFile.fitted(png(size[0], size[1]), 256, 256, PictureOptions.AS_STORED, r -> {});
      assertEquals(256, fitted.height());
    }
  }

  @Test
  void ofAHugePictureEveryNthPixelIsDecodedAndThatIsRemarked() throws IOException {
    List<String> remarks = new ArrayList<>();
    RgbImage fitted =
        PictureFile.fitted(png(6000, 5000), 64, 48, PictureOptions.AS_STORED, remarks::add);
    assertEquals(64, fitted.width());
    assertEquals(1, remarks.size(), remarks.toString());
  }

  @Test
  void exifTurnsThePictureAndItsSizeWhereThatIsAsked() throws IOException {
    BufferedImage image = new BufferedImage(32, 16, BufferedImage.TYPE_INT_RGB);
    for (int y = 0; y < 16; y++) {
      for (int x = 0; x < 16; x++) {
        image.setRGB(x, y, 0xffffff); // the left half is white
      }
    }
    ByteArrayOutputStream stored = new ByteArrayOutputStream();
    ImageIO.write(image, "jpeg", stored);
    byte[] jpeg = stored.toByteArray();
    ByteArrayOutputStream tagged = new ByteArrayOutputStream();
    byte[] exif =
        HexFormat.of()
            .parseHex(
                "ffe10022457869660000" // Exif
                    + "4d4d002a00000008" // big endian, the directory follows
                    + "0001" // of one tag:
                    + "011200030000000100060000" // orientation 6
                    + "00000000");
    tagged.write(jpeg, 0, 2);
    tagged.write(exif, 0, exif.length);
    tagged.write(jpeg, 2, jpeg.length - 2);
    Path file = folder.resolve("turned.jpg");
    Files.write(file, tagged.toByteArray());

    assertEquals(new PictureFile.Size(16, 32), PictureFile.size(file, PictureOptions.AS_SEEN));
    assertEquals(new PictureFile.Size(32, 16), PictureFile.size(file, PictureOptions.AS_STORED));
    int[] seen = greys(PictureFile.fitted(file, 16, 32, PictureOptions.AS_SEEN, r -> {}));
    assertTrue(seen[0] > 250 && seen[16 * 31] < 5, "the left half is above, turned clockwise");
  }

  @Test
  void whatIsNoPictureIsRefusedByWhatItIs() throws IOException {
    Path file = folder.resolve("a.png");
    for (String[] other :
        new String[][] {
          {"", "is empty"},
          {"text", "is no PNG"},
          {"<!DOCTYPE html>", "a web page"},
          {"version https://git-lfs.github.com/spec/v1", "git lfs pull"},
          {"\0\0\0\u001cftypavif", "AVIF"},
        }) {
      Files.write(file, other[0].getBytes(StandardCharsets.ISO_8859_1));
      IOException fault =
          assertThrows(
              IOException.class,
              () -> PictureFile.fitted(file, 8, 8, PictureOptions.AS_STORED, r -> {}));
      assertTrue(fault.getMessage().contains(other[1]), fault.getMessage());
    }
    assertThrows(
        IOException.class,
        () -> PictureFile.size(folder.resolve("missing.png"), PictureOptions.AS_STORED));
  }
}
