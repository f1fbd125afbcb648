package io.bitloom.common.prompt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PromptContentTest {

  private static final String LINES =
      "{\"prompt\": \"a\"}\r\n\n{\"prompt\": \"\u8a9e\"}\n{\"prompt\": \"c\"}";
  private static final String TABLE = "Caption,n\n\"a\nb\",1\n,\nc,2\nd,3\n";

  private static PromptLineReader reader(PromptContent text, byte[] bytes) throws IOException {
    InputStream lines = text.open(new MemoryBytes(bytes));
    return new PromptLineReader(
        text.name(),
        lines,
        text.format().syntax(),
        CustomIds.known(),
        prompt -> List.of(),
        bad -> {
          throw new AssertionError(bad.toString());
        });
  }

  private static List<String> rest(PromptLineReader reader) throws IOException {
    List<String> prompts = new ArrayList<>();
    for (var next = reader.next(); next != null; next = reader.next()) {
      prompts.add(next.line() + " " + next.prompt().getPrompt());
    }
    return prompts;
  }

  private static void assertGoesOnEverywhere(PromptContent text, byte[] bytes) throws IOException {
    List<String> all = rest(reader(text, bytes));
    assertTrue(all.size() > 2, all.toString());
    try (PromptLineReader first = reader(text, bytes)) {
      for (int read = 1; read <= all.size(); read++) {
        first.next();
        PromptLineReader next = reader(text, bytes);
        next.skipTo(first.place());
        assertEquals(all.subList(read, all.size()), rest(next));
        assertEquals(first.place().line(), Long.parseLong(all.get(read - 1).split(" ")[0]));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"UTF-8", "UTF-16LE"})
  void readingGoesOnBehindAnyLine(String charset) throws IOException {
    assertGoesOnEverywhere(new PromptContent("p", PromptFormat.JSONL), LINES.getBytes(charset));
    assertGoesOnEverywhere(
        new PromptContent("p", PromptFormat.JSONL), ("\ufeff" + LINES).getBytes(charset));
    assertGoesOnEverywhere(
        new PromptContent("p", PromptFormat.TXT), "one\rtwo\r\rthree\rfour".getBytes(charset));
    assertGoesOnEverywhere(
        new PromptContent("p", PromptFormat.CSV, Map.of("caption", "prompt"), 1000),
        TABLE.getBytes(charset));
  }

  @Test
  void readingGoesOnInCompressedText() throws IOException {
    assertGoesOnEverywhere(new PromptContent("p", PromptFormat.JSONL), gzip(LINES));
  }

  private static byte[] gzip(String text) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (GZIPOutputStream out = new GZIPOutputStream(bytes)) {
      out.write(text.getBytes(StandardCharsets.UTF_8));
    }
    return bytes.toByteArray();
  }

  @Test
  void columnsAreMappedToFieldsAndOthersPassedOver() throws IOException {
    byte[] table = "A,b,Other\nfox,7,x\n".getBytes(StandardCharsets.UTF_8);
    PromptContent text =
        new PromptContent("t", PromptFormat.CSV, Map.of("a", "prompt", "B", "seed"), 1000);
    var prompt = reader(text, table).next().prompt();
    assertEquals("fox", prompt.getPrompt());
    assertEquals(7, prompt.getSeed());

    PromptContent missing =
        new PromptContent("t", PromptFormat.CSV, Map.of("a", "prompt", "c", "seed"), 1000);
    String message =
        assertThrows(PromptFileException.class, () -> reader(missing, table)).getMessage();
    assertTrue(message.contains("has no column c in its first row: A, b, Other"), message);
    PromptContent twice =
        new PromptContent("t", PromptFormat.CSV, Map.of("a", "prompt", "b", "prompt"), 1000);
    assertThrows(PromptFileException.class, () -> reader(twice, table));
  }

  @Test
  void aSmallFileWithMuchInItIsNotReadToItsEnd() throws IOException {
    byte[] bomb = gzip(LINES + " ".repeat(100_000));
    PromptContent text = new PromptContent("p", PromptFormat.JSONL, Map.of(), 99_000);
    String message =
        assertThrows(PromptFileException.class, () -> rest(reader(text, bomb))).getMessage();
    assertEquals("p: has more than 99000 bytes when it is uncompressed", message);
  }
}
