package io.bitloom.training.data.demo;

import java.util.List;

/** Where the things are. */
public enum Backdrop {
  MEADOW("in a green meadow", "on a meadow under a blue sky", "in the grass"),
  SEA("by the sea", "at the blue sea", "in front of the ocean"),
  DESERT("in the desert", "in a sandy desert", "among desert dunes"),
  NIGHT("at night", "under a starry night sky", "in a starry night"),
  SNOW("in the snow", "in a snowy landscape", "on a snowy winter day"),
  SUNSET("at sunset", "under a sunset sky", "in the evening at sunset"),
  FOREST("in a forest", "in the dark green forest", "in front of forest trees"),
  ROOM("in a pink room", "in front of a pink wall", "in a room with pink walls");

  private final List<String> phrases;

  Backdrop(String... phrases) {
    this.phrases = List.of(phrases);
  }

  /** Ways to say it. */
  public List<String> phrases() {
    return phrases;
  }
}
