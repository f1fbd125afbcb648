package io.bitloom.engine.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.error.BitloomException;
import io.bitloom.engine.ChildJvm;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.IntFunction;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.metadata.IIOMetadata;
import javax.imageio.metadata.IIOMetadataNode;
import javax.imageio.stream.ImageInputStream;
import org.junit.jupiter.api.Test;

class EncodersTest {

  @Test
  void pngGivesBackEveryPixelOfSmoothNoisyAndTinyPictures() throws IOException {
    for (RgbImage image : new RgbImage[] {noise(37, 23), noise(1, 1), gradient(64, 16)}) {
      byte[] file = PngEncoder.encode(image, Map.of());
      BufferedImage read = ImageIO.read(new ByteArrayInputStream(file));
      assertEquals(image.width(), read.getWidth());
      assertEquals(image.height(), read.getHeight());
      assertArrayEquals(image.rgb(), pixels(read));
    }
  }

  @Test
  void pngCarriesItsProvenanceInLatinAndInOtherScripts() throws IOException {
    Map<String, String> text = new LinkedHashMap<>();
    text.put("Prompt", "ein Fuchs über dem Fluß");
    text.put("Negative Prompt", "狐 🦊");
    text.put("Seed", "7");
    byte[] file = PngEncoder.encode(gradient(8, 8), text);

    IIOMetadataNode root = (IIOMetadataNode) metadata(file).getAsTree("javax_imageio_png_1.0");
    assertEquals("ein Fuchs über dem Fluß", textEntry(root, "tEXtEntry", "Prompt", "value"));
    assertEquals("7", textEntry(root, "tEXtEntry", "Seed", "value"));
    assertEquals("狐 🦊", textEntry(root, "iTXtEntry", "Negative Prompt", "text"));
  }

  @Test
  void pngOfASmoothPictureIsMuchSmallerThanItsPixels() {
    RgbImage image = gradient(256, 256);
    assertTrue(PngEncoder.encode(image, Map.of()).length < image.rgb().length / 20);
  }

  @Test
  void aKeywordThatPngForbidsIsRefused() {
    Map<String, String> text = Map.of("bad\0key", "value");
    IllegalArgumentException refused =
        assertThrows(IllegalArgumentException.class, () -> PngEncoder.encode(gradient(8, 8), text));
    assertTrue(refused.getMessage().contains("bad\0key"));
  }

  @Test
  void jpegKeepsSizeAndColoursOfASmoothPicture() throws IOException {
    RgbImage image = gradient(96, 64);
    byte[] file = JpegEncoder.encode(image, 95);
    assertEquals((byte) 0xff, file[0]);
    assertEquals((byte) 0xd8, file[1]);

    BufferedImage read = ImageIO.read(new ByteArrayInputStream(file));
    assertEquals(96, read.getWidth());
    assertEquals(64, read.getHeight());
    byte[] decoded = pixels(read);
    for (int i = 0; i < decoded.length; i++) {
      int difference = Math.abs((decoded[i] & 0xff) - (image.rgb()[i] & 0xff));
      assertTrue(difference <= 12, "byte " + i + " differs by " + difference);
    }
  }

  @Test
  void losslessWebpGivesBackEveryPixelOfSmoothNoisyAndTinyPictures() throws IOException {
    for (RgbImage image : new RgbImage[] {noise(37, 23), noise(1, 1), gradient(64, 16)}) {
      BufferedImage read = ImageIO.read(new ByteArrayInputStream(WebpEncoder.lossless(image)));
      assertEquals(image.width(), read.getWidth());
      assertEquals(image.height(), read.getHeight());
      assertArrayEquals(image.rgb(), pixels(read));
    }
  }

  @Test
  void lossyFormatsGrowWithTheirQuality() throws IOException {
    RgbImage image = noise(64, 48);
    for (IntFunction<byte[]> encoder :
        List.<IntFunction<byte[]>>of(
            quality -> WebpEncoder.lossy(image, quality),
            quality -> JpegEncoder.encode(image, quality))) {
      byte[] coarse = encoder.apply(1);
      byte[] fine = encoder.apply(100);
      assertTrue(fine.length > 2 * coarse.length, coarse.length + " and " + fine.length);
      assertEquals(64, ImageIO.read(new ByteArrayInputStream(coarse)).getWidth());
      assertEquals(48, ImageIO.read(new ByteArrayInputStream(fine)).getHeight());
    }
  }

  @Test
  void lossyWebpKeepsTheColoursOfASmoothPicture() throws IOException {
    RgbImage image = gradient(96, 64);
    byte[] decoded = pixels(ImageIO.read(new ByteArrayInputStream(WebpEncoder.lossy(image, 90))));
    for (int i = 0; i < decoded.length; i++) {
      int difference = Math.abs((decoded[i] & 0xff) - (image.rgb()[i] & 0xff));
      assertTrue(difference <= 16, "byte " + i + " differs by " + difference);
    }
  }

  /** A JVM of its own, as the library is loaded once for all. */
  @Test
  void aPlaceWhereLibwebpCannotBeLoadedFromIsNamedWithAWayOut() throws Exception {
    try (ChildJvm child =
        ChildJvm.start(
            WebpEncoding.class,
            List.of("-Xmx64m", "-Dcom.luciad.imageio.webp.tmpdir=/dev/null/nowhere"))) {
      String line = child.awaitLine("WebP cannot be written here");
      assertTrue(line.contains("-Dcom.luciad.imageio.webp.tmpdir"), line);
      assertEquals(0, child.awaitExit());
    }
  }

  /** Writes one WebP file and prints why it could not. */
  static final class WebpEncoding {
    public static void main(String[] arguments) {
      try {
        WebpEncoder.lossless(gradient(8, 8));
      } catch (BitloomException e) {
        System.out.println(e.getMessage());
      }
    }
  }

  @Test
  void aPictureWhoseBytesDoNotFillItIsRefused() {
    IllegalArgumentException refused =
        assertThrows(IllegalArgumentException.class, () -> new RgbImage(4, 4, new byte[47]));
    assertEquals("4x4 pixels need 48 bytes, got 47", refused.getMessage());
  }

  private static IIOMetadata metadata(byte[] file) throws IOException {
    ImageReader reader = ImageIO.getImageReadersByFormatName("png").next();
    try (ImageInputStream in = ImageIO.createImageInputStream(new ByteArrayInputStream(file))) {
      reader.setInput(in);
      IIOImage image = reader.readAll(0, null);
      return image.getMetadata();
    } finally {
      reader.dispose();
    }
  }

  private static String textEntry(
      IIOMetadataNode root, String element, String keyword, String attribute) {
    var entries = root.getElementsByTagName(element);
    for (int i = 0; i < entries.getLength(); i++) {
      IIOMetadataNode entry = (IIOMetadataNode) entries.item(i);
      if (entry.getAttribute("keyword").equals(keyword)) {
        return entry.getAttribute(attribute);
      }
    }
    return null;
  }

  private static byte[] pixels(BufferedImage image) {
    byte[] rgb = new byte[3 * image.getWidth() * image.getHeight()];
    int at = 0;
    for (int y = 0; y < image.getHeight(); y++) {
      for (int x = 0; x < image.getWidth(); x++) {
        int pixel = image.getRGB(x, y);
        rgb[at++] = (byte) (pixel >> 16);
        rgb[at++] = (byte) (pixel >> 8);
        rgb[at++] = (byte) pixel;
      }
    }
    return rgb;
  }

  private static RgbImage noise(int width, int height) {
    byte[] rgb = new byte[3 * width * height];
    new Random(1).nextBytes(rgb);
    return new RgbImage(width, height, rgb);
  }

  private static RgbImage gradient(int width, int height) {
    byte[] rgb = new byte[3 * width * height];
    int at = 0;
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        rgb[at++] = (byte) (255 * x / width);
        rgb[at++] = (byte) (255 * y / height);
        rgb[at++] = (byte) (128 + 100 * x / width);
      }
    }
    return new RgbImage(width, height, rgb);
  }
}
