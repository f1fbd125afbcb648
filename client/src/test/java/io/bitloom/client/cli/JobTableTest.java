package io.bitloom.client.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Timestamp;
import io.bitloom.v1.GetClusterResponse;
import io.bitloom.v1.Job;
import io.bitloom.v1.JobCounts;
import io.bitloom.v1.JobState;
import io.bitloom.v1.WebhookStatus;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class JobTableTest {

  private static final Instant NOW = Instant.ofEpochSecond(1_800_000_000);
  private static final String NAME = "jobs/0123456789abcdefghij";

  private static Timestamp ago(long seconds) {
    return Timestamp.newBuilder().setSeconds(NOW.getEpochSecond() - seconds).build();
  }

  /** Waited a minute, has been drawn for ten. */
  private static Job.Builder running(String displayName) {
    return Job.newBuilder()
        .setName(NAME)
        .setDisplayName(displayName)
        .setState(JobState.JOB_STATE_RUNNING)
        .setPriority(7)
        .putLabels("team", "art")
        .putLabels("week", "48")
        .setCreateTime(ago(660))
        .setStartTime(ago(600))
        .setCounts(
            JobCounts.newBuilder()
                .setAppended(2000)
                .setSucceeded(1000)
                .setImages(4000)
                .setImagesDrawn(1800));
  }

  private static List<String> table(int columns, Job... jobs) {
    return new JobTable(List.of(jobs), new JobSpeeds(), NOW, columns).lines();
  }

  @Test
  void whatIsKnownOfAJobIsInALine() {
    String line = table(0, running("Foxes").build()).get(1);
    for (String part :
        List.of(
            NAME,
            "running",
            "1,000/2,000",
            "1,800/4,000",
            "3.0 images/s",
            "1 min 0 s",
            "  7  ",
            "team=art, week=48",
            "Foxes")) {
      assertTrue(line.contains(part), part + " is not in " + line);
    }
    assertTrue(line.matches(".*\\d\\d:\\d\\d:\\d\\d [+-]\\d\\d:\\d\\d .*"), line);
  }

  @Test
  void whatHasNoImagesIsNotDone() {
    JobCounts.Builder counts = JobCounts.newBuilder().setAppended(60).setFailed(3).setCancelled(57);
    Job expired = running("a").setState(JobState.JOB_STATE_EXPIRED).setCounts(counts).build();
    String line = table(0, expired).get(1);
    assertTrue(line.matches(".* expired +0/60 +3 +57 .*"), line);
  }

  @ParameterizedTest
  @ValueSource(ints = {20, 60, 80, 100, 132})
  void aLineFitsTheTerminalAndTheNameToCopyIsWhole(int columns) {
    Job cjk = running("夜の森で眠る赤い狐の絵を五千枚ほど描いてください").build();
    for (String line : table(columns, cjk, running("plain").build()).subList(1, 3)) {
      assertTrue(line.contains(NAME), line);
      assertTrue(
          TerminalText.width(line) <= Math.max(columns, NAME.length() + 10),
          TerminalText.width(line) + " columns: " + line);
    }
  }

  @Test
  void columnsStayBelowTheirTitlesWhateverTheCharacters() {
    List<String> lines =
        table(100, running("a").putLabels("組", "美術").build(), running("b").build());
    int place = TerminalText.width(lines.get(0).substring(0, lines.get(0).indexOf("NAME")));
    for (String line : lines.subList(1, 3)) {
      assertEquals(place, TerminalText.width(line.substring(0, line.length() - 1)), line);
    }
  }

  @Test
  void nothingOthersWroteReachesTheTerminalAsAControlCode() {
    Job evil = running("\u001b[2Jevil\n").putLabels("\u001b[1m", "\r").build();
    assertFalse(String.join("", table(0, evil)).matches("(?s).*[\u001b\r\n].*"));
  }

  @Test
  void aJobThatWaitsSaysForHowLong() {
    Job waits = running("a").clearStartTime().setState(JobState.JOB_STATE_QUEUED).build();
    assertEquals("11 min 0 s", new JobFacts(waits, NOW).queueTime());
    assertTrue(new JobFacts(waits, NOW).averageSpeed().isEmpty());
    Job never = waits.toBuilder().setEndTime(ago(0)).build();
    assertEquals("", new JobFacts(never, NOW).queueTime());
  }

  @Test
  void theSpeedIsThatOfTheLastHalfMinute() {
    JobSpeeds speeds = new JobSpeeds();
    long second = 1_000_000_000L;
    Job.Builder job = running("a");
    for (int i = 0; i <= 60; i++) {
      long drawn = i <= 30 ? i * 10 : 300;
      job.setCounts(job.getCounts().toBuilder().setImagesDrawn(drawn));
      speeds.look(List.of(job.build()), i * second);
      if (i == 20) {
        assertEquals(10, speeds.of(job.build(), NOW).getAsDouble(), 1e-9);
      }
    }
    assertEquals(0, speeds.of(job.build(), NOW).getAsDouble(), "it stands still for 30 s");
  }

  @Test
  void statusSaysAllOfIt() {
    Map<String, String> facts = StatusCommand.facts(running("Foxes").build(), NOW);
    assertEquals("7", facts.get("priority"));
    assertEquals("team=art, week=48", facts.get("labels"));
    assertEquals("1,800 of 4,000", facts.get("images"));
    assertEquals("3.0 images/s since its start", facts.get("speed"));
    assertEquals("1 min 0 s", facts.get("waited"));
    assertTrue(facts.get("created").matches(".*[+-]\\d\\d:\\d\\d"), facts.get("created"));
  }

  @Test
  void statusSaysWhatTheReceiverOfAWebhookWasTold() {
    Job.Builder job = running("Foxes").setWebhookUrl("https://example.com/hook");
    assertEquals("", StatusCommand.facts(running("Foxes").build(), NOW).get("told"));
    WebhookStatus.Builder status = WebhookStatus.newBuilder().setDelivered(2);
    Map<String, String> facts = StatusCommand.facts(job.setWebhook(status).build(), NOW);
    assertEquals("https://example.com/hook", facts.get("webhook"));
    assertEquals("2 events", facts.get("told"));
    status.setPending(1).setLastError("HTTP 500\n").setNextAttemptTime(job.getCreateTime());
    String told = StatusCommand.facts(job.setWebhook(status).build(), NOW).get("told");
    assertTrue(told.matches("2 events, 1 to come, next attempt .* \\(HTTP 500\\\\u000a\\)"), told);
    status.setGivenUp(1).clearNextAttemptTime();
    assertEquals(
        "2 events, 1 given up (HTTP 500\\u000a)",
        StatusCommand.facts(job.setWebhook(status).build(), NOW).get("told"));
  }

  @Test
  void whatWasNotDrawnInTimeIsCalledExpiredAsTheListOfPromptsCallsIt() {
    JobCounts counts =
        JobCounts.newBuilder().setAppended(3).setSucceeded(1).setCancelled(2).build();
    Job.Builder job = Job.newBuilder().setCounts(counts);

    assertEquals(
        "3 prompts: 1 succeeded, 2 expired",
        JobReport.counts(job.setState(JobState.JOB_STATE_EXPIRED).build()));
    assertEquals(
        "3 prompts: 1 succeeded, 2 cancelled",
        JobReport.counts(job.setState(JobState.JOB_STATE_CANCELLED).build()));
  }

  @Test
  void topHasTheNameToCopyBelowEachJob() {
    TopScreen top =
        new TopScreen(List.of(running("狐").build()), GetClusterResponse.getDefaultInstance(), 80);
    List<String> lines = top.lines();
    String below =
        lines.get(lines.indexOf(lines.stream().filter(l -> l.startsWith("狐")).findAny().get()) + 1);
    assertTrue(below.startsWith("  " + NAME + "  1,800/4,000 images"), below);
    assertTrue(lines.stream().allMatch(line -> TerminalText.width(line) <= 80), lines.toString());
  }

  @Test
  void topSaysOfAJobWhatAListDoes() {
    Job job = running("a").build();
    Job.Builder before = job.toBuilder();
    before.getCountsBuilder().setImagesDrawn(1770);
    JobSpeeds speeds = new JobSpeeds();
    speeds.look(List.of(before.build()), 0);
    speeds.look(List.of(job), 10_000_000_000L);
    TopScreen top =
        new TopScreen(List.of(job), GetClusterResponse.getDefaultInstance(), 200, speeds);
    String screen = String.join("\n", top.lines());
    for (String part :
        List.of("3.0 images/s", "waited 1 min 0 s", "priority 7", "team=art, week=48")) {
      assertTrue(screen.contains(part), part + " is not in\n" + screen);
    }
  }

  @Test
  void withoutATerminalOnlyChangesAreSaidAndTheWatchEndsWithTheJobs() throws Exception {
    Job ended = running("a").setState(JobState.JOB_STATE_SUCCEEDED).setEndTime(ago(0)).build();
    Deque<List<Job>> answers = new ArrayDeque<>(List.of(List.of(ended)));
    StringWriter out = new StringWriter();
    Console console =
        new Console(new PrintWriter(out), new PrintWriter(new StringWriter()), false, 0, false);

    new JobsWatch(console, answers::remove).run();

    List<String> lines = out.toString().lines().toList();
    assertEquals(2, lines.size(), out.toString());
    assertTrue(lines.get(0).startsWith("JOB") && lines.get(1).contains("succeeded"));
  }

  @ParameterizedTest
  @CsvSource({"abc, 3", "狐, 2", "e\u0301, 1", "한국, 4", "ｆ, 2", "🦊, 2"})
  void aTextHasTheWidthThatATerminalGivesIt(String text, int columns) {
    assertEquals(columns, TerminalText.width(text));
    assertEquals(10, TerminalText.width(TerminalText.padded(text, 10)));
    assertTrue(TerminalText.width(TerminalText.shortened(text.repeat(9), 8)) <= 8);
  }
}
