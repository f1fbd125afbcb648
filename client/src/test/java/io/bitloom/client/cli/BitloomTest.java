package io.bitloom.client.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

class BitloomTest {

  @TempDir Path folder;

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @ParameterizedTest
  @ValueSource(strings = {"demo", "up", "submit", "status", "watch", "results", "list", "cancel"})
  void everyCommandHasHelp(String command) {
    assertEquals(0, run(command, "--help"));
    assertTrue(out.toString().startsWith("Usage: bitloom " + command), out.toString());
  }

  @Test
  void theHelpListsTheCommandsOfAllModules() {
    assertEquals(0, run("--help"));
    for (String command : List.of("demo", "submit", "coordinator", "worker", "verify")) {
      assertTrue(out.toString().contains("\n  " + command + " "), command);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "|say what to do",
        "frobnicate|frobnicate",
        "submit|FILE",
        "submit no-such-file.jsonl --dry-run --offline|no-such-file.jsonl",
        "submit FILE --offline|--dry-run",
        "submit FILE --dry-run --offline --size 2M|--size must be one of 0.06M",
        "submit FILE --dry-run --offline --aspect-ratio 3x2|--aspect-ratio must be",
        "submit FILE --dry-run --offline --num-images 0|--num-images must be 1 to 16",
        "submit FILE --dry-run --offline --guidance 99|--guidance must be",
        "submit FILE --dry-run --offline --format gif|--format must be one of png, jpeg",
        "submit FILE --dry-run --offline --guidance 4,NaN|--guidance must be 1 to 30, not \"NaN\"",
        "submit FILE --dry-run --offline --guidance Infinity|--guidance must be 1 to 30",
        "submit FILE --dry-run --offline --guidance 1e999|--guidance must be 1 to 30",
        "submit FILE --dry-run --offline --temperature 1,-1|--temperature must be above 0",
        "submit FILE --dry-run --offline --top-p NaN|--top-p must be above 0",
        "submit FILE --dry-run --offline --guidance-layers 2|--guidance-layers must be 0",
        "submit FILE --dry-run --offline --guidance-layers -70|--guidance-layers must be 0",
        "submit FILE --dry-run --offline --guidance-layers -1e9|\"-1e9\" is not a whole number",
        "submit FILE --dry-run --offline --guidance-schedule cone|must be one of constant, pyramid",
        "submit FILE --dry-run --offline --preset best|--preset must be one of quality, fast",
        "submit FILE --dry-run --offline --quality 0|--quality must be 1 to 100",
        "submit FILE --dry-run --offline --size 0.06M --guidance 4,3|must be one value or 7",
        "submit FILE --dry-run --offline --top-p x|\"x\" is not a number",
        "submit FILE --out FILE/out|is not a folder",
        "submit FILE --request-id x --resume jobs/1|are not used together",
        "submit FILE --request-id=|--request-id must be 1 to 128 characters",
        "results jobs/1|--out",
        "list --state nope|nope",
        "list --label team|team",
        "submit FILE --window soon|--window must be a duration",
        "export jobs/1|--out",
        "prioritize jobs/1 high|\"high\" is not a whole number",
        "pause jobs/1 --tls-cert x|--tls-cert and --tls-key go together",
        "pause jobs/1 --tls-ca no-such-file|no-such-file",
        "list --coordinator ftp://host|--coordinator must begin with http://, https://",
        "list --coordinator ::1|--coordinator must have its IPv6 address in brackets",
        "list --coordinator 7700|--coordinator must have a host before the port",
        "list --coordinator a:1,b:2|--coordinator must be a single address, not \"a:1,b:2\"",
        "status jobs/1 --coordinator http://host --tls|--tls contradicts http://",
        "list --coordinator 192.0.2.7 --token x|--coordinator must be reached by TLS",
        "list --coordinator http://host --token x|--coordinator must be reached by TLS",
        "list --coordinator [2001:db8::7] --token x|or --insecure, as a token is sent",
        "submitt FILE|there is no command \"submitt\"; did you mean submit?",
        "FILE --out out|is a file and no command; did you mean: submit ",
        "submit FILE --ot x|there is no option --ot; did you mean --out?",
        "submit FILE FILE|is one word too many",
        "submit FILE --priority 11|--priority must be 0 to 9, not 11",
        "submit FILE --no-wait --dry-run|--no-wait has no effect with --dry-run",
        "submit FILE --resume 1 --dry-run|--resume has no effect with --dry-run",
        "submit FILE --resume 1 --priority 3|--priority has no effect with --resume",
        "submit FILE --dry-run --offline --token x|--token has no effect with --offline",
        "submit FILE --dry-run --offline --model x|--model has no effect with --offline",
        "submit FILE --dry-run --offline --greedy --top-k 3|--top-k has no effect with --greedy",
        "ask fox --format png --quality 3|--quality has no effect with --format=png",
        "prioritize 12|Missing required parameter: 'N'",
        "prioritize jobs/1 12|N must be 0 to 9, not 12",
        "prioritize jobs/1 -1|must be 0 to 9, not -1",
        "list --limit 0|--limit must be at least 1, not 0",
        "list --limit few|\"few\" is not a whole number",
        "up --grpc-port 99999|--grpc-port must be 0 to 65535, not 99999",
        "up --http-port -1|--http-port must be 0 to 65535, not -1",
        "up --workers two|--workers: \"two\" is neither auto nor a whole number",
        "up --workers 0|--workers must be at least 1",
        "demo --workers 0|--workers must be at least 1",
        "demo --out FOLDER|holds the images of jobs/1, which was no demo",
      })
  void wrongUsageIsSaidAndExitsWithTwo(String command, String complaint) throws IOException {
    Path file = write("{\"prompt\": \"a cat\"}");
    Path ofAJob = Files.createDirectories(folder.resolve("of-a-job"));
    Files.writeString(
        ofAJob.resolve("manifest.jsonl"),
        "{\"job\": \"jobs/1\", \"offset\": 0, \"status\": \"failed\", \"cursor\": \"c\"}\n");

    int exit =
        run(
            (command == null ? "" : command)
                .replace("FILE", file.toString())
                .replace("FOLDER", ofAJob.toString())
                .split(" "));

    assertEquals(2, exit, err.toString());
    assertTrue(err.toString().contains(complaint), err.toString());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "list --json --state nope",
        "frobnicate --json",
        "submit --json",
        "update jobs/1 --json",
        "submit FILE --offline --json"
      })
  void wrongUsageIsAnEventForMachines(String command) throws IOException {
    Path file = write("{\"prompt\": \"a cat\"}");

    assertEquals(2, run(command.replace("FILE", file.toString()).split(" ")));

    JsonObject event = JsonParser.parseString(out.toString()).getAsJsonObject();
    assertEquals("error", event.get("event").getAsString());
    assertEquals("USAGE", event.get("reason").getAsString());
    assertFalse(event.get("message").getAsString().isEmpty());
    assertEquals("", err.toString());
  }

  @ParameterizedTest
  @CsvSource({
    "bash, complete -F _complete_bitloom",
    "zsh, autoload -U +X bashcompinit",
    "fish, complete -c bitloom"
  })
  void everyShellGetsAScriptThatItUnderstands(String shell, String part) {
    assertEquals(0, run("completion", shell), err.toString());
    assertTrue(out.toString().contains(part), out.toString());
    assertTrue(out.toString().contains("submit"), out.toString());
  }

  @Test
  void aDryRunOfAGoodFileCountsPromptsByTemplate() throws IOException {
    Path file =
        write(
            "{\"prompt\": \"a\", \"aspect_ratio\": \"3:2\", \"num_images\": 3}",
            "{\"prompt\": \"b\", \"h_div_w\": 0.67, \"size\": \"0.06M\"}");

    assertEquals(0, run("submit", file.toString(), "--dry-run", "--offline"), err.toString());
    assertEquals(file + ": 2 prompts, 4 images\n  3:2  1\n  3:2 0.06M  1\n", out.toString());
  }

  @Test
  void everyBadLineIsNamedByFileAndNumber() throws IOException {
    Path file = badFile();

    assertEquals(2, run("submit", file.toString(), "--dry-run", "--offline"));

    List<String> complaints = err.toString().lines().toList();
    assertEquals(
        file + ":2: size must be one of 0.06M, 0.25M, 0.60M, 1M, var256, var512, not \"9M\"",
        complaints.get(0));
    assertTrue(complaints.get(1).startsWith(file + ":3: "), complaints.get(1));
    assertTrue(complaints.get(2).contains("2 bad lines"), complaints.get(2));
  }

  @Test
  void oneCauseIsSaidOnceWithItsNumberOfLines() throws IOException {
    List<String> lines =
        new ArrayList<>(Collections.nCopies(5000, "{\"prompt\": \"a\", \"size\": \"9M\"}"));
    lines.add("{\"prompt\": \"a\", \"seed\": 1.5}");
    lines.add("{\"prompt\": \"a\", \"seed\": 2.5}");
    Path file = write(lines.toArray(String[]::new));

    assertEquals(2, run("submit", file.toString(), "--dry-run", "--offline"));

    List<String> complaints = err.toString().lines().toList();
    assertEquals(3, complaints.size(), err.toString());
    assertEquals(
        file
            + ": 5,000 lines (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, …): size must be one of 0.06M, 0.25M,"
            + " 0.60M, 1M, var256, var512, not \"9M\"",
        complaints.get(0));
    assertTrue(
        complaints.get(1).startsWith(file + ": 2 lines (5001, 5002): seed must be a whole number"),
        complaints.get(1));

    err.getBuffer().setLength(0);
    out.getBuffer().setLength(0);
    assertEquals(2, run("submit", file.toString(), "--dry-run", "--offline", "--json"));
    List<String> events = out.toString().lines().toList();
    assertEquals(4, events.size(), "two causes, what was counted, and the error");
    assertTrue(events.get(0).contains("\"count\":5000,\"lines\":[1,2,3,"), events.get(0));
  }

  @Test
  void badLinesCanBeSkippedAndAreStillListed() throws IOException {
    Path file = badFile();

    assertEquals(3, run("submit", file.toString(), "--dry-run", "--offline", "--skip-bad-lines"));

    assertEquals(2, err.toString().lines().count());
    assertTrue(out.toString().contains("2 prompts, 2 images"), out.toString());
  }

  @Test
  void machinesGetOneObjectALine() throws IOException {
    Path file = badFile();

    assertEquals(2, run("submit", file.toString(), "--dry-run", "--offline", "--json"));

    List<String> lines = out.toString().lines().toList();
    assertTrue(lines.get(0).startsWith("{\"event\":\"bad_line\",\"file\":\""), lines.get(0));
    assertTrue(lines.get(0).contains("\"line\":2,\"field\":\"size\",\"value\":\"9M\""));
    assertTrue(lines.get(2).startsWith("{\"event\":\"checked\""), lines.get(2));
    assertEquals("", err.toString());
  }

  @Test
  void aFileWithoutPromptsIsRefused() throws IOException {
    assertEquals(2, run("submit", write("").toString(), "--dry-run", "--offline"));
    assertTrue(err.toString().contains("no prompts"), err.toString());
  }

  @Test
  void defaultsOfTheCommandLineHoldWhereALineSaysNothing() throws IOException {
    Path file = write("{\"prompt\": \"a\"}", "{\"prompt\": \"b\", \"size\": \"1M\"}");

    run("submit", file.toString(), "--dry-run", "--offline", "--size=0.25M", "--aspect-ratio=1:1");

    assertTrue(out.toString().contains("  1:1 0.25M  1\n  1:1 1M  1\n"), out.toString());
  }

  @Test
  void aBadFileIsReportedAlsoWhereNoCoordinatorAnswers() throws IOException {
    Path file = badFile();

    assertEquals(2, run("submit", file.toString(), "--coordinator", "127.0.0.1:1"));
    assertTrue(err.toString().contains(file + ":2: size must be one of"), err.toString());
    assertFalse(err.toString().contains("no coordinator"), err.toString());

    Path good = write("{\"prompt\": \"a\", \"outcome\": {\"status\": \"failed\"}}");
    assertEquals(1, run("submit", good.toString(), "--coordinator", "127.0.0.1:1"));
    assertTrue(err.toString().contains("no coordinator answers at 127.0.0.1:1"), err.toString());
  }

  @Test
  void aMissingCoordinatorIsAnErrorWithoutAStackTrace() {
    assertEquals(1, run("list", "--coordinator", "127.0.0.1:1"));
    assertTrue(err.toString().contains("no coordinator answers at 127.0.0.1:1"), err.toString());
    assertFalse(err.toString().contains("\tat "), err.toString());
  }

  @Test
  void theDemoHasTwentyFourPromptsInSixAspectRatios() throws IOException {
    try (var demo = BitloomTest.class.getResourceAsStream("demo-prompts.jsonl")) {
      Path file = folder.resolve("demo.jsonl");
      Files.copy(demo, file);

      assertEquals(0, run("submit", file.toString(), "--dry-run", "--offline"), err.toString());
      assertTrue(out.toString().contains("24 prompts, 24 images"), out.toString());
      assertEquals(7, out.toString().lines().count());
    }
  }

  private Path badFile() throws IOException {
    return write(
        "{\"prompt\": \"a\"}",
        "{\"prompt\": \"b\", \"size\": \"9M\"}",
        "not json",
        "{\"prompt\": \"d\"}");
  }

  private Path write(String... lines) throws IOException {
    return Files.write(folder.resolve("prompts.jsonl"), List.of(lines));
  }

  private int run(String... arguments) {
    CommandLine commandLine = Bitloom.commandLine();
    commandLine.setOut(new PrintWriter(out, true));
    commandLine.setErr(new PrintWriter(err, true));
    boolean none = arguments.length == 1 && arguments[0].isEmpty();
    return commandLine.execute(none ? new String[0] : arguments);
  }
}
