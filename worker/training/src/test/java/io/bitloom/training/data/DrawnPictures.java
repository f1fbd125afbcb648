package io.bitloom.training.data;

import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import javax.imageio.ImageIO;

/** A small training set for tests: a circle on a background, as its caption says. */
public final class DrawnPictures {
  private static final Color[] COLORS = {Color.RED, Color.GREEN, Color.BLUE, Color.YELLOW};
  private static final String[] NAMES = {"red", "green", "blue", "yellow"};
  private static final int SIDE = 48;

  private DrawnPictures() {}

  /** Writes pictures and {@code captions.jsonl} into a folder; every third one is wide. */
  public static void write(Path folder, int count) throws IOException {
    StringBuilder captions = new StringBuilder();
    for (int i = 0; i < count; i++) {
      int width = i % 3 == 2 ? SIDE * 3 / 2 : SIDE;
      draw(folder.resolve(i + ".png"), width, COLORS[i % 4], COLORS[(i / 4 + 1) % 4]);
      captions.append(
          String.format(
              Locale.ROOT,
              "{\"image_path\": \"%d.png\", \"text\": \"a %s circle on %s\", \"aesthetic\": %d}%n",
              i,
              NAMES[i % 4],
              NAMES[(i / 4 + 1) % 4],
              i));
    }
    Files.writeString(folder.resolve("captions.jsonl"), captions);
  }

  private static void draw(Path file, int width, Color circle, Color ground) throws IOException {
    BufferedImage image = new BufferedImage(width, SIDE, BufferedImage.TYPE_INT_RGB);
    Graphics2D graphics = image.createGraphics();
    graphics.setColor(ground);
    graphics.fillRect(0, 0, width, SIDE);
    graphics.setColor(circle);
    graphics.fillOval(width / 4, SIDE / 4, SIDE / 2, SIDE / 2);
    graphics.dispose();
    ImageIO.write(image, "png", file.toFile());
  }
}
