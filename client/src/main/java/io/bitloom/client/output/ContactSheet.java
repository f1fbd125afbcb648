package io.bitloom.client.output;

import io.bitloom.common.file.WholeFile;
import io.bitloom.common.manifest.ManifestLine;
import java.awt.Color;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import javax.imageio.ImageIO;

/**
 * One picture of a folder's images with their captions: {@code contact-sheet.png}. Of more than
 * {@value #MAX_TILES} images it shows that many, evenly chosen.
 */
public final class ContactSheet {

  static final String FILE = "contact-sheet.png";
  static final int MAX_TILES = 200;

  private static final int MARGIN = 48;
  private static final int GAP = 28;
  private static final int CAPTION = 84;
  private static final int HEADER = 84;
  private static final int MIN_WIDTH = 640;

  /** Side of the square that an image is fitted into; smaller when there are many. */
  private static final int TILE = 264;

  private static final int MANY = 60;
  private static final int SMALL_TILE = 180;

  private static final Color PAPER = new Color(0x14161a);
  private static final Color EMPTY = new Color(0x2a2d33);
  private static final Color STRONG = new Color(0xf2f3f5);
  private static final Color NORMAL = new Color(0xb4b9c2);
  private static final Color FAINT = new Color(0x7d838e);

  private static final TrueTypeFont REGULAR = TrueTypeFont.bundled("Roboto-Regular.ttf");
  private static final TrueTypeFont MEDIUM = TrueTypeFont.bundled("Roboto-Medium.ttf");

  private final Path folder;
  private final List<ManifestLine> tiles;
  private final int tile;
  private final int columns;
  private final Canvas canvas;

  private ContactSheet(Path folder, List<ManifestLine> tiles) {
    this.folder = folder;
    this.tiles = tiles;
    tile = tiles.size() > MANY ? SMALL_TILE : TILE;
    columns = (int) Math.max(1, Math.round(Math.sqrt(tiles.size() * 1.5)));
    BufferedImage sheet = new BufferedImage(width(), height(), BufferedImage.TYPE_INT_RGB);
    canvas = new Canvas(sheet);
  }

  /**
   * Draws the contact sheet of a folder anew; none if it has no images.
   *
   * @param title first line above the images; the number of images is added
   * @param note second line: the model and what to know of it
   */
  public static void draw(Path folder, String title, String note) throws IOException {
    List<ManifestLine> chosen = choose(folder.resolve(Manifest.FILE));
    if (!chosen.isEmpty()) {
      new ContactSheet(folder, chosen).draw(title, note, folder.resolve(FILE));
    }
  }

  /** Evenly chosen images of a manifest, in the order of the job. */
  static List<ManifestLine> choose(Path manifest) throws IOException {
    long[] count = new long[1];
    Manifest.read(manifest, (line, end) -> count[0] += line.succeeded() ? 1 : 0);
    long total = count[0];
    long shown = Math.min(total, MAX_TILES);
    List<ManifestLine> chosen = new ArrayList<>();
    long[] seen = new long[1];
    Manifest.read(
        manifest,
        (line, end) -> {
          if (line.succeeded()) {
            long i = seen[0]++;
            if (i * shown / total != (i + 1) * shown / total) {
              chosen.add(line);
            }
          }
        });
    chosen.sort(Comparator.comparingInt(ManifestLine::place).thenComparingInt(ManifestLine::index));
    return chosen;
  }

  private int width() {
    return Math.max(MIN_WIDTH, 2 * MARGIN + columns * tile + (columns - 1) * GAP);
  }

  private int height() {
    int rows = (tiles.size() + columns - 1) / columns;
    return 2 * MARGIN + HEADER + rows * (tile + CAPTION) + (rows - 1) * GAP;
  }

  private void draw(String title, String note, Path file) throws IOException {
    canvas.fill(PAPER);
    canvas.line(title, MEDIUM, 30, STRONG, MARGIN, MARGIN + 26, width() - 2 * MARGIN);
    canvas.line(note, REGULAR, 17, NORMAL, MARGIN, MARGIN + 56, width() - 2 * MARGIN);
    for (int i = 0; i < tiles.size(); i++) {
      int x = MARGIN + i % columns * (tile + GAP);
      int y = MARGIN + HEADER + i / columns * (tile + CAPTION + GAP);
      drawImage(tiles.get(i), x, y);
      drawCaption(tiles.get(i), x, y + tile);
    }
    WholeFile.write(file, out -> ImageIO.write(canvas.sheet(), "png", out));
  }

  /** Fits an image into its square, in the middle and with its proportions. */
  private void drawImage(ManifestLine line, int x, int y) {
    BufferedImage image = read(folder.resolve(line.file()));
    if (image == null) {
      canvas.box(EMPTY, x, y, tile, tile);
      return;
    }
    double scale = Math.min(1.0 * tile / image.getWidth(), 1.0 * tile / image.getHeight());
    int width = Math.max(1, (int) Math.round(scale * image.getWidth()));
    int height = Math.max(1, (int) Math.round(scale * image.getHeight()));
    canvas.image(image, x + (tile - width) / 2, y + (tile - height) / 2, width, height);
  }

  private static BufferedImage read(Path file) {
    try {
      return ImageIO.read(file.toFile());
    } catch (IOException | LinkageError e) { // the latter without a libwebp for this machine
      // The sheet shows an empty tile; the image itself is not touched.
      return null;
    }
  }

  private void drawCaption(ManifestLine line, int x, int y) {
    canvas.line(line.customId(), MEDIUM, 16, STRONG, x, y + 24, tile);
    List<String> prompt = canvas.wrapped(line.parameter("prompt"), REGULAR, 13.5, tile, 2);
    for (int i = 0; i < prompt.size(); i++) {
      canvas.line(prompt.get(i), REGULAR, 13.5, NORMAL, x, y + 43 + 17 * i, tile);
    }
    String facts = line.width() + " × " + line.height() + "  ·  seed " + line.seed();
    canvas.line(facts, REGULAR, 12, FAINT, x, y + 79, tile);
  }
}
