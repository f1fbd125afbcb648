package io.bitloom.common.prompt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class ParquetLinesTest {

  private static final CompressionCodecName PLAIN = CompressionCodecName.UNCOMPRESSED;
  private static final String COLUMNS =
      "required binary Caption (UTF8); optional int32 seed; optional int64 num_images;"
          + " optional double guidance; optional boolean greedy; optional binary picture;";
  private static final Map<String, String> MAPPING =
      Map.of(
          "caption", "prompt",
          "seed", "seed",
          "num_images", "num_images",
          "guidance", "guidance",
          "greedy", "greedy");

  @TempDir Path folder;

  private byte[] file(CompressionCodecName codec, int rows) throws IOException {
    return ParquetFiles.of(
        folder,
        COLUMNS,
        codec,
        rows,
        (row, i) -> {
          row.append("Caption", "a fox \u8a9e\n" + i);
          if (i % 2 == 0) {
            row.append("seed", i).append("num_images", 2L).append("guidance", 1.5);
            row.append("greedy", true).append("picture", "x".repeat(500));
          }
        });
  }

  private static String text(byte[] file, Map<String, String> mapping) throws IOException {
    try (InputStream lines = new ParquetLines("f", new MemoryBytes(file), mapping)) {
      return new String(lines.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  private static String refusal(byte[] file, Map<String, String> mapping) {
    return assertThrows(PromptFileException.class, () -> text(file, mapping)).getMessage();
  }

  @ParameterizedTest
  @EnumSource(names = {"UNCOMPRESSED", "GZIP", "SNAPPY", "ZSTD", "LZ4_RAW"})
  void aRowIsALineOfTheFieldsThatItHas(CompressionCodecName codec) throws IOException {
    List<String> lines = text(file(codec, 3000), MAPPING).lines().toList();
    assertEquals(
        IntStream.range(0, 3000)
            .mapToObj(
                i ->
                    "{\"prompt\":\"a fox \u8a9e\\n"
                        + i
                        + "\""
                        + (i % 2 == 0
                            ? ",\"seed\":"
                                + i
                                + ",\"num_images\":2,\"guidance\":1.5,\"greedy\":true"
                            : "")
                        + "}")
            .toList(),
        lines);
  }

  @Test
  void columnsThatNoPromptHasAreNamedUnlessTheyArePassedOver() throws IOException {
    byte[] file = file(PLAIN, 10);
    assertEquals("f: has columns that no prompt has: picture", refusal(file, Map.of()));
    assertEquals(
        "f: has no column key: Caption, seed, num_images, guidance, greedy, picture",
        refusal(file, Map.of("Caption", "prompt", "key", "custom_id")));
    assertEquals(10, text(file, Map.of("Caption", "prompt")).lines().count());
  }

  @ParameterizedTest
  @CsvSource({
    "repeated binary prompt (UTF8);",
    "required int96 prompt;",
    "required fixed_len_byte_array(3) prompt;",
    "required int32 prompt (DATE);",
    "required group prompt { required binary text (UTF8); }"
  })
  void aColumnOfAnotherKindIsNamed(String column) throws IOException {
    byte[] file = ParquetFiles.of(folder, column, PLAIN, 0, (row, i) -> {});
    String message = refusal(file, Map.of());
    assertTrue(message.contains("which is neither a text, a number nor a truth value"), message);
    assertTrue(message.contains(" prompt"), message);
  }

  @Test
  void whatDoesNotFitIntoTheMemoryIsRefused() throws IOException {
    byte[] file = file(PLAIN, 10);
    file[file.length - 5] = 0x7f; // of the footer's length
    assertTrue(refusal(file, MAPPING).contains("has a footer of "), refusal(file, MAPPING));
  }

  @Test
  void aFileThatIsCutOffOrOfAnotherKindIsNone() throws IOException {
    byte[] file = file(PLAIN, 100);
    assertEquals(
        "f: is no Parquet file, or not all of one",
        refusal(Arrays.copyOf(file, file.length - 1), MAPPING));
    assertEquals("f: is too short for a Parquet file: 5 bytes", refusal(new byte[5], MAPPING));
  }

  /** Whatever bytes are wrong, it is told of the file, and nothing else happens. */
  @Test
  void aDamagedFileIsReadOrRefused() throws IOException {
    byte[] file = file(CompressionCodecName.SNAPPY, 500);
    Random random = new Random(5);
    int refused = 0;
    for (int i = 0; i < 400; i++) {
      byte[] damaged = file.clone();
      for (int n = 0; n < 1 + i % 4; n++) {
        damaged[random.nextInt(damaged.length - 8)] = (byte) random.nextInt();
      }
      try {
        text(damaged, MAPPING);
      } catch (PromptFileException e) {
        refused++;
      }
    }
    assertTrue(refused > 50, refused + " were refused");
  }

  @Test
  void readingGoesOnWhereItWas() throws IOException {
    byte[] file = file(PLAIN, 400);
    PromptContent content = new PromptContent("f", PromptFormat.PARQUET, MAPPING, 1 << 20);
    PromptLineReader.Place place;
    try (PromptLineReader first = reader(content, file)) {
      for (int i = 0; i < 123; i++) {
        first.next();
      }
      place = first.place();
    }
    try (PromptLineReader next = reader(content, file)) {
      next.skipTo(place);
      PromptLineReader.NumberedPrompt prompt = next.next();
      assertEquals(124, prompt.line());
      assertTrue(prompt.prompt().getPrompt().endsWith("123"), prompt.toString());
    }
  }

  @Test
  void aSmallFileWithMuchInItIsNotReadToItsEnd() throws IOException {
    byte[] file = file(PLAIN, 400);
    PromptContent content = new PromptContent("f", PromptFormat.PARQUET, MAPPING, 1000);
    try (InputStream lines = content.open(new MemoryBytes(file))) {
      assertThrows(PromptFileException.class, lines::readAllBytes);
    }
  }

  private static PromptLineReader reader(PromptContent content, byte[] file) throws IOException {
    return new PromptLineReader(
        content.name(),
        content.open(new MemoryBytes(file)),
        content.format().syntax(),
        CustomIds.known(),
        prompt -> List.of(),
        bad -> {
          throw new AssertionError(bad.toString());
        });
  }
}
