package io.bitloom.client.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class ComeBackTest {

  private static final Path FILE = Path.of("prompts.jsonl");
  private static final Path OUT = Path.of("out");

  private final StringWriter err = new StringWriter();
  private final Console console =
      new Console(new PrintWriter(new StringWriter()), new PrintWriter(err), false, 0, false);

  @Test
  void whoStopsWatchingIsToldHowToGoOnWatching() {
    ComeBack.toFollow(console, "jobs/a", null).close();
    assertEquals("jobs/a goes on. Come back with:\n  ./bitloom watch jobs/a\n", err.toString());
  }

  @Test
  void whoStopsFetchingIsToldHowToFetchTheRest() {
    ComeBack.toFollow(console, "jobs/a", OUT).close();
    assertEquals(
        "jobs/a goes on. Come back with:\n  ./bitloom results jobs/a --out out --follow\n",
        err.toString());
  }

  @Test
  void aFileThatWasNotAllSentIsToBeSentAgain() {
    ComeBack.toSubmit(console, "jobs/a", FILE, "csv", OUT).close();
    assertEquals(
        "jobs/a does not have all its prompts yet. Go on with:\n"
            + "  ./bitloom submit prompts.jsonl --input-format csv --resume jobs/a --out out\n",
        err.toString());
  }

  @Test
  void aFileThatWasAllSentIsNotSentAgain() {
    try (ComeBack comeBack = ComeBack.toSubmit(console, "jobs/a", FILE, null, null)) {
      comeBack.allIsSent(null);
    }
    assertEquals("jobs/a goes on. Come back with:\n  ./bitloom watch jobs/a\n", err.toString());
  }

  @Test
  void whoAskedNotToWaitWasNotInterrupted() {
    StringWriter out = new StringWriter();
    Console json = new Console(new PrintWriter(out), new PrintWriter(err), true, 0, false);
    try (ComeBack comeBack = ComeBack.toSubmit(json, "jobs/a", FILE, null, null)) {
      comeBack.allIsSent(null);
      comeBack.left();
    }
    ComeBack.toFollow(json, "jobs/b", null).close();
    assertEquals(
        "{\"event\":\"submitted\",\"job\":\"jobs/a\",\"come_back\":\"./bitloom watch jobs/a\"}\n"
            + "{\"event\":\"interrupted\",\"job\":\"jobs/b\",\"come_back\":\"./bitloom watch jobs/b\"}\n",
        out.toString());
  }

  @Test
  void whenAllIsDoneThereIsNothingToSay() {
    try (ComeBack comeBack = ComeBack.toFollow(console, "jobs/a", null)) {
      comeBack.done();
    }
    assertEquals("", err.toString());
  }
}
