package io.bitloom.engine.text;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PositivePromptTest {

  @ParameterizedTest
  @ValueSource(
      strings = {"an old man", "two women", "a man and a woman", "a schoolgirl reads", "a mango"})
  void aTextThatSpeaksOfPeopleGetsTheOfficialWordsOnce(String text) {
    assertEquals(
        text
            + ". very smooth faces, good looking faces, face to the camera, perfect facial"
            + " features",
        PositivePrompt.of(text));
  }

  @ParameterizedTest
  @ValueSource(strings = {"a red fox", "", "A MAN IN CAPITALS", "Mоther with a Cyrillic о"})
  void anotherTextStaysAsItIs(String text) {
    assertEquals(text, PositivePrompt.of(text));
  }
}
