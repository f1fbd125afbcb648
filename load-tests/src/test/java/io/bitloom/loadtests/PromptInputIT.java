package io.bitloom.loadtests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Prompts through files, pipes and devices, by the command in a shell. */
class PromptInputIT {

  private static final Path CASES = BitloomProcess.HOME.resolveSibling("shared/cases/prompts");
  private static final String BITLOOM = BitloomProcess.HOME.resolve("bitloom") + " ";
  private static final String CHECK = " --dry-run --offline";

  @TempDir static Path clusterFolder;
  private static TestCluster cluster;

  @TempDir Path folder;

  @BeforeAll
  static void start() throws IOException {
    cluster = TestCluster.start(clusterFolder);
  }

  @AfterAll
  static void stop() {
    if (cluster != null) {
      cluster.close();
    }
  }

  @BeforeEach
  void write() throws IOException {
    Files.write(
        folder.resolve("three.jsonl"),
        IntStream.range(0, 3)
            .mapToObj(
                i -> "{\"custom_id\": \"row-" + i + "\", \"prompt\": \"a red kite " + i + "\"}")
            .toList());
  }

  /** The temporary folder of the command is that of the test. */
  @AfterEach
  void nothingIsLeftBehind() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      assertFalse(
          files.anyMatch(file -> file.getFileName().toString().contains("bitloom-prompts")));
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "cat three.jsonl | BITLOOM submit /dev/stdin",
        "cat three.jsonl | BITLOOM submit -",
        "BITLOOM submit - < three.jsonl",
        "BITLOOM submit <(cat three.jsonl)",
        "gzip -c three.jsonl | BITLOOM submit -",
        "mkdir in; cp three.jsonl in; BITLOOM submit in",
        "mkfifo pipe; (sleep 1; cat three.jsonl > pipe) & BITLOOM submit pipe",
      })
  void aPipeIsAJobOfAllItsPrompts(String command) throws Exception {
    BitloomProcess submit = shell(command + " --out out --coordinator http://" + cluster.address());

    assertEquals(0, submit.exitCode(), submit::said);
    for (int i = 0; i < 3; i++) {
      assertTrue(Files.exists(folder.resolve("out/row-" + i + ".png")), submit::said);
    }
  }

  @Test
  void aBadLineOfAPipeIsNamedAndNothingIsSubmitted() throws Exception {
    BitloomProcess submit =
        shell(
            "(cat three.jsonl; echo nonsense) | BITLOOM submit - --out out --coordinator "
                + cluster.address());

    assertEquals(2, submit.exitCode(), submit::said);
    assertTrue(submit.err().contains("standard input:4: not valid JSON"), submit::said);
    assertFalse(Files.exists(folder.resolve("out")));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "mkfifo pipe; BITLOOM submit pipe|pipe: is a pipe that nobody writes into",
        "mkfifo pipe; sleep 60 > pipe & BITLOOM submit pipe --patience 1s|nothing came for 1 s",
        "ln -s /dev/zero link.jsonl; BITLOOM submit link.jsonl|link.jsonl: cannot be read, it is a device",
        "ln -s /dev/urandom link.jsonl; BITLOOM submit link.jsonl|it is a device",
        "BITLOOM submit - < /dev/zero|standard input: cannot be read, it is a device",
        "mkdir empty; BITLOOM submit empty|empty: is a folder without files named",
        "BITLOOM submit ''|is not the name of a file",
        "BITLOOM submit nowhere/none.jsonl|nowhere/none.jsonl: cannot read the file, there is none",
        "BITLOOM submit /dev/null|no prompts in /dev/null",
        "BITLOOM submit - < /dev/null|no prompts in standard input",
        "BITLOOM submit - <&-|no prompts in standard input",
        "ln -s loop loop; BITLOOM submit loop|cannot read the file",
      })
  void whatDoesNotDeliverPromptsIsRefusedWithTwo(String command, String complaint)
      throws Exception {
    BitloomProcess submit = shell(command.replace("submit", "submit" + CHECK));

    assertEquals(2, submit.exitCode(), submit::said);
    assertTrue(submit.err().contains(complaint), submit::said);
  }

  /** A pipe has a shell with a pipe: not through CSV. */
  @ParameterizedTest
  @ValueSource(
      strings = {"cat /dev/zero", "cat /dev/urandom", "printf 'PK\\003\\004'; cat /dev/zero"})
  void aPipeWithoutEndThatIsNoTextIsRefusedWithTwo(String endless) throws Exception {
    BitloomProcess submit = shell("(" + endless + ") 2>/dev/null | BITLOOM submit -" + CHECK);

    assertEquals(2, submit.exitCode(), submit::said);
    assertTrue(submit.err().contains("bitloom: standard input: is "), submit::said);
  }

  @ParameterizedTest
  @CsvSource({"UTF-16, read as UTF-16", "UTF-16LE, read as UTF-16LE", "UTF-16BE, read as UTF-16BE"})
  void wideEncodingsAreReadThroughAPipeToo(String encoding, String note) throws Exception {
    BitloomProcess submit =
        shell("iconv -t " + encoding + " three.jsonl | BITLOOM submit -" + CHECK);

    assertEquals(0, submit.exitCode(), submit::said);
    assertTrue(submit.out().contains("3 prompts"), submit::said);
    assertTrue(submit.err().contains(note), submit::said);
  }

  @Test
  void linesThatAreWrongInTheSameWayAreSaidOnce() throws Exception {
    Files.writeString(folder.resolve("commas.jsonl"), "{\"prompt\": \"a\"},\n".repeat(50));
    Files.write(
        folder.resolve("latin.jsonl"),
        "{\"prompt\": \"café\"}\n".repeat(50).getBytes(StandardCharsets.ISO_8859_1));
    for (String file : List.of("commas", "latin")) {
      BitloomProcess submit = shell("BITLOOM submit " + file + ".jsonl" + CHECK);

      assertEquals(2, submit.exitCode(), submit::said);
      assertEquals(2, submit.err().lines().count(), submit::said);
      assertTrue(submit.err().contains(": 50 lines (1, 2, 3, 4, "), submit::said);
    }
  }

  @Test
  void controlCharactersAreTakenByTheClusterAndSaidOnce() throws Exception {
    Files.writeString(
        folder.resolve("scraped.jsonl"),
        "{\"custom_id\": \"a\", \"prompt\": \"kite\u0085over\u2028hill\u0001\"}\n");

    BitloomProcess submit =
        shell("BITLOOM submit scraped.jsonl --out out --coordinator " + cluster.address());

    assertEquals(0, submit.exitCode(), submit::said);
    assertTrue(
        submit.err().contains("3 control characters in 1 prompt became spaces, first in line 1"),
        submit::said);
    String manifest = Files.readString(folder.resolve("out/manifest.jsonl"));
    assertTrue(manifest.contains("\"kite over hill \""), manifest);
  }

  @Test
  void aBatchOfOpenAiIsDrawn() throws Exception {
    Files.writeString(
        folder.resolve("batch.jsonl"),
        """
        {"custom_id":"r","method":"POST","url":"/v1/images/generations","body":\
        {"model":"m","prompt":"a kite","n":2,"size":"1024x1536","output_format":"jpeg"}}
        """);

    BitloomProcess submit =
        shell("BITLOOM submit batch.jsonl --out out --coordinator " + cluster.address());

    assertEquals(0, submit.exitCode(), submit::said);
    assertTrue(submit.err().contains("body.model has no use here"), submit::said);
    assertTrue(Files.exists(folder.resolve("out/r_1.jpg")), submit::said);
    assertTrue(Files.readString(folder.resolve("out/manifest.jsonl")).contains("1.5_0.06M"));
  }

  @Test
  void whatAPipeDeliveredIsKeptWhileItIsNotAllSent(@TempDir Path narrow) throws Exception {
    try (TestCluster full = TestCluster.start(narrow, List.of("--queued-prompts=2"), Map.of());
        BitloomProcess submit =
            shell("exec BITLOOM submit --coordinator " + full.address() + " - < three.jsonl")) {
      full.await("the job", () -> full.client().listJobs(List.of(), "").hasNext());

      submit.signal("TERM");

      assertEquals(143, submit.exitCode(), submit::said);
      Matcher comeBack =
          Pattern.compile("bitloom submit (\\S+) .*--resume jobs/").matcher(submit.err());
      assertTrue(comeBack.find(), submit::said);
      Path kept = Path.of(comeBack.group(1));
      assertEquals(-1, Files.mismatch(folder.resolve("three.jsonl"), kept));
      assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(kept)));
      Files.delete(kept);
    }
  }

  @ParameterizedTest
  @CsvSource({"three.jsonl, 0, 3 prompts", "openai-batch.jsonl, 0, 3 prompts"})
  void theSharedCasesAreTaken(String name, int exit, String said) throws Exception {
    assumeTrue(Files.exists(CASES.resolve(name)), "skipped: there is no " + CASES.resolve(name));

    BitloomProcess submit = shell("cat " + CASES.resolve(name) + " | BITLOOM submit -" + CHECK);

    assertEquals(exit, submit.exitCode(), submit::said);
    assertTrue(submit.out().contains(said), submit::said);
  }

  @Test
  void theSharedCaseInUtf16IsNamed() throws Exception {
    Path file = CASES.resolve("utf16.jsonl");
    assumeTrue(Files.exists(file), "skipped: there is no " + file);

    BitloomProcess submit = shell("BITLOOM submit " + file + CHECK + " --skip-bad-lines");

    assertEquals(3, submit.exitCode(), "its last line is cut off: " + submit.said());
    assertTrue(submit.out().contains("17 prompts"), submit::said);
    assertTrue(submit.err().contains("read as UTF-16LE"), submit::said);
  }

  private BitloomProcess shell(String command) throws IOException {
    return BitloomProcess.startProgram(
        folder, "bash", List.of("bash", "-c", command.replace("BITLOOM ", BITLOOM)));
  }
}
