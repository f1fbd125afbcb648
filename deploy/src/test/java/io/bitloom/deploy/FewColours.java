package io.bitloom.deploy;

import java.awt.image.BufferedImage;
import java.awt.image.IndexColorModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javax.imageio.ImageIO;

/** Makes a PNG of flat colours small: a byte for each pixel names one of its usual colours. */
final class FewColours {

  private static final int COLOURS = 64;

  private FewColours() {}

  static void rewrite(Path png) throws IOException {
    BufferedImage all = ImageIO.read(png.toFile());
    Map<Integer, Integer> seen = new HashMap<>();
    for (int y = 0; y < all.getHeight(); y++) {
      for (int x = 0; x < all.getWidth(); x++) {
        seen.merge(all.getRGB(x, y), 1, Integer::sum);
      }
    }
    List<Integer> usual =
        seen.entrySet().stream()
            .sorted(Map.Entry.<Integer, Integer>comparingByValue().reversed())
            .limit(COLOURS)
            .map(Map.Entry::getKey)
            .toList();
    int[] palette = usual.stream().mapToInt(Integer::intValue).toArray();
    BufferedImage few =
        new BufferedImage(
            all.getWidth(),
            all.getHeight(),
            BufferedImage.TYPE_BYTE_INDEXED,
            new IndexColorModel(8, palette.length, palette, 0, false, -1, 0));
    Map<Integer, Integer> nearest = new HashMap<>();
    for (int y = 0; y < all.getHeight(); y++) {
      for (int x = 0; x < all.getWidth(); x++) {
        int colour = all.getRGB(x, y);
        int index = nearest.computeIfAbsent(colour, c -> nearest(c, palette));
        few.getRaster().setSample(x, y, 0, index);
      }
    }
    ImageIO.write(few, "png", png.toFile());
  }

  private static int nearest(int colour, int[] palette) {
    int best = 0;
    for (int i = 1; i < palette.length; i++) {
      best = distance(colour, palette[i]) < distance(colour, palette[best]) ? i : best;
    }
    return best;
  }

  private static int distance(int a, int b) {
    int sum = 0;
    for (int shift = 0; shift <= 16; shift += 8) {
      int difference = (a >> shift & 0xff) - (b >> shift & 0xff);
      sum += difference * difference;
    }
    return sum;
  }
}
