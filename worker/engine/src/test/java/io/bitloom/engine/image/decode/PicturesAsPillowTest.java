package io.bitloom.engine.image.decode;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.bitloom.engine.image.RgbImage;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Formats, modes and depths, against what Pillow reads: {@code resources/pictures/make.py}. */
class PicturesAsPillowTest {
  private static final Path CASES = Path.of("../../../shared/cases/pictures");

  @TempDir private Path folder;

  private static Path pictures() throws URISyntaxException {
    return Path.of(PicturesAsPillowTest.class.getResource("/pictures/matrix.tsv").toURI())
        .getParent();
  }

  private static RgbImage read(Path file) throws IOException {
    PictureFile.Size size = PictureFile.size(file, PictureOptions.AS_STORED);
    return PictureFile.fitted(
        file, size.width(), size.height(), PictureOptions.AS_STORED, remark -> {});
  }

  private static int difference(byte[] one, byte[] other) {
    int most = 0;
    for (int i = 0; i < one.length; i++) {
      most = Math.max(most, Math.abs((one[i] & 0xff) - (other[i] & 0xff)));
    }
    return most;
  }

  @Test
  void everyKindOfPictureHasTheColoursThatPillowSees() throws IOException, URISyntaxException {
    byte[] expected = Files.readAllBytes(pictures().resolve("expected.rgb"));
    List<String> wrong = new ArrayList<>();
    int at = 0;
    for (String line : Files.readAllLines(pictures().resolve("matrix.tsv"))) {
      String[] fields = line.split("\t");
      int width = Integer.parseInt(fields[1]);
      int height = Integer.parseInt(fields[2]);
      byte[] pixels = Arrays.copyOfRange(expected, at, at += 3 * width * height);
      try {
        RgbImage image = read(pictures().resolve(fields[0]));
        int difference =
            image.rgb().length == pixels.length ? difference(image.rgb(), pixels) : 999;
        if (difference > Integer.parseInt(fields[3])) {
          wrong.add(fields[0] + " by " + difference);
        }
      } catch (IOException e) {
        wrong.add(fields[0] + ": " + e.getMessage());
      }
    }
    assertEquals(expected.length, at);
    assertEquals(List.of(), wrong);
  }

  @Test
  void whatIsCutOffIsRefusedInEveryFormat() throws IOException, URISyntaxException {
    Path cut = folder.resolve("cut");
    for (String line : Files.readAllLines(pictures().resolve("matrix.tsv"))) {
      String name = line.split("\t")[0];
      byte[] whole = Files.readAllBytes(pictures().resolve(name));
      if (name.startsWith("gif") || name.contains("other-bytes")) {
        whole = Arrays.copyOf(whole, whole.length * 4 / 5); // a second frame may be missing
      }
      for (int length : new int[] {whole.length / 3, whole.length * 2 / 3, whole.length - 3}) {
        boolean animation = name.equals("gif-animation.gif") && length > whole.length / 3;
        if (!animation && !name.contains("other-bytes")) {
          Files.write(cut, Arrays.copyOf(whole, length));
          assertThrows(IOException.class, () -> read(cut), name + " cut to " + length);
        }
      }
    }
  }

  @Test
  void picturesFromTheFieldAreReadAsTheyAre() throws IOException {
    assumeTrue(Files.isDirectory(CASES), "there is no folder of inputs from the field");
    RgbImage grey = read(CASES.resolve("grey-alpha-128.png"));
    for (byte value : grey.rgb()) {
      assertEquals((byte) 128, value);
    }
    RgbImage inks = read(CASES.resolve("cmyk.jpg"));
    byte[] expected = read(CASES.resolve("cmyk-expected.jpg")).rgb();
    for (int y = 10; y < 320; y += 60) { // far from edges, which JPEG blurs
      int at = 3 * (y * 320 + 10);
      byte[] pixel = Arrays.copyOfRange(inks.rgb(), at, at + 3);
      assertTrue(difference(pixel, Arrays.copyOfRange(expected, at, at + 3)) <= 3, "row " + y);
    }
    assertEquals(320, read(CASES.resolve("gif-smaller-first-frame.gif")).width());
    RgbImage thin =
        PictureFile.fitted(
            CASES.resolve("thin-1x65000.png"), 256, 256, PictureOptions.AS_STORED, remark -> {});
    assertEquals(10, thin.rgb()[0]);
    byte[] progressive = Files.readAllBytes(CASES.resolve("progressive-cut.jpg"));
    Path cut = folder.resolve("cut.jpg");
    Files.write(cut, Arrays.copyOf(progressive, 4000));
    assertThrows(IOException.class, () -> read(cut));
  }
}
