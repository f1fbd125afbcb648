package io.bitloom.training.data.demo;

import static io.bitloom.training.data.demo.Colour.BLUE;
import static io.bitloom.training.data.demo.Colour.GREEN;
import static io.bitloom.training.data.demo.Colour.PINK;
import static io.bitloom.training.data.demo.Colour.PURPLE;
import static io.bitloom.training.data.demo.Colour.RED;
import static io.bitloom.training.data.demo.Colour.YELLOW;

import java.util.List;
import java.util.Locale;

/** What the pictures show. The first colour of a thing that has colours is the drawing's own. */
public enum Thing {
  APPLE(RED, GREEN, YELLOW),
  BALLOON(RED, BLUE, GREEN, YELLOW),
  BIRD(BLUE),
  BUTTERFLY(BLUE, PURPLE),
  CACTUS(),
  CAR(RED, BLUE, GREEN, YELLOW),
  CAT(),
  DOG(),
  DOUGHNUT(),
  FISH(BLUE),
  FOX(),
  FROG(),
  GIFT(),
  HEART(RED, BLUE, PURPLE, GREEN),
  HOUSE(),
  MOON(),
  MUSHROOM(),
  PANDA(),
  PENGUIN(),
  SAILBOAT(),
  STAR(),
  STRAWBERRY(),
  SUN(),
  SUNFLOWER(),
  TREE(),
  TURTLE(),
  UMBRELLA(PURPLE, PINK),
  WATERMELON();

  private final List<Colour> colours;

  Thing(Colour... colours) {
    this.colours = List.of(colours);
  }

  /** The word for it, and the name of its drawing. */
  public String word() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The colours it comes in; none if it always looks the same. */
  public List<Colour> colours() {
    return colours;
  }
}
