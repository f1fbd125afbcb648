package io.bitloom.training.data.demo;

import java.awt.image.BufferedImage;

/** Paints the backdrops, each always the same way: what no caption says is not left to chance. */
final class Backdrops {
  /** Where stars and snowflakes are: x, y and size. */
  private static final double[][] SPECKS = {
    {0.06, 0.10, 1.0}, {0.17, 0.32, 0.7}, {0.27, 0.07, 0.8}, {0.36, 0.22, 1.1}, {0.46, 0.42, 0.7},
    {0.53, 0.13, 0.9}, {0.62, 0.30, 1.0}, {0.70, 0.08, 0.7}, {0.78, 0.44, 0.9}, {0.84, 0.19, 1.1},
    {0.93, 0.34, 0.8}, {0.97, 0.05, 0.9}, {0.10, 0.52, 0.8}, {0.31, 0.56, 0.9}, {0.66, 0.58, 0.7},
  };

  private Backdrops() {}

  /** Fills an image of RGB with a backdrop. */
  static void paint(Backdrop backdrop, BufferedImage image) {
    Painting painting = new Painting(image);
    switch (backdrop) {
      case MEADOW -> meadow(painting);
      case SEA -> sea(painting);
      case DESERT -> desert(painting);
      case NIGHT -> night(painting);
      case SNOW -> snow(painting);
      case SUNSET -> sunset(painting);
      case FOREST -> forest(painting);
      case ROOM -> room(painting);
    }
    painting.done();
  }

  private static void meadow(Painting painting) {
    painting
        .gradient(0, 0.75, 0x6fc3ff, 0xd9f2ff)
        .cloud(0.16, 0.17, 0.11, 0xf2ffffff)
        .cloud(0.68, 0.27, 0.085, 0xe6ffffff)
        .hills(0.60, 0.035, 1.0, 0, 0x9ddb72, 0x6cbf4a)
        .hills(0.74, 0.030, 0.8, 0.4, 0x6fca52, 0x3c9a3a);
  }

  private static void sea(Painting painting) {
    painting
        .gradient(0, 0.5, 0xaee3f7, 0xfdf6e3)
        .cloud(0.24, 0.2, 0.09, 0xd9ffffff)
        .gradient(0.5, 1, 0x2fb3cf, 0x0a4f86)
        .hills(0.64, 0.010, 3, 0, 0x24a0c4, 0x0c5c94)
        .hills(0.78, 0.012, 2.5, 0.3, 0x1a86b4, 0x0a4f86)
        .hills(0.91, 0.014, 2, 0.6, 0x1270a3, 0x083f72);
  }

  private static void desert(Painting painting) {
    painting
        .gradient(0, 0.7, 0xffd79a, 0xfff1cf)
        .hills(0.58, 0.040, 1.1, 0, 0xf5c573, 0xe3a24f)
        .hills(0.70, 0.045, 0.9, 0.45, 0xeaab55, 0xd18a3c)
        .hills(0.86, 0.030, 0.8, 0.1, 0xd9944a, 0xb87030);
  }

  private static void night(Painting painting) {
    painting.gradient(0, 0.85, 0x0a1238, 0x35488f);
    for (double[] speck : SPECKS) {
      painting.disc(speck[0], speck[1], 0.0075 * speck[2], 0xf0fff6d8);
    }
    painting
        .hills(0.76, 0.035, 1.1, 0, 0x1a2654, 0x121a3c)
        .hills(0.87, 0.025, 0.9, 0.5, 0x101836, 0x0a1026);
  }

  private static void snow(Painting painting) {
    painting
        .gradient(0, 0.7, 0x9fb6cf, 0xdfe9f3)
        .hills(0.58, 0.040, 1.0, 0, 0xd3e1ef, 0xb9cde2)
        .hills(0.70, 0.030, 0.9, 0.4, 0xffffff, 0xdce8f4);
    for (double[] speck : SPECKS) {
      painting.disc(speck[0], speck[1] * 1.5, 0.012 * speck[2], 0xe6ffffff);
    }
  }

  private static void sunset(Painting painting) {
    painting
        .gradient(0, 0.78, 0x4a2c7d, 0xb7477c, 0xff8450, 0xffd27f)
        .hills(0.74, 0.030, 1.0, 0, 0x6f2f66, 0x45204f)
        .hills(0.85, 0.025, 0.8, 0.5, 0x3f1f4c, 0x241333);
  }

  private static void forest(Painting painting) {
    painting.gradient(0, 0.75, 0xc6dcb4, 0x7fae83);
    for (int i = 0; i <= 8; i++) {
      painting.fir((i - 0.5) / 7.5, 0.72, 0.17, 0.50, 0x679c70);
    }
    painting.hills(0.70, 0.015, 1.0, 0, 0x5a8f63, 0x2f6b45);
    for (int i = 0; i <= 6; i++) {
      painting.fir((i - 0.5) / 5.5, 0.86, 0.22, 0.56, 0x2f6b45);
    }
    painting.hills(0.84, 0.015, 1.2, 0, 0x24593a, 0x143724);
  }

  private static void room(Painting painting) {
    painting
        .gradient(0, 0.76, 0xffdbe6, 0xffb6cd)
        .gradient(0.76, 0.785, 0xfff3f6, 0xfff3f6)
        .gradient(0.785, 1, 0xd97b9c, 0xb95a80)
        .ellipse(0.5, 0.9, 0.5, 0.08, 0x40ffffff);
  }
}
