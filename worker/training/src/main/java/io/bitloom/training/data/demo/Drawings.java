package io.bitloom.training.data.demo;

import com.github.weisj.jsvg.SVGDocument;
import com.github.weisj.jsvg.parser.LoaderContext;
import com.github.weisj.jsvg.parser.SVGLoader;
import com.github.weisj.jsvg.view.ViewBox;
import java.awt.Component;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.net.URL;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** The things as pictures with transparency, at any size; rendered once each. */
final class Drawings {
  /** Colours this far from the drawing's own, in degrees of hue, are repainted with it. */
  private static final double HUE_WINDOW = 42;

  private static final double LEAST_SATURATION = 0.18;

  /**
   * Repainted parts are less saturated and brighter: dark oranges look brown, pure greens glare.
   */
  private static final float CALM = 0.86f;

  private static final double VIVIDNESS = 0.6;

  private final Map<Thing, SVGDocument> documents = new EnumMap<>(Thing.class);
  private final Map<Key, BufferedImage> rendered = new ConcurrentHashMap<>();

  private record Key(Subject subject, int side) {}

  Drawings() {
    SVGLoader loader = new SVGLoader();
    for (Thing thing : Thing.values()) {
      URL file = Drawings.class.getResource("things/" + thing.word() + ".svg");
      documents.put(thing, loader.load(file, LoaderContext.createDefault()));
    }
  }

  /** The drawing of a thing, side × side pixels of ARGB; not to be written to. */
  BufferedImage of(Subject subject, int side) {
    return rendered.computeIfAbsent(new Key(subject, side), this::render);
  }

  private BufferedImage render(Key key) {
    BufferedImage image = new BufferedImage(key.side, key.side, BufferedImage.TYPE_INT_ARGB);
    Graphics2D graphics = Painting.on(image);
    // The renderer of a document keeps state, and threads share the documents.
    synchronized (documents) {
      documents
          .get(key.subject.thing())
          .render((Component) null, graphics, new ViewBox(0, 0, key.side, key.side));
    }
    graphics.dispose();
    if (!key.subject.isNatural()) {
      repaint(image, key.subject);
    }
    return image;
  }

  private static void repaint(BufferedImage image, Subject subject) {
    double from = subject.thing().colours().get(0).hue();
    double to = subject.colour().orElseThrow().hue();
    for (int y = 0; y < image.getHeight(); y++) {
      for (int x = 0; x < image.getWidth(); x++) {
        image.setRGB(x, y, withHue(image.getRGB(x, y), from, to));
      }
    }
  }

  private static int withHue(int argb, double from, double to) {
    float[] hsb =
        java.awt.Color.RGBtoHSB((argb >> 16) & 0xff, (argb >> 8) & 0xff, argb & 0xff, null);
    double distance = (hsb[0] * 360 - from + 540) % 360 - 180;
    if (Math.abs(distance) > HUE_WINDOW || hsb[1] < LEAST_SATURATION) {
      return argb;
    }
    double hue = (to + distance / 2 + 360) % 360 / 360;
    float brightness = (float) StrictMath.pow(hsb[2], VIVIDNESS);
    int rgb = java.awt.Color.HSBtoRGB((float) hue, CALM * hsb[1], brightness);
    return argb & 0xff000000 | rgb & 0xffffff;
  }
}
