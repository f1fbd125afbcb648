package io.bitloom.coordinator.chores;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.bitloom.common.prompt.PromptLineReader;
import org.junit.jupiter.api.Test;

class InputPlaceTest {

  @Test
  void aPlaceIsReadAsItWasWritten() {
    InputPlace place =
        InputPlace.append("\"tag with space\"", 9).at(5, new PromptLineReader.Place(7, 1L << 40));
    assertEquals(place, InputPlace.parse(place.toString()));
    assertEquals(InputPlace.START, InputPlace.parse(InputPlace.START.toString()));
    assertEquals(place.refused(), InputPlace.parse(place.refused().toString()));
  }

  @Test
  void whatNobodyHasBegunBeginsAtTheStart() {
    assertEquals(InputPlace.START, InputPlace.parse(""));
  }
}
