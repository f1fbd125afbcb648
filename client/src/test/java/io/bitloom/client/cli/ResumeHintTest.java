package io.bitloom.client.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class ResumeHintTest {

  private static final ShellCommand WATCH = ShellCommand.of("watch", "jobs/a");

  private final StringWriter err = new StringWriter();
  private final Console console =
      new Console(new PrintWriter(new StringWriter()), new PrintWriter(err), false, 0, false);

  @Test
  void whoStopsWatchingIsToldHowToGoOnWatching() {
    ResumeHint.toFollow(console, "jobs/a", WATCH).close();
    assertEquals("jobs/a goes on. Come back with:\n  ./bitloom watch jobs/a\n", err.toString());
  }

  @Test
  void whoStopsFetchingIsToldHowToFetchTheRest() {
    ShellCommand results = ShellCommand.of("results", "jobs/a").with("--out", Path.of("my out"));
    try (ResumeHint resumeHint = ResumeHint.notYet(console)) {
      resumeHint.fetches("jobs/a", results);
    }
    assertEquals(
        "jobs/a is not all here. Fetch the rest with:\n"
            + "  ./bitloom results jobs/a --out 'my out'\n",
        err.toString());
  }

  @Test
  void aFileThatWasNotAllSentIsToBeSentAgain() {
    ShellCommand submit = ShellCommand.of("submit", "it's.csv").with("--resume", "jobs/a");
    try (ResumeHint resumeHint = ResumeHint.notYet(console)) {
      resumeHint.submits("jobs/a", submit);
    }
    assertEquals(
        "jobs/a does not have all its prompts yet. Go on with:\n"
            + "  ./bitloom submit 'it'\\''s.csv' --resume jobs/a\n",
        err.toString());
  }

  @Test
  void aFileThatWasAllSentIsNotSentAgain() {
    ShellCommand submit = ShellCommand.of("submit", "prompts.jsonl");
    try (ResumeHint resumeHint = ResumeHint.notYet(console)) {
      resumeHint.submits("jobs/a", submit);
      resumeHint.allIsSent("jobs/a", WATCH);
    }
    assertEquals("jobs/a goes on. Come back with:\n  ./bitloom watch jobs/a\n", err.toString());
  }

  @Test
  void whileThereIsNoJobThereIsNothingToSay() {
    ResumeHint.notYet(console).close();
    assertEquals("", err.toString());
  }

  @Test
  void whoAskedNotToWaitWasNotInterrupted() {
    StringWriter out = new StringWriter();
    Console json = new Console(new PrintWriter(out), new PrintWriter(err), true, 0, false);
    try (ResumeHint resumeHint = ResumeHint.notYet(json)) {
      resumeHint.allIsSent("jobs/a", WATCH);
      resumeHint.left();
    }
    ResumeHint.toFollow(json, "jobs/b", WATCH).close();
    assertEquals(
        "{\"event\":\"submitted\",\"job\":\"jobs/a\",\"come_back\":\""
            + WATCH
            + "\"}\n"
            + "{\"event\":\"interrupted\",\"job\":\"jobs/b\",\"come_back\":\""
            + WATCH
            + "\"}\n",
        out.toString());
  }

  @Test
  void whenAllIsDoneThereIsNothingToSay() {
    try (ResumeHint resumeHint = ResumeHint.toFollow(console, "jobs/a", WATCH)) {
      resumeHint.done();
    }
    assertEquals("", err.toString());
  }
}
