package io.bitloom.engine.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.engine.tensor.WeightsException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class WordVocabularyTest {
  @TempDir private Path folder;

  private final WordVocabulary vocabulary =
      WordVocabulary.ofTexts(Stream.of("a red fox, a dog", "A red apple", "a fox"), 4);

  @Test
  void theCommonestWordsHaveIdsAndTheRestIsSpelledInBytes() {
    assertEquals(257 + 4, vocabulary.size()); // a, fox, red, ","
    assertArrayEquals(new long[] {257, 259, 258, 0}, vocabulary.ids("A  RED\tfox", 77));
    assertArrayEquals(
        new long[] {257, 1 + 'c', 1 + 'a', 1 + 't', 33, 260, 258, 0},
        vocabulary.ids("a cat,fox", 77));
    assertArrayEquals(new long[] {1 + 0xc3, 1 + 0xa9, 33, 0}, vocabulary.ids("E\u0301", 77));
    assertArrayEquals(
        new long[] {1 + 0xf0, 1 + 0x9f, 1 + 0xa6, 1 + 0x8a, 33, 0}, vocabulary.ids("🦊", 77));
    assertArrayEquals(new long[] {0}, vocabulary.ids(" \n", 77));
  }

  @Test
  void aLongTextIsCutAndKeepsItsEnd() {
    assertArrayEquals(new long[] {257, 259, 0}, vocabulary.ids("a red fox", 3));
    assertArrayEquals(new long[] {0}, vocabulary.ids("a red fox", 1));
    assertEquals(9, vocabulary.ids("unheard ".repeat(100_000), 9).length);
  }

  @Test
  void whatWasWrittenIsReadAgain() throws IOException {
    Path file = folder.resolve("words.txt");
    vocabulary.write(file);
    assertArrayEquals(
        vocabulary.ids("a red fox, a cat", 77),
        WordVocabulary.read(file).ids("a red fox, a cat", 77));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          fox;two words | line 2: "two words" is not one word in lower case
          fox;Dog       | line 2: "Dog" is not one word in lower case
          fox;;dog      | line 2: "" is not one word
          fox;dog;fox   | line 3: "fox" occurs twice
          """)
  void aLineThatIsNoWordIsNamed(String lines, String message) throws IOException {
    Path file = Files.writeString(folder.resolve("words.txt"), lines.replace(';', '\n'));
    String found =
        assertThrows(WeightsException.class, () -> WordVocabulary.read(file)).getMessage();
    assertTrue(found.startsWith(file + ": " + message), found);
  }

  @Test
  void aFileThatIsNotTextIsRefused() throws IOException {
    Path file = Files.write(folder.resolve("words.txt"), new byte[] {(byte) 0xff, 'a'});
    String found =
        assertThrows(WeightsException.class, () -> WordVocabulary.read(file)).getMessage();
    assertTrue(found.contains("is not UTF-8"), found);
  }
}
