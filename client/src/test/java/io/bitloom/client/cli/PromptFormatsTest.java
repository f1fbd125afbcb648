package io.bitloom.client.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.airlift.compress.zstd.ZstdOutputStream;
import io.bitloom.client.input.PromptInput;
import io.bitloom.common.prompt.PromptFileException;
import io.bitloom.v1.Prompt;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

/** Prompts as text, as tables, compressed and in folders. */
class PromptFormatsTest {

  private static final String JSON = "{\"prompt\": \"a\"}\n{\"prompt\": \"b\"}\n";

  @TempDir Path folder;

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @Test
  void aTextHasAPromptALine() throws IOException {
    write("p.txt", "a red fox, asleep\r\n\r\n  \"quoted\" #1 \r\nwith\u0085control\n");

    assertEquals(
        List.of("a red fox, asleep", "\"quoted\" #1", "with\u0085control"), prompts("p.txt"));
    assertEquals(0, check("p.txt"));
    assertTrue(err.toString().contains("1 control character in 1 prompt"), err.toString());
    assertTrue(err.toString().contains("first in line 4"), err.toString());
  }

  @Test
  void aTableNamesItsFieldsInItsFirstRow() throws IOException {
    write(
        "p.csv",
        """
        custom_id,Caption,seed,guidance,num_images,greedy,aspect_ratio,
        a,"a fox, ""red""
        and asleep",7,"[1,2,3,4,5,6,7]",2,true,3:2,1

        b,plain,,4,,,,
        """);

    List<Prompt> prompts = read("p.csv");

    assertEquals("a fox, \"red\"\nand asleep", prompts.get(0).getPrompt());
    assertEquals(7, prompts.get(0).getSeed());
    assertEquals(7, prompts.get(0).getSampling().getGuidanceCount());
    assertEquals(2, prompts.get(0).getNumImages());
    assertTrue(prompts.get(0).getSampling().getGreedy());
    assertEquals("3:2", prompts.get(0).getAspectRatio());
    assertEquals(
        Prompt.newBuilder()
            .setCustomId("b")
            .setPrompt("plain")
            .setSampling(prompts.get(1).getSampling())
            .build(),
        prompts.get(1));
  }

  @ParameterizedTest
  @CsvSource({"p.csv, ;, UTF-8", "p.tsv, TAB, UTF-8", "p.csv, ;, UTF-16LE", "p.csv, TAB, UTF-16BE"})
  void aTableMayHaveOtherDelimitersAndEncodings(String name, String delimiter, String charset)
      throws IOException {
    String table =
        "\uFEFFprompt;seed\r\n\"été, d'or\";5\r\n".replace(";", delimiter.replace("TAB", "\t"));
    Files.write(folder.resolve(name), table.getBytes(Charset.forName(charset)));

    assertEquals(List.of("été, d'or"), prompts(name));
    assertEquals(5, read(name).get(0).getSeed());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "seed,size\\n1,1M|p.csv: has no column prompt (or caption, or text) in its first row: seed, size",
        "prompt,url,width\\na,b,1|p.csv: has columns that no prompt has: url, width",
        "prompt,text\\na,b|p.csv: has two columns for prompt",
        "prompt,seed\\na,x|p.csv:2: seed must be a whole number",
        "prompt,seed\\n\"a\\nb\",1\\nc,1.5|p.csv:4: seed must be a whole number",
        "prompt\\na\\n\\nb,c|p.csv:4: column 2 is not a known field: \"c\"",
        "prompt,size\\na,9M|p.csv:2: size must be one of",
        "prompt,seed\\n,7|p.csv:2: prompt is missing",
        "prompt\\n\"a\" b|p.csv: is no table that can be read: ",
        "prompt\\n\"a|p.csv: is no table that can be read: ",
        "prompt,seed|no prompts in",
        "xx\u0000yy|p.csv: is not a text file",
      })
  void whatIsWrongWithATableIsSaidByFileAndLine(String table, String complaint) throws IOException {
    write("p.csv", table.replace("\\n", "\n"));

    assertEquals(2, check("p.csv"), out.toString());
    assertTrue(err.toString().contains(complaint), err.toString());
  }

  @Test
  void aQuoteThatIsNotClosedDoesNotFillTheMemory() throws IOException {
    write("p.csv", "prompt\na\n\"" + "b\n".repeat(1 << 20));

    assertEquals(2, check("p.csv"));
    assertTrue(err.toString().contains("a row is longer than 1048576 bytes"), err.toString());
  }

  @Test
  void aTableInAnotherEncodingIsNamed() throws IOException {
    Files.write(folder.resolve("p.csv"), "prompt\na\nthé\n".getBytes(StandardCharsets.ISO_8859_1));

    assertEquals(2, check("p.csv"));
    assertTrue(err.toString().contains("p.csv: is not valid UTF-8 after line "), err.toString());
  }

  @ParameterizedTest
  @ValueSource(strings = {"p.jsonl.gz", "p.jsonl.zst", "p.anything", "p.JSONL.GZ"})
  void compressedFilesAreReadWhateverTheirName(String name) throws IOException {
    Files.write(folder.resolve(name), name.endsWith("zst") ? zst(JSON) : gz(JSON));

    assertEquals(List.of("a", "b"), prompts(name));
  }

  @Test
  void severalCompressedFilesInOneAreOne() throws IOException {
    ByteArrayOutputStream two = new ByteArrayOutputStream();
    two.writeBytes(gz(JSON));
    two.writeBytes(gz("{\"prompt\": \"c\"}\n"));
    Files.write(folder.resolve("p.jsonl.gz"), two.toByteArray());

    assertEquals(List.of("a", "b", "c"), prompts("p.jsonl.gz"));
  }

  @Test
  void compressedTablesAndTextsAreThatToo() throws IOException {
    Files.write(folder.resolve("p.csv.zst"), zst("prompt\na\n"));
    Files.write(folder.resolve("p.txt.gz"), gz("b\n"));

    assertEquals(List.of("a"), prompts("p.csv.zst"));
    assertEquals(List.of("b"), prompts("p.txt.gz"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"gz", "zst"})
  void aCompressedFileThatIsCutOffIsNamed(String kind) throws IOException {
    String lines = JSON.repeat(20_000);
    byte[] whole = kind.equals("gz") ? gz(lines) : zst(lines);
    write("p.jsonl." + kind, "");
    Files.write(folder.resolve("p.jsonl." + kind), Arrays.copyOf(whole, whole.length - 9));

    assertEquals(2, check("p.jsonl." + kind), out.toString());
    assertTrue(err.toString().contains("." + kind + ": cannot be uncompressed"), err.toString());
  }

  @Test
  void theFilesOfAFolderAreReadByTheirNames() throws IOException {
    write("in/b.txt", "second\n");
    write("in/a.jsonl", "{\"custom_id\": \"x\", \"prompt\": \"first\"}\n");
    write("in/c.csv", "prompt\nthird\n");
    write("in/.hidden.jsonl", "nonsense");
    write("in/readme.md", "nonsense");
    write("in/deeper/d.jsonl", "nonsense");

    assertEquals(List.of("first", "second", "third"), prompts("in"));
    assertEquals(0, check("in"), err.toString());
    assertTrue(out.toString().contains("in: 3 prompts"), out.toString());
  }

  @Test
  void aNameThatTwoFilesOfAFolderHaveIsRefused() throws IOException {
    write("in/a.jsonl", "\n\n{\"custom_id\": \"x\", \"prompt\": \"a\"}\n\n");
    write("in/b.jsonl", "");
    write("in/c.jsonl", "{\"prompt\": \"b\"}\n{\"custom_id\": \"x\", \"prompt\": \"c\"}\n");

    assertEquals(2, check("in"));
    assertTrue(
        err.toString()
            .contains("c.jsonl:2: custom_id is the same as in line 3 of " + folder + "/in/a.jsonl"),
        err.toString());
  }

  @Test
  void aFolderWithoutPromptsIsRefused() throws IOException {
    write("in/readme.md", "nothing");

    assertEquals(2, check("in"));
    assertTrue(err.toString().contains("in: is a folder without files named .jsonl"));
  }

  @Test
  void theFormatMayBeSaid() throws IOException {
    write("p", "prompt\na\n");

    assertEquals(0, check("p", "--input-format=csv"), err.toString());
    assertTrue(out.toString().contains("p: 1 prompt,"), out.toString());
    assertEquals(0, check("p", "--input-format=txt"), err.toString());
    assertTrue(out.toString().contains("p: 2 prompts,"), out.toString());
    assertEquals(2, check("p"), "it is no JSON");
    assertEquals(2, check("p", "--input-format=xls"));
    assertTrue(err.toString().contains("--input-format must be one of jsonl, txt, csv"));
  }

  @Test
  void linesOfJsonAreNotTakenForText() throws IOException {
    write("p.txt", JSON);

    assertEquals(2, check("p.txt"));
    assertTrue(err.toString().contains("p.txt: has JSON in it; name it .jsonl"), err.toString());
  }

  private List<String> prompts(String name) throws IOException {
    return read(name).stream().map(Prompt::getPrompt).toList();
  }

  private List<Prompt> read(String name) throws IOException {
    List<Prompt> prompts = new ArrayList<>();
    try (PromptInput input =
            PromptInput.open(
                folder.resolve(name).toString(),
                Optional.empty(),
                Map.of(),
                PromptInput.PATIENCE,
                (file, note) -> {});
        PromptFile.Reading reading =
            PromptFile.of(input, PromptCheck.offline(Prompt.getDefaultInstance())).read()) {
      reading.forEachRemaining(prompts::add);
    } catch (PromptFileException e) {
      throw new AssertionError(e);
    }
    return prompts;
  }

  private int check(String name, String... more) {
    CommandLine commandLine = Bitloom.commandLine();
    commandLine.setOut(new PrintWriter(out, true));
    commandLine.setErr(new PrintWriter(err, true));
    List<String> arguments =
        new ArrayList<>(List.of("submit", folder.resolve(name).toString(), "--dry-run"));
    arguments.add("--offline");
    arguments.addAll(List.of(more));
    return commandLine.execute(arguments.toArray(String[]::new));
  }

  private void write(String name, String text) throws IOException {
    Path file = folder.resolve(name);
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
  }

  private static byte[] gz(String text) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (OutputStream gzip = new GZIPOutputStream(bytes)) {
      gzip.write(text.getBytes(StandardCharsets.UTF_8));
    }
    return bytes.toByteArray();
  }

  private static byte[] zst(String text) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (OutputStream zstandard = new ZstdOutputStream(bytes)) {
      zstandard.write(text.getBytes(StandardCharsets.UTF_8));
    }
    return bytes.toByteArray();
  }
}
