package io.bitloom.client.output;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FileNamesTest {

  private final FileNames names = new FileNames();

  @ParameterizedTest
  @ValueSource(strings = {"cat", "Cat-01", "prompt-17", "a.b_c"})
  void aSafeCustomIdIsTheName(String customId) {
    assertEquals(customId + ".png", names.forPrompt(customId, 3, 1, "png")[0]);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "../../etc/passwd", "/etc/passwd", "..", ".", ".hidden", "a/b", "a\\b", "C:\\x", "CON",
        "nul.txt", "com1", "a\nb", "猫", "trailing.", "contact-sheet", "Manifest", "logs", "",
        "a:b", "a b", "\u0000"
      })
  void anUnsafeCustomIdBecomesASafeNameInsideTheFolder(String customId) {
    String name = names.forPrompt(customId, 3, 1, "png")[0];

    assertTrue(name.matches("[A-Za-z0-9_][A-Za-z0-9._-]*\\.png"), name);
    assertEquals(Path.of("out"), Path.of("out").resolve(name).normalize().getParent());
    assertFalse(name.matches("(?i)(con|nul|com1|contact-sheet|manifest|logs)\\..*"), name);
  }

  @Test
  void differentCustomIdsThatLookTheSameWhenMadeSafeKeepDifferentNames() {
    assertNotEquals(names.forPrompt("a/b", 1, 1, "png")[0], names.forPrompt("a:b", 2, 1, "png")[0]);
  }

  @Test
  void namesThatDifferOnlyInCaseAreKeptApartByTheOffset() {
    assertEquals("Cat.png", names.forPrompt("Cat", 1, 1, "png")[0]);
    assertEquals("cat-2.png", names.forPrompt("cat", 2, 1, "png")[0]);
  }

  @Test
  void severalImagesAreNumberedAndDoNotMeetAnotherPrompt() {
    assertArrayEquals(new String[] {"a_0.jpg", "a_1.jpg"}, names.forPrompt("a", 1, 2, "jpg"));
    assertEquals("a_1-2.jpg", names.forPrompt("a_1", 2, 1, "jpg")[0]);
  }

  @Test
  void aRepeatedCustomIdNeverTakesAnotherFile() {
    names.add("a.png");
    names.add("a-5.png");

    assertEquals("a-5.2.png", names.forPrompt("a", 5, 1, "png")[0]);
  }

  @Test
  void aLongCustomIdFitsEveryFileSystem() {
    String name = names.forPrompt("x".repeat(256), 1, 16, "png")[15];

    assertTrue(name.length() < 150, name);
    assertNotEquals(name, names.forPrompt("x".repeat(255), 2, 16, "png")[15]);
  }
}
