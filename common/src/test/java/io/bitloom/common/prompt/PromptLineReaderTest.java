package io.bitloom.common.prompt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.prompt.PromptLineReader.BadLine;
import io.bitloom.common.prompt.PromptLineReader.NumberedPrompt;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class PromptLineReaderTest {

  private final List<BadLine> badLines = new ArrayList<>();

  @Test
  void oneReadingNamesEveryBadLineAndKeepsTheGoodOnes() throws IOException {
    List<NumberedPrompt> good =
        read(
            """
            {"prompt": "first"}
            {"prompt": "second", "colour": "red"}

            not json
            {"prompt": "fifth"}""");

    assertEquals(List.of(1L, 5L), good.stream().map(NumberedPrompt::line).toList());
    assertEquals(
        List.of(
            "prompts.jsonl:2: colour is not a known field: \"red\"",
            "prompts.jsonl:4: not valid JSON at column 1"),
        badLines.stream().map(BadLine::toString).toList());
  }

  @Test
  void aRepeatedCustomIdNamesTheEarlierLine() throws IOException {
    read(
        """
        {"custom_id": "a", "prompt": "x"}
        {"custom_id": "b", "prompt": "x"}
        {"custom_id": "a", "prompt": "y"}
        """);

    assertEquals(
        List.of("prompts.jsonl:3: custom_id is the same as in line 1: \"a\""),
        badLines.stream().map(BadLine::toString).toList());
  }

  @Test
  void aByteOrderMarkAndWindowsLineEndsDoNotMatter() throws IOException {
    List<NumberedPrompt> good = read("\uFEFF{\"prompt\": \"x\"}\r\n\r\n{\"prompt\": \"y\"}\r\n");

    assertEquals(List.of(1L, 3L), good.stream().map(NumberedPrompt::line).toList());
    assertTrue(badLines.isEmpty());
  }

  @Test
  void bytesThatAreNotUtf8AreABadLine() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    bytes.writeBytes("{\"prompt\": \"caf".getBytes(StandardCharsets.UTF_8));
    bytes.write(0xe9);
    bytes.writeBytes("\"}\n{\"prompt\": \"tea\"}".getBytes(StandardCharsets.UTF_8));

    List<NumberedPrompt> good = read(new ByteArrayInputStream(bytes.toByteArray()));

    assertEquals(1, good.size());
    assertTrue(
        badLines.get(0).toString().startsWith("prompts.jsonl:1: not valid UTF-8: byte E9 at 16"),
        badLines.get(0).toString());
    assertEquals("not valid UTF-8", badLines.get(0).kind());
  }

  @Test
  void anOverLongLineIsPassedOverAndTheNextOneIsRead() throws IOException {
    String fits = "{\"prompt\": \"x\"" + " ".repeat(PromptLine.MAX_BYTES - 15) + "}";
    List<NumberedPrompt> good = read(fits + "\n" + fits + " \n{\"prompt\": \"y\"}");

    assertEquals(List.of(1L, 3L), good.stream().map(NumberedPrompt::line).toList());
    assertEquals(
        "prompts.jsonl:2: the line is longer than 1048576 bytes", badLines.get(0).toString());
  }

  @Test
  void amongAHundredThousandCustomIdsOnlyTheRepeatedOnesAreBad() throws IOException {
    StringBuilder file = new StringBuilder();
    for (int i = 0; i < 100_000; i++) {
      int id = i % 10_000 == 9_999 ? i - 9_999 : i;
      file.append("{\"custom_id\":\"id-").append(id).append("\",\"prompt\":\"x\"}\n");
    }

    assertEquals(99_990, read(file.toString()).size());
    assertEquals(10, badLines.size());
    assertEquals(100_000, badLines.get(9).line());
    assertTrue(badLines.get(9).toString().contains("line 90001"), badLines.get(9).toString());
  }

  @Test
  void aValueThatTheRulesRefuseNamesTheFieldAsTheLineHasIt() throws IOException {
    read("{\"prompt\": \"x\", \"size\": \"9M\", \"guidance\": 99}");

    BadLine bad = badLines.get(0);
    assertEquals("size", bad.field());
    assertEquals("9M", bad.value());
    assertTrue(bad.message().contains("; guidance must be"), bad.message());
  }

  private List<NumberedPrompt> read(String file) throws IOException {
    return read(new ByteArrayInputStream(file.getBytes(StandardCharsets.UTF_8)));
  }

  private List<NumberedPrompt> read(InputStream file) throws IOException {
    List<NumberedPrompt> good = new ArrayList<>();
    try (PromptLineReader reader =
        new PromptLineReader("prompts.jsonl", file, PromptRules.defaults()::check, badLines::add)) {
      for (NumberedPrompt p = reader.next(); p != null; p = reader.next()) {
        good.add(p);
      }
    }
    return good;
  }
}
