package io.bitloom.client.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RotatingLogTest {

  @TempDir Path folder;

  private Path file() {
    return folder.resolve("100%d worker.log");
  }

  private static void write(RotatingLog log, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    log.write(bytes, bytes.length);
  }

  @Test
  void whatWasThereStays() throws IOException {
    Files.writeString(file(), "earlier\n");
    try (RotatingLog log = new RotatingLog(file())) {
      write(log, "now\n");
    }
    assertEquals("earlier\nnow\n", Files.readString(file()));
  }

  @Test
  void oldFilesAreKeptAndTheOldestGo() throws IOException {
    try (RotatingLog log = new RotatingLog(file(), 20, 2)) {
      for (int i = 1; i <= 9; i++) {
        write(log, "line number " + i + "\n");
      }
    }
    List<String> all = all();
    assertTrue(all.get(2).endsWith("line number 9\n"), all.toString());
    assertEquals(3, all.size(), all.toString());
    assertTrue(!String.join("", all).contains("number 1\n"), all.toString());
  }

  @Test
  void aLineStaysInOneFileHoweverItsBytesCome() throws IOException {
    String text = "first line\nsecond line\nthird line\nfourth line\n";
    try (RotatingLog log = new RotatingLog(file(), 15, 9)) {
      for (int i = 0; i < text.length(); i += 4) {
        write(log, text.substring(i, Math.min(text.length(), i + 4)));
      }
    }
    List<String> all = all();
    assertTrue(all.size() > 1, all.toString());
    assertEquals(text, String.join("", all));
    all.forEach(part -> assertTrue(part.isEmpty() || part.endsWith("\n"), all.toString()));
  }

  @Test
  void aProgramGoesOnWhereItsLogCannotBeWritten() throws IOException {
    Files.createDirectory(file());
    try (RotatingLog log = new RotatingLog(file())) {
      write(log, "lost\n");
      Files.delete(file());
      write(log, "kept\n");
    }
    assertEquals("kept\n", Files.readString(file()));
  }

  /** What the files hold, the oldest first. */
  private List<String> all() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files
          .sorted((a, b) -> b.toString().compareTo(a.toString()))
          .map(RotatingLogTest::read)
          .toList();
    }
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }
}
