package io.bitloom.client.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class JobProgressTest {

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();
  private long nanos;

  @Test
  void aTerminalGetsABarWithCountSpeedAndTimeLeft() {
    JobProgress progress = progress(false, 80);

    passSeconds(10);
    progress.update(11, 1, 0, 20);

    String line = err.toString();
    assertTrue(line.contains("10/40  2.0 images/s  26 s left  1 failed"), line);
    assertTrue(line.contains("████████░░"), line);
    assertEquals("", out.toString());
  }

  @Test
  void theBarFitsANarrowTerminal() {
    JobProgress progress = progress(false, 50);

    passSeconds(10);
    progress.update(10, 0, 0, 20);

    String line = err.toString().replaceAll("\r\u001b\\[K", "");
    assertTrue(line.length() < 50, line);
  }

  @Test
  void aLogGetsPlainLinesNowAndThen() {
    JobProgress progress = progress(false, 0);

    for (int done = 1; done <= 40; done++) {
      passSeconds(1);
      progress.update(done, 0, 0, done);
    }

    assertFalse(out.toString().contains("\u001b"), out.toString());
    assertEquals(9, out.toString().lines().count());
    assertTrue(out.toString().endsWith("40/40  1.0 images/s\n"), out.toString());
    assertEquals("", err.toString());
  }

  @Test
  void aMachineGetsObjects() {
    JobProgress progress = progress(true, 80);

    passSeconds(10);
    progress.update(11, 1, 0, 20);

    assertEquals(
        "{\"event\":\"progress\",\"phase\":\"draw\",\"job\":\"jobs/1\",\"done\":10,\"total\":40,\"failed\":1,"
            + "\"cancelled\":0,\"images_per_second\":2.0,\"eta_seconds\":26}\n",
        out.toString());
    assertEquals("", err.toString());
  }

  @Test
  void whatFailedOrWasCancelledIsNotDone() {
    JobProgress progress = progress(false, 80);

    passSeconds(10);
    progress.update(40, 3, 37, 0);

    String line = err.toString();
    assertTrue(line.contains("0/40  3 failed  37 cancelled"), line);
    assertFalse(line.contains("█"), line);
  }

  @Test
  void theSpeedIsThatOfTheLastHalfMinute() {
    JobProgress progress = progress(true, 0);

    passSeconds(1000);
    progress.update(1, 0, 0, 1);
    for (int done = 2; done <= 40; done++) {
      passSeconds(1);
      progress.update(done, 0, 0, 2L * done);
    }

    assertTrue(out.toString().endsWith("\"images_per_second\":2.0,\"eta_seconds\":0}\n"));
  }

  @Test
  void whatHindersTheJobIsSaidInPlaceOfASpeed() {
    JobProgress progress = progress(false, 80);
    passSeconds(10);
    progress.update(10, 0, 0, 20);

    progress.hindered("no worker is connected");

    assertTrue(lastLine().endsWith("10/40  no worker is connected"), lastLine());
  }

  @Test
  void afterAnOutageTheSpeedIsMeasuredAnew() {
    JobProgress progress = progress(false, 80);
    passSeconds(10);
    progress.update(1, 0, 0, 1);
    progress.hindered("the coordinator does not answer, trying again");
    passSeconds(10);
    progress.update(21, 0, 0, 21); // drawn during the outage
    progress.hindered("");
    passSeconds(5);
    progress.update(26, 0, 0, 26);

    assertTrue(lastLine().endsWith("26/40  1.0 images/s  14 s left"), lastLine());
  }

  @Test
  void whatWasDrawnBeforeIsFetchedWithoutASpeed() {
    JobProgress progress = progress(false, 80);
    progress.catchUp(20);
    for (int done = 1; done <= 20; done++) {
      passSeconds(1);
      progress.update(done, 0, 0, 100L * done);
    }
    passSeconds(10);
    progress.update(21, 0, 0, 2010);

    assertTrue(lastLine().endsWith("21/40  1.0 images/s  3 min 10 s left"), lastLine());
  }

  @Test
  void aJobThatStandsStillGetsSlower() {
    JobProgress progress = progress(false, 80);
    passSeconds(10);
    progress.update(10, 0, 0, 20);
    for (int i = 0; i < 40; i++) {
      passSeconds(1);
      progress.hindered("");
    }

    assertTrue(lastLine().endsWith("10/40"), lastLine());
  }

  @Test
  void aLogSaysOnceWhatHindersTheJob() {
    JobProgress progress = progress(false, 0);
    progress.update(10, 0, 0, 20);
    for (int i = 0; i < 40; i++) {
      passSeconds(1);
      progress.hindered("no worker is connected");
    }

    assertEquals("10/40\n10/40  no worker is connected\n", out.toString());
  }

  @Test
  void aMachineGetsTheObstacleAsAField() {
    JobProgress progress = progress(true, 0);

    progress.hindered("no worker is connected");

    assertTrue(
        out.toString().endsWith("\"obstacle\":\"no worker is connected\"}\n"), out.toString());
  }

  private String lastLine() {
    String text = err.toString();
    return text.substring(text.lastIndexOf('\r') + "\r\u001b[K".length());
  }

  @ParameterizedTest
  @CsvSource({"42,42 s", "185,3 min 5 s", "7800,2 h 10 min", "273600,3 d 4 h"})
  void durationsAreShort(long seconds, String text) {
    assertEquals(text, JobProgress.duration(seconds));
  }

  private JobProgress progress(boolean json, int columns) {
    Console console = new Console(new PrintWriter(out), new PrintWriter(err), json, columns, false);
    return new JobProgress(console, "draw", "jobs/1", 40, 0, 0, () -> nanos);
  }

  private void passSeconds(long seconds) {
    nanos += TimeUnit.SECONDS.toNanos(seconds);
  }
}
