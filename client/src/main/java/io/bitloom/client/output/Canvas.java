package io.bitloom.client.output;

import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.geom.RoundRectangle2D;
import java.awt.image.BufferedImage;
import java.util.ArrayList;
import java.util.List;

/** A picture and the ways of drawing on it. */
record Canvas(BufferedImage sheet, Graphics2D graphics) {

  private static final String ELLIPSIS = "…";

  /** More characters never fit, and measuring them takes time. */
  private static final int MAX_CHARACTERS = 400;

  Canvas(BufferedImage sheet) {
    this(sheet, sheet.createGraphics());
    graphics.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
    graphics.setRenderingHint(
        RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BICUBIC);
  }

  void fill(Color color) {
    box(color, 0, 0, sheet.getWidth(), sheet.getHeight());
  }

  void box(Color color, int x, int y, int width, int height) {
    graphics.setColor(color);
    graphics.fillRect(x, y, width, height);
  }

  void image(BufferedImage image, int x, int y, int width, int height) {
    graphics.setClip(new RoundRectangle2D.Double(x, y, width, height, 6, 6));
    graphics.drawImage(halved(image, width, height), x, y, width, height, null);
    graphics.setClip(null);
  }

  /** Halves an image while it is more than twice too large, which keeps its details smooth. */
  private static BufferedImage halved(BufferedImage image, int width, int height) {
    BufferedImage smaller = image;
    while (smaller.getWidth() >= 2 * width && smaller.getHeight() >= 2 * height) {
      BufferedImage half =
          new BufferedImage(
              smaller.getWidth() / 2, smaller.getHeight() / 2, BufferedImage.TYPE_INT_RGB);
      Graphics2D graphics = half.createGraphics();
      graphics.setRenderingHint(
          RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BILINEAR);
      graphics.drawImage(smaller, 0, 0, half.getWidth(), half.getHeight(), null);
      graphics.dispose();
      smaller = half;
    }
    return smaller;
  }

  /** Draws a line of text, cut to a width. */
  void line(String line, TrueTypeFont font, double size, Color color, int x, int y, int maxWidth) {
    graphics.setColor(color);
    graphics.fill(font.outline(cut(line, font, size, maxWidth), size, x, y));
  }

  private static String cut(String text, TrueTypeFont font, double size, int maxWidth) {
    String line = shortened(text);
    if (font.width(line, size) <= maxWidth) {
      return line;
    }
    int end = line.length();
    while (end > 0 && font.width(line.substring(0, end) + ELLIPSIS, size) > maxWidth) {
      end = line.offsetByCodePoints(end, -1);
    }
    return line.substring(0, end).stripTrailing() + ELLIPSIS;
  }

  /** Breaks a text at spaces into at most some lines; the last one has all that is left. */
  List<String> wrapped(String text, TrueTypeFont font, double size, int width, int maxLines) {
    List<String> lines = new ArrayList<>();
    StringBuilder line = new StringBuilder();
    for (String word : shortened(text).strip().split("\\s+")) {
      boolean fits = line.isEmpty() || font.width(line + " " + word, size) <= width;
      if (!fits && lines.size() < maxLines - 1) {
        lines.add(line.toString());
        line.setLength(0);
      }
      line.append(line.isEmpty() ? "" : " ").append(word);
    }
    lines.add(line.toString());
    return lines;
  }

  private static String shortened(String text) {
    return text.codePointCount(0, text.length()) <= MAX_CHARACTERS
        ? text
        : text.substring(0, text.offsetByCodePoints(0, MAX_CHARACTERS));
  }
}
