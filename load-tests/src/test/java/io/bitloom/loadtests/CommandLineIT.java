package io.bitloom.loadtests;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.client.cli.Bitloom;
import io.bitloom.v1.Job;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

class CommandLineIT {

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

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{\"prompt\": \"b\", \"aspect_ratio\": \"3x2\"}||2|prompts.jsonl:2: aspect_ratio|3x2",
        "{\"prompt\": \"b\", \"size\": \"2M\"}||2|prompts.jsonl:2: size|2M",
        "{\"prompt\": \"b\", \"seed\": 1.5}||2|prompts.jsonl:2: seed|1.5",
        "{\"prompt\": \"b\", \"colour\": 1}||2|prompts.jsonl:2: colour|1",
        "{\"prompt\": \"\"}||2|prompts.jsonl:2: prompt|empty",
        "{\"prompt\": \"b\"|||prompts.jsonl:2:|not complete",
        "LONG||2|prompts.jsonl:2: prompt|5000 characters",
        "{\"prompt\": \"b\"}|--model=nope|2|nope|there is no model",
        "{\"prompt\": \"b\"}|--size=9M|2|--size|9M",
        "{\"prompt\": \"b\"}|--priority=77|2|--priority must be 0 to 9|77",
      })
  void badInputIsNamedAndNothingIsSubmitted(
      String secondLine, String option, Integer exit, String place, String value) throws Exception {
    String line =
        secondLine.equals("LONG") ? "{\"prompt\": \"" + "x".repeat(5000) + "\"}" : secondLine;
    write("{\"prompt\": \"a\"}", line);
    List<String> before = jobs();

    BitloomProcess submit =
        bitloom("submit", "prompts.jsonl", "--out=out", option == null ? "--priority=5" : option);

    assertEquals(exit == null ? 2 : exit, submit.exitCode(), submit::said);
    assertTrue(submit.err().contains(place), submit::said);
    assertTrue(submit.err().contains(value), submit::said);
    assertEquals(before, jobs());
    assertFalse(Files.exists(folder.resolve("out")));
  }

  @Test
  void badLinesAreSkippedOnRequest() throws Exception {
    write("{\"custom_id\": \"a\", \"prompt\": \"a\"}", "nonsense");

    BitloomProcess submit = bitloom("submit", "prompts.jsonl", "--out=out", "--skip-bad-lines");

    assertEquals(3, submit.exitCode(), submit::said);
    assertTrue(submit.err().contains("prompts.jsonl:2: "), submit::said);
    assertTrue(Files.exists(folder.resolve("out/a.png")), submit::said);
  }

  @Test
  void whatIsMissingIsFetchedAndTheRestIsLeftAlone() throws Exception {
    write("{\"custom_id\": \"a\", \"prompt\": \"a\"}", "{\"custom_id\": \"b\", \"prompt\": \"b\"}");
    BitloomProcess submit = bitloom("submit", "prompts.jsonl", "--out=out");
    assertEquals(0, submit.exitCode(), submit::said);
    Path a = folder.resolve("out/a.png");
    Path b = folder.resolve("out/b.png");
    byte[] first = Files.readAllBytes(a);
    var untouched = Files.getLastModifiedTime(b);
    Files.delete(a);

    BitloomProcess results = bitloom("results", jobIn(submit.out()), "--out=out");

    assertEquals(0, results.exitCode(), results::said);
    assertArrayEquals(first, Files.readAllBytes(a));
    assertEquals(untouched, Files.getLastModifiedTime(b));
    assertEquals(2, Files.readAllLines(folder.resolve("out/manifest.jsonl")).size());
  }

  @Test
  void afterCtrlCTheJobGoesOnAndTheCommandToComeBackWorks() throws Exception {
    write(
        IntStream.range(0, 30)
            .mapToObj(i -> "{\"custom_id\": \"p" + i + "\", \"prompt\": \"x\"}")
            .toArray(String[]::new));
    BitloomProcess submit =
        BitloomProcess.start(
            folder,
            "submit",
            List.of(
                "submit",
                "prompts.jsonl",
                "--out=it's here",
                "--coordinator=" + cluster.address()));
    Path manifest = folder.resolve("it's here/manifest.jsonl");
    cluster.await("the first image", () -> Files.exists(manifest));

    // Takes the same way as SIGINT, which is ignored where a background shell runs the tests.
    submit.signal("TERM");

    assertEquals(143, submit.exitCode(), submit::said);
    String comeBack =
        submit.err().lines().filter(l -> l.contains("bitloom results")).findFirst().orElse("");
    assertTrue(comeBack.contains("--follow"), submit::said);
    BitloomProcess results =
        BitloomProcess.startProgram(folder, "come-back", List.of("sh", "-c", comeBack));
    assertEquals(0, results.exitCode(), results::said);
    assertEquals(30, Files.readAllLines(manifest).size());
  }

  @Test
  void theSameSubmissionFindsItsJobUntilThatIsDeleted() throws Exception {
    write("{\"prompt\": \"once\"}");
    BitloomProcess first = bitloom("submit", "prompts.jsonl", "--out=out");
    assertEquals(0, first.exitCode(), first::said);
    String job = jobIn(first.out());

    BitloomProcess again = bitloom("submit", "prompts.jsonl", "--out=out");
    assertEquals(0, again.exitCode(), again::said);
    assertTrue(again.err().contains("was submitted before as " + job + ", succeeded"), again::said);
    assertEquals(job, jobIn(again.out()));
    BitloomProcess other = bitloom("submit", "prompts.jsonl", "--request-id=new", "--no-wait");
    assertEquals(0, other.exitCode(), other::said);
    assertFalse(other.out().contains(job), other::said);
    BitloomProcess refused = bitloom("submit", "prompts.jsonl", "--request-id=new", "--out=out");
    assertEquals(2, refused.exitCode(), refused::said);
    assertTrue(refused.err().contains("holds the images of " + job), refused::said);

    cluster.client().delete(job);
    BitloomProcess anew = bitloom("submit", "prompts.jsonl");
    assertEquals(0, anew.exitCode(), anew::said);
    assertFalse(anew.err().contains("submitted before"), anew::said);
  }

  @Test
  void aFolderThatCannotBeWrittenIsSaidBeforeAnythingIsSubmitted() throws Exception {
    write("{\"prompt\": \"nowhere to go\"}");
    List<String> before = jobs();

    BitloomProcess submit = bitloom("submit", "prompts.jsonl", "--out=prompts.jsonl/out");

    assertEquals(2, submit.exitCode(), submit::said);
    assertTrue(submit.err().contains("prompts.jsonl: is not a folder"), submit::said);
    String tooLong = "n".repeat(300);
    BitloomProcess unmakeable = bitloom("submit", "prompts.jsonl", "--out=" + tooLong);
    assertEquals(2, unmakeable.exitCode(), unmakeable::said);
    assertTrue(unmakeable.err().contains(tooLong + ": it cannot be made"), unmakeable::said);
    assertEquals(before, jobs());
  }

  @Test
  void aJobCanBeWatchedListedAndCancelled() throws Exception {
    write("{\"prompt\": \"a\"}");
    BitloomProcess submit = bitloom("submit", "prompts.jsonl", "--no-wait", "--name=mine");
    assertEquals(0, submit.exitCode(), submit::said);
    String job = jobIn(submit.out());

    BitloomProcess watch = bitloom("watch", job);
    assertEquals(0, watch.exitCode(), watch::said);
    BitloomProcess status = bitloom("status", job, "--json");
    assertTrue(status.out().contains("\"state\":\"SUCCEEDED\""), status::said);
    BitloomProcess list = bitloom("list", "--state=succeeded");
    assertTrue(list.out().contains(job) && list.out().contains("mine"), list::said);
    BitloomProcess cancel = bitloom("cancel", job);
    assertEquals(2, cancel.exitCode(), cancel::said);
    assertTrue(cancel.out().contains("succeeded"), "a terminal state changed: " + cancel.said());
    assertTrue(cancel.out().contains("nothing to cancel"), cancel::said);
  }

  @Test
  void aListIsWatchedUntilItsJobsHaveEnded() throws Exception {
    Job job = Job.newBuilder().putLabels("watched", "yes").build();
    String name = cluster.client().createJob(job, "watched").getName();
    cluster.client().pause(name);
    try (BitloomProcess watch =
        BitloomProcess.start(
            folder,
            "watch",
            List.of(
                "list",
                "--watch",
                "--label=watched=yes",
                "--json",
                "--coordinator=" + cluster.address()))) {
      cluster.await("the first answer", () -> watch.said().contains("\"PAUSED\""));

      cluster.client().cancel(name);

      assertEquals(0, watch.exitCode(), watch::said);
      assertTrue(watch.out().contains("\"CANCELLED\""), watch::said);
    }
  }

  @Test
  void anUnknownJobIsNamed() throws Exception {
    BitloomProcess status = bitloom("status", "jobs/nope");

    assertEquals(2, status.exitCode());
    assertTrue(status.err().contains("there is no job jobs/nope"), status::said);
  }

  /** DONE has succeeded, STOPPED was cancelled, PAUSED is paused, OTHER holds another job's. */
  @Test
  void whatTheCallerDidWrongExitsWithTwoInEveryCommand() throws Exception {
    write("{\"prompt\": \"a\"}");
    String done = jobIn(bitloom("submit", "prompts.jsonl", "--out=other").out());
    Job stopped = cluster.client().createJob(Job.getDefaultInstance(), "stopped");
    cluster.client().cancel(stopped.getName());
    Job paused = cluster.client().createJob(Job.getDefaultInstance(), "paused");
    cluster.client().pause(paused.getName());
    Map<String, String> words =
        Map.of(
            "DONE", done,
            "STOPPED", stopped.getName(),
            "PAUSED", paused.getName(),
            "OTHER", folder.resolve("other").toString(),
            "FILE", folder.resolve("prompts.jsonl").toString());
    for (String row : WRONG.strip().split("\n")) {
      String[] columns = row.split("\\|");
      List<String> command = new ArrayList<>();
      for (String word : columns[1].split(" ")) {
        command.add(words.getOrDefault(word, word).replace('_', ' '));
      }
      StringWriter said = new StringWriter();
      int exit = inProcess(command, said);

      assertEquals(Integer.parseInt(columns[0]), exit, row + "\n" + said);
      assertTrue(said.toString().contains(columns[2]), row + "\n" + said);
      assertFalse(said.toString().contains("JOB_STATE_"), row + "\n" + said);
      assertFalse(said.toString().contains("Exception"), row + "\n" + said);
    }
  }

  private static final String WRONG =
      """
      2|status nope|there is no job jobs/nope
      2|status a/b|must be the name of a job
      2|watch nope|there is no job jobs/nope
      2|results nope --out x|there is no job jobs/nope
      2|cancel nope|there is no job jobs/nope
      2|pause nope|there is no job jobs/nope
      2|resume nope|there is no job jobs/nope
      2|prioritize nope 3|there is no job jobs/nope
      2|failures nope|there is no job jobs/nope
      2|replay nope|there is no job jobs/nope
      2|export nope --out x.jsonl|there is no job jobs/nope
      2|delete nope|there is no job jobs/nope
      2|submit FILE --resume nope|there is no job jobs/nope
      2|prioritize DONE 12|N must be 0 to 9
      2|prioritize DONE 3|can no longer be changed: it has succeeded
      2|pause DONE|can no longer be changed: it has succeeded
      2|resume DONE|can no longer be changed: it has succeeded
      2|replay DONE|no prompt of
      2|replay PAUSED|has not ended yet, it is paused
      2|delete PAUSED|must be cancelled first: it is paused
      2|cancel DONE|There was nothing to cancel, the job had ended.
      0|cancel STOPPED|It was cancelled before.
      0|pause PAUSED|paused
      2|list --filter foo_=_3|must name state, model
      2|list --filter state_=_SLEEPING|must have a state of a job
      2|list --state asleep|is not a state of a job
      2|results PAUSED --out OTHER|holds the images of
      2|submit FILE --name again --out OTHER|holds the images of
      2|submit FILE --name again --out OTHER --dry-run|holds the images of
      2|submit FILE --size 1M|--size 1M is not drawn by model
      2|submit FILE --window 9999d|must be 1 second to 366 days
      2|submit FILE --window 9999d --dry-run|must be 1 second to 366 days
      2|submit FILE --label =x --dry-run|must not have an empty key
      2|results DONE --out FILE|prompts.jsonl: is not a folder
      2|export DONE --out no/such/x.jsonl|--out: there is no folder
      2|ask fox --out FILE|prompts.jsonl: is not a folder
      2|ask fox --out fox.png|--out: fox.png is the name of a picture
      2|ask fox --model nope|no worker has model "nope"; there is:
      2|list --coordinator PAGES|a coordinator does so on its gRPC port
      """;

  private static int inProcess(List<String> command, StringWriter said) throws IOException {
    List<String> all = new ArrayList<>(command);
    int pages = all.indexOf("PAGES");
    if (pages >= 0) {
      all.set(pages, cluster.pages());
    } else {
      all.add("--coordinator=" + cluster.address());
    }
    CommandLine commandLine = Bitloom.commandLine();
    commandLine.setOut(new PrintWriter(said, true)).setErr(new PrintWriter(said, true));
    return commandLine.execute(all.toArray(String[]::new));
  }

  @Test
  void aHostThatCannotBeResolvedIsSaidInOneLine() throws Exception {
    BitloomProcess list = bitloom("list", "--coordinator=http://no-such-host.invalid:7700");

    assertEquals(1, list.exitCode());
    assertTrue(
        list.err().startsWith("bitloom: no coordinator answers at no-such-host.invalid:7700"),
        list::said);
    assertEquals(1, list.err().lines().count(), list::said);
  }

  private BitloomProcess bitloom(String... arguments) throws Exception {
    List<String> all = new ArrayList<>(List.of(arguments));
    if (all.stream().noneMatch(argument -> argument.startsWith("--coordinator"))) {
      all.add("--coordinator=" + cluster.address());
    }
    return BitloomProcess.run(folder, arguments[0], all.toArray(String[]::new));
  }

  private static List<String> jobs() {
    List<String> names = new ArrayList<>();
    cluster.client().listJobs(List.of(), "").forEachRemaining(job -> names.add(job.getName()));
    return names;
  }

  private static String jobIn(String text) {
    int start = text.indexOf("jobs/");
    return text.substring(start).split("\\s", 2)[0];
  }

  private void write(String... lines) throws IOException {
    Files.write(folder.resolve("prompts.jsonl"), List.of(lines));
  }
}
