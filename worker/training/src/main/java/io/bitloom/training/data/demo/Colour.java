package io.bitloom.training.data.demo;

import java.util.Locale;

/** Colours that things can be repainted in. */
public enum Colour {
  RED(4),
  YELLOW(50),
  GREEN(125),
  BLUE(212),
  PURPLE(275),
  PINK(325);

  private final double hue;

  Colour(double hue) {
    this.hue = hue;
  }

  /** Its hue in degrees. */
  double hue() {
    return hue;
  }

  /** The word for it. */
  public String word() {
    return name().toLowerCase(Locale.ROOT);
  }
}
