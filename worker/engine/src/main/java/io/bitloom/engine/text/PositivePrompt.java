package io.bitloom.engine.text;

import java.util.List;

/**
 * Words for pleasant faces, added to texts that speak of people: the option {@code
 * enable_positive_prompt} of the official inference code, whose words and rule these are. The rule
 * looks for letters, not for words, so a mango counts as well.
 */
public final class PositivePrompt {
  private static final List<String> PEOPLE =
      List.of(
          "man",
          "woman",
          "men",
          "women",
          "boy",
          "girl",
          "child",
          "person",
          "human",
          "adult",
          "teenager",
          "employee",
          "employer",
          "worker",
          "mother",
          "father",
          "sister",
          "brother",
          "grandmother",
          "grandfather",
          "son",
          "daughter");

  private static final String ADDED =
      ". very smooth faces, good looking faces, face to the camera, perfect facial features";

  private PositivePrompt() {}

  /** The text with the words added if it speaks of people, else the text as it is. */
  public static String of(String text) {
    return PEOPLE.stream().anyMatch(text::contains) ? text + ADDED : text;
  }
}
