package io.bitloom.client.output;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.bitloom.common.manifest.ManifestLine;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ContactSheetTest {

  private static final List<String> PROMPTS =
      List.of(
          "a red fox asleep in fresh snow, soft morning light",
          "Кот, чашка и окно; ψ α β — naïve café",
          "a lighthouse on a cliff in a storm, long exposure, volumetric light, very detailed waves",
          "猫");

  @TempDir Path folder;

  @Test
  void everyImageIsOnTheSheetWithItsProportions() throws IOException {
    fill(24);

    ContactSheet.draw(folder, "demo  ·  24 images", "random weights");

    BufferedImage sheet = ImageIO.read(folder.resolve("contact-sheet.png").toFile());
    // Six columns and four rows of tiles 264 wide with a caption of 84.
    assertEquals(2 * 48 + 6 * 264 + 5 * 28, sheet.getWidth());
    assertEquals(2 * 48 + 84 + 4 * (264 + 84) + 3 * 28, sheet.getHeight());
  }

  @Test
  void ofManyImagesSomeAreChosenEvenly() throws IOException {
    fill(1000);

    List<ManifestLine> chosen = ContactSheet.choose(folder.resolve("manifest.jsonl"));

    assertEquals(ContactSheet.MAX_TILES, chosen.size());
    assertEquals(4, chosen.get(0).offset());
    assertEquals(999, chosen.get(199).offset());
  }

  @Test
  void captionsNeedNoFontsOfTheSystem() throws IOException {
    Path maps = Path.of("/proc/self/maps");
    assumeTrue(Files.isReadable(maps), "no /proc/self/maps on this system");
    fill(2);

    ContactSheet.draw(folder, "title", "note");

    String loaded = Files.readString(maps);
    assertTrue(loaded.contains("libjvm"), "the list of libraries is not readable");
    assertFalse(loaded.contains("fontconfig") || loaded.contains("libfontmanager"));
  }

  @Test
  void webpFilesAreOnTheSheetToo() throws IOException {
    fill(2);
    ContactSheet.draw(folder, "title", "note");
    byte[] sheet = Files.readAllBytes(folder.resolve("contact-sheet.png"));
    Path file = folder.resolve("id-1.png");
    BufferedImage image = ImageIO.read(file.toFile());
    ImageWriter writer = ImageIO.getImageWritersByFormatName("webp").next();
    ImageWriteParam lossless = writer.getDefaultWriteParam();
    lossless.setCompressionMode(ImageWriteParam.MODE_EXPLICIT);
    lossless.setCompressionType("Lossless");
    try (var out = ImageIO.createImageOutputStream(Files.newOutputStream(file))) {
      writer.setOutput(out);
      writer.write(null, new IIOImage(image, null, null), lossless);
    }
    assertEquals("RIFF", new String(Files.readAllBytes(file), 0, 4, StandardCharsets.US_ASCII));

    ContactSheet.draw(folder, "title", "note");

    assertArrayEquals(sheet, Files.readAllBytes(folder.resolve("contact-sheet.png")));
  }

  @Test
  void aMissingImageLeavesAnEmptyTile() throws IOException {
    fill(2);
    Files.delete(folder.resolve("id-1.png"));

    ContactSheet.draw(folder, "title", "note");

    assertTrue(Files.size(folder.resolve("contact-sheet.png")) > 0);
  }

  private void fill(int count) throws IOException {
    int[][] sizes = {{256, 256}, {336, 192}, {144, 432}, {192, 336}, {320, 208}};
    try (ImageFolder images = ImageFolder.open(folder, "jobs/1")) {
      for (int i = 0; i < count; i++) {
        int[] size = count > 100 ? new int[] {4, 4} : sizes[i % sizes.length];
        String prompt = PROMPTS.get(i % PROMPTS.size());
        images.save(Results.images(i, "id-" + i, prompt, 1, size[0], size[1]));
      }
    }
  }
}
