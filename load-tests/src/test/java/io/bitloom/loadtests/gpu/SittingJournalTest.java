package io.bitloom.loadtests.gpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SittingJournalTest {
  private static final JsonObject IDENTITY = new Row().with("batch", 8).json();

  @TempDir Path folder;

  @Test
  void whatWasMeasuredIsKnownToTheNextProcess() throws IOException {
    SittingJournal.open(folder).end("a", "Drawing", new Row().with("s", 2.5).json());

    SittingJournal next = SittingJournal.open(folder);

    assertTrue(next.has("a"));
    assertEquals(2.5, next.row("a").get("s").getAsDouble());
    assertFalse(next.has("b"));
  }

  @Test
  void aMeasurementInWhichTheProcessEndedIsARowThatSaysSo() throws IOException {
    SittingJournal.open(folder).begin("a", "Drawing", IDENTITY);

    SittingJournal.open(folder);
    SittingJournal third = SittingJournal.open(folder);

    assertEquals(1, third.entries().size());
    assertEquals("{\"batch\":8,\"failed\":\"the process ended in it\"}", third.row("a").toString());
  }

  @Test
  void halfALineIsNothingAndWhatFollowsIsRead() throws IOException {
    SittingJournal.open(folder).end("a", "Drawing", IDENTITY);
    Files.writeString(
        folder.resolve("sitting.jsonl"), "\n{\"key\": \"b", StandardOpenOption.APPEND);

    SittingJournal.open(folder).end("c", "Drawing", IDENTITY);
    SittingJournal third = SittingJournal.open(folder);

    assertTrue(third.has("a") && third.has("c"));
    assertEquals(2, third.entries().size());
  }
}
