package io.bitloom.common.prompt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.bitloom.common.prompt.PromptLineReader.BadLine;
import io.bitloom.common.prompt.PromptLineReader.NumberedPrompt;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Files of prompts as they come from other programs. */
class PromptFileKindsTest {

  /** {@code ../shared/cases} from the repository's root, which is the parent of this module. */
  private static final Path CASES =
      Path.of("").toAbsolutePath().getParent().resolveSibling("shared").resolve("cases/prompts");

  private static final String TWO = "{\"prompt\": \"café 🦊\"}\r\n{\"prompt\": \"thé\"}\r\n";

  private final List<BadLine> badLines = new ArrayList<>();
  private List<String> notes;

  @ParameterizedTest
  @CsvSource({
    "UTF-16LE, true", "UTF-16LE, false", "UTF-16BE, true", "UTF-16BE, false",
    "UTF-32LE, true", "UTF-32LE, false", "UTF-32BE, true", "UTF-32BE, false",
  })
  void wideEncodingsAreReadAndSaid(String name, boolean mark) throws IOException {
    byte[] file = ((mark ? "\uFEFF" : "") + TWO).getBytes(Charset.forName(name));

    assertEquals(List.of("café 🦊", "thé"), read(file));
    assertEquals(List.of("read as " + name), notes);
    assertEquals(List.of(), badLines);
  }

  @Test
  void aLongWideFileIsReadToItsEnd() throws IOException {
    String line = "{\"prompt\": \"" + "ß🦊".repeat(700) + "\"}\n";

    assertEquals(100, read(line.repeat(100).getBytes(StandardCharsets.UTF_16)).size());
    assertEquals(List.of(), badLines);
  }

  @Test
  void whatIsMalformedInAWideFileIsABadLineOfItsOwn() throws IOException {
    byte[] file = ("\uFEFF" + TWO + "{\"prompt\": \"x\"}").getBytes(StandardCharsets.UTF_16LE);
    int x = file.length - 6;
    file[x] = 0;
    file[x + 1] = (byte) 0xDC; // the second half of a pair, alone

    assertEquals(2, read(file).size());
    assertEquals("prompts.jsonl:3: not valid UTF-16LE", badLines.get(0).toString());
  }

  @Test
  void aMarkOfUtf8IsPassedOverWithoutAWord() throws IOException {
    assertEquals(2, read(("\uFEFF" + TWO).getBytes(StandardCharsets.UTF_8)).size());
    assertEquals(List.of(), notes);
  }

  @ParameterizedTest
  @ValueSource(strings = {"windows-1252", "ISO-8859-15", "Shift_JIS"})
  void linesInAnotherEncodingAreAllOfOneKind(String name) throws IOException {
    String text = name.equals("Shift_JIS") ? "猫" : "thé";
    String line = "{\"prompt\": \"" + text + "\"}\n";

    assertEquals(List.of(), read(line.repeat(3).getBytes(Charset.forName(name))));
    assertEquals(3, badLines.size());
    assertTrue(badLines.get(0).message().contains("iconv"), badLines.get(0).message());
    assertTrue(badLines.stream().allMatch(bad -> bad.kind().equals("not valid UTF-8")));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"prompt\": \"a\"}\r{\"prompt\": \"b\"}\r",
        "{\"prompt\": \"a\"}\r{\"prompt\": \"b\"}",
        "\r\r{\"prompt\": \"a\"}\r\r{\"prompt\": \"b\"}\r"
      })
  void linesMayEndInCrAlone(String file) throws IOException {
    assertEquals(List.of("a", "b"), read(file.getBytes(StandardCharsets.UTF_8)));
    assertEquals(List.of("its lines end in CR alone"), notes);
  }

  @Test
  void controlCharactersAreCountedOnceForTheFile() throws IOException {
    String file =
        "{\"prompt\": \"a\"}\n{\"prompt\": \"b\\u0085c\u2028d\"}\n"
            + "{\"prompt\": \"e\", \"negative_prompt\": \"\0\"}\n";

    assertEquals(3, read(file.getBytes(StandardCharsets.UTF_8)).size());
    assertEquals(
        List.of("3 control characters in 2 prompts became spaces, first in line 2"), notes);
  }

  @Test
  void fieldsOfABatchThatMeanNothingHereAreNamedOnce() throws IOException {
    String line =
        "{\"method\":\"POST\",\"url\":\"/v1/images/generations\","
            + "\"body\":{\"prompt\":\"a\",\"model\":\"m\"}}\n";

    assertEquals(3, read(line.repeat(3).getBytes(StandardCharsets.UTF_8)).size());
    assertEquals(
        List.of("body.model has no use here and was passed over in 3 lines, first in line 1"),
        notes);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "[{\"prompt\": \"a\"}]                       |is a JSON array",
        "[\n  {\"prompt\": \"a\"},\n{\"prompt\": \"b\"}\n]|is a JSON array",
        "[\"a\", \"b\"]                              |is a JSON array",
        "{\n  \"prompt\": \"a\"\n}                    |over several lines",
        "\"{\"\"prompt\"\": \"\"a\"\"}\"\n                |in the quotes of CSV",
        "prompt,seed\n\"a, b\",7                    |is a table (CSV)",
        "\"id\";\"Caption\"\n1;a                     |is a table (CSV)",
        "seed\tprompt\n1\ta                         |is a table (CSV)",
        "a red fox\na blue fox\n                   |no line that is a JSON object",
        "<!DOCTYPE html>\n<html>                   |is a web page",
        "version https://git-lfs.github.com/spec/v1\noid|is a Git LFS pointer",
        "PK\u0003\u0004xyz                          |is a ZIP archive",
        "PAR1xyz                                   |is a Parquet file",
        "BZh91AY                                   |compressed by bzip2",
        "\u0001\u0002\0\u0003\0                       |is not a text file",
        "\0\0\0\0\0\0\0\0                              |is not a text file",
      })
  void whatIsNoFileOfPromptsIsSaidOnce(String fileAndProblem) {
    String[] parts = fileAndProblem.split(" *\\|", 2);

    PromptFileException e =
        assertThrows(
            PromptFileException.class, () -> read(parts[0].getBytes(StandardCharsets.UTF_8)));

    assertTrue(e.getMessage().startsWith("prompts.jsonl: "), e.getMessage());
    assertTrue(e.getMessage().contains(parts[1]), e.getMessage());
    assertFalse(e.getMessage().contains("\n"), e.getMessage());
    assertEquals(List.of(), badLines);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "\n\n", "  ", "\uFEFF"})
  void anEmptyFileHasNoPromptsAndNoFault(String file) throws IOException {
    assertEquals(List.of(), read(file.getBytes(StandardCharsets.UTF_8)));
  }

  /** The one in UTF-16 was cut off in its last line. */
  @ParameterizedTest
  @CsvSource({"three.jsonl, 3, 0", "utf16.jsonl, 17, 1", "openai-batch.jsonl, 3, 0"})
  void theSharedCasesAreRead(String name, int prompts, int cutOff) throws IOException {
    Path file = CASES.resolve(name);
    assumeTrue(Files.isRegularFile(file), "skipped: there is no " + file);

    assertEquals(prompts, read(Files.readAllBytes(file)).size());
    assertEquals(cutOff, badLines.size());
  }

  private List<String> read(byte[] file) throws IOException {
    List<String> texts = new ArrayList<>();
    try (PromptLineReader reader =
        new PromptLineReader(
            "prompts.jsonl",
            new ByteArrayInputStream(file),
            PromptRules.defaults()::check,
            badLines::add)) {
      for (NumberedPrompt p = reader.next(); p != null; p = reader.next()) {
        texts.add(p.prompt().getPrompt());
      }
      notes = reader.notes().sentences();
    }
    return texts;
  }
}
