package io.bitloom.client.output;

import java.awt.geom.AffineTransform;
import java.awt.geom.Path2D;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/**
 * Outlines of a TrueType font. {@code java.awt.Font} needs native font libraries and installed
 * fonts, which a bare machine lacks; filling outlines needs neither.
 *
 * <p>Reads what the bundled fonts have: cmap format 4, simple and composite glyphs placed by
 * offset. Source: OpenType specification 1.9, chapters cmap, hmtx, loca and glyf.
 */
final class TrueTypeFont {

  /** U+FFFD stands for characters that the font lacks. */
  private static final int REPLACEMENT = 0xFFFD;

  private static final int ON_CURVE = 1;
  private static final int X_SHORT = 2;
  private static final int Y_SHORT = 4;
  private static final int REPEAT = 8;
  private static final int X_SAME_OR_POSITIVE = 16;
  private static final int Y_SAME_OR_POSITIVE = 32;

  private static final int ARGUMENTS_ARE_WORDS = 1;
  private static final int ONE_SCALE = 8;
  private static final int MORE_COMPONENTS = 32;
  private static final int TWO_SCALES = 64;
  private static final int FOUR_SCALES = 128;

  private final ByteBuffer file;
  private final Map<String, Integer> tables = new HashMap<>();
  private final int unitsPerEm;
  private final boolean longLocations;
  private final int metrics;

  private TrueTypeFont(ByteBuffer file) {
    this.file = file;
    int count = u16(4);
    for (int i = 0; i < count; i++) {
      int entry = 12 + 16 * i;
      byte[] tag = new byte[4];
      file.get(entry, tag);
      tables.put(new String(tag, StandardCharsets.US_ASCII), file.getInt(entry + 8));
    }
    unitsPerEm = u16(tables.get("head") + 18);
    longLocations = u16(tables.get("head") + 50) != 0;
    metrics = u16(tables.get("hhea") + 34);
  }

  /** Loads a font that lies beside this class. */
  static TrueTypeFont bundled(String name) {
    try (InputStream in = TrueTypeFont.class.getResourceAsStream(name)) {
      return new TrueTypeFont(ByteBuffer.wrap(in.readAllBytes()));
    } catch (IOException e) {
      throw new UncheckedIOException(name, e);
    }
  }

  /**
   * Width of a text in pixels.
   *
   * @param size pixels per em
   */
  double width(String text, double size) {
    return text.codePoints().map(c -> advance(glyph(c))).sum() * size / unitsPerEm;
  }

  /**
   * Outline of a text.
   *
   * @param size pixels per em
   * @param x left end of the baseline
   * @param y the baseline
   */
  Path2D outline(String text, double size, double x, double y) {
    double scale = size / unitsPerEm;
    Path2D outline = new Path2D.Double(Path2D.WIND_NON_ZERO);
    double penX = x;
    for (int c : text.codePoints().toArray()) {
      int glyph = glyph(c);
      AffineTransform place = new AffineTransform(scale, 0, 0, -scale, penX, y);
      outline.append(outline(glyph).getPathIterator(place), false);
      penX += advance(glyph) * scale;
    }
    return outline;
  }

  /** Whether the font can draw a character. */
  boolean has(int codePoint) {
    return find(codePoint) != 0;
  }

  private int glyph(int codePoint) {
    int glyph = find(codePoint);
    return glyph != 0 ? glyph : find(REPLACEMENT);
  }

  /** Index of a character's glyph by cmap format 4, or 0. */
  private int find(int codePoint) {
    int cmap = tables.get("cmap");
    int table = cmap + file.getInt(cmap + 8);
    int segments = u16(table + 6) / 2;
    int ends = table + 14;
    int starts = ends + 2 * segments + 2;
    int deltas = starts + 2 * segments;
    int ranges = deltas + 2 * segments;
    for (int i = 0; i < segments; i++) {
      if (codePoint <= u16(ends + 2 * i)) {
        int start = u16(starts + 2 * i);
        if (codePoint < start) {
          return 0;
        }
        int delta = u16(deltas + 2 * i);
        int range = u16(ranges + 2 * i);
        int glyph = range == 0 ? codePoint : u16(ranges + 2 * i + range + 2 * (codePoint - start));
        return glyph == 0 ? 0 : (glyph + delta) & 0xFFFF;
      }
    }
    return 0;
  }

  private int advance(int glyph) {
    return u16(tables.get("hmtx") + 4 * Math.min(glyph, metrics - 1));
  }

  private Path2D outline(int glyph) {
    int start = location(glyph);
    if (start == location(glyph + 1)) {
      return new Path2D.Double();
    }
    ByteBuffer in = file.duplicate().position(tables.get("glyf") + start);
    int contours = in.getShort();
    in.position(in.position() + 8);
    return contours < 0 ? composite(in) : simple(in, contours);
  }

  private int location(int glyph) {
    int loca = tables.get("loca");
    return longLocations ? file.getInt(loca + 4 * glyph) : 2 * u16(loca + 2 * glyph);
  }

  private Path2D composite(ByteBuffer in) {
    Path2D outline = new Path2D.Double();
    int flags;
    do {
      flags = in.getShort();
      int glyph = in.getShort() & 0xFFFF;
      boolean words = (flags & ARGUMENTS_ARE_WORDS) != 0;
      int dx = words ? in.getShort() : in.get();
      int dy = words ? in.getShort() : in.get();
      double[] scale = {1, 0, 0, 1};
      if ((flags & ONE_SCALE) != 0) {
        scale[0] = f2dot14(in);
        scale[3] = scale[0];
      } else if ((flags & TWO_SCALES) != 0) {
        scale[0] = f2dot14(in);
        scale[3] = f2dot14(in);
      } else if ((flags & FOUR_SCALES) != 0) {
        Arrays.setAll(scale, i -> f2dot14(in));
      }
      AffineTransform place = new AffineTransform(scale[0], scale[1], scale[2], scale[3], dx, dy);
      outline.append(outline(glyph).getPathIterator(place), false);
    } while ((flags & MORE_COMPONENTS) != 0);
    return outline;
  }

  private static Path2D simple(ByteBuffer in, int contours) {
    int[] ends = new int[contours];
    for (int i = 0; i < contours; i++) {
      ends[i] = in.getShort() & 0xFFFF;
    }
    int points = ends[contours - 1] + 1;
    int instructions = in.getShort() & 0xFFFF;
    in.position(in.position() + instructions);
    int[] flags = flags(in, points);
    int[] xs = coordinates(in, flags, X_SHORT, X_SAME_OR_POSITIVE);
    int[] ys = coordinates(in, flags, Y_SHORT, Y_SAME_OR_POSITIVE);
    Path2D outline = new Path2D.Double();
    int first = 0;
    for (int end : ends) {
      addContour(outline, flags, xs, ys, first, end);
      first = end + 1;
    }
    return outline;
  }

  private static int[] flags(ByteBuffer in, int points) {
    int[] flags = new int[points];
    int i = 0;
    while (i < points) {
      int flag = in.get();
      int repeats = (flag & REPEAT) != 0 ? in.get() & 0xFF : 0;
      for (int r = 0; r <= repeats; r++) {
        flags[i++] = flag;
      }
    }
    return flags;
  }

  private static int[] coordinates(ByteBuffer in, int[] flags, int isShort, int sameOrPositive) {
    int[] coordinates = new int[flags.length];
    int at = 0;
    for (int i = 0; i < flags.length; i++) {
      boolean bit = (flags[i] & sameOrPositive) != 0;
      if ((flags[i] & isShort) != 0) {
        int delta = in.get() & 0xFF;
        at += bit ? delta : -delta;
      } else if (!bit) {
        at += in.getShort();
      }
      coordinates[i] = at;
    }
    return coordinates;
  }

  /** Adds a closed contour; between two control points lies an implied point on the curve. */
  private static void addContour(
      Path2D outline, int[] flags, int[] xs, int[] ys, int first, int last) {
    int count = last - first + 1;
    boolean startsOn = (flags[first] & ON_CURVE) != 0;
    boolean endsOn = (flags[last] & ON_CURVE) != 0;
    if (startsOn || endsOn) {
      outline.moveTo(xs[startsOn ? first : last], ys[startsOn ? first : last]);
    } else {
      outline.moveTo((xs[first] + xs[last]) / 2.0, (ys[first] + ys[last]) / 2.0);
    }
    for (int i = startsOn ? 1 : 0; i < count; i++) {
      int point = first + i;
      int next = first + (i + 1) % count;
      if ((flags[point] & ON_CURVE) != 0) {
        outline.lineTo(xs[point], ys[point]);
      } else if ((flags[next] & ON_CURVE) != 0) {
        outline.quadTo(xs[point], ys[point], xs[next], ys[next]);
        i++;
      } else {
        double midX = (xs[point] + xs[next]) / 2.0;
        double midY = (ys[point] + ys[next]) / 2.0;
        outline.quadTo(xs[point], ys[point], midX, midY);
      }
    }
    outline.closePath();
  }

  private static double f2dot14(ByteBuffer in) {
    return in.getShort() / 16384.0;
  }

  private int u16(int position) {
    return file.getShort(position) & 0xFFFF;
  }
}
