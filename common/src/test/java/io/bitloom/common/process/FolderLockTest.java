package io.bitloom.common.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FolderLockTest {

  private static final Duration LONG = Duration.ofMinutes(2);

  @TempDir Path folder;

  /** Takes a folder, says so, and holds it until it is killed. */
  static final class HolderMain {
    private HolderMain() {}

    public static void main(String[] arguments) throws Exception {
      try (FolderLock lock = FolderLock.take(Path.of(arguments[0]), FolderLock.UP, "the holder")) {
        System.out.println("held");
        Thread.sleep(Long.MAX_VALUE);
      }
    }
  }

  @Test
  void theSecondIsToldWhoHoldsTheFolderAndAKillLetsGoOfIt() throws Exception {
    Process holder = holder();
    try {
      FolderInUseException refused =
          assertThrows(
              FolderInUseException.class,
              () -> FolderLock.take(folder, FolderLock.UP, "the second"));
      String message = refused.getMessage();
      assertTrue(
          message.startsWith(
              folder + " belongs to process " + holder.pid() + " (the holder), which runs since 2"),
          message);
      assertEquals(1, message.lines().count());
    } finally {
      holder.destroyForcibly();
    }
    FolderLock.awaitFree(folder, FolderLock.UP, "the third", LONG);
  }

  private Process holder() throws Exception {
    Process holder =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty(
                    "surefire.test.class.path", System.getProperty("java.class.path")),
                HolderMain.class.getName(),
                folder.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    BufferedReader said =
        new BufferedReader(new InputStreamReader(holder.getInputStream(), StandardCharsets.UTF_8));
    assertEquals("held", said.readLine());
    return holder;
  }

  @Test
  void inOneProcessToo() throws Exception {
    Path data = folder.resolve("not/there/yet");
    try (FolderLock first = FolderLock.take(data, FolderLock.COORDINATOR, "x")) {
      assertThrows(
          FolderInUseException.class,
          () -> FolderLock.take(data, FolderLock.COORDINATOR, "y"),
          first::toString);
      FolderLock.take(data, FolderLock.UP, "another file").close();
    }
    FolderLock.take(data, FolderLock.COORDINATOR, "y").close();
  }

  @Test
  void aRecordThatIsNoneIsAnotherProcess() throws Exception {
    try (FolderLock first = FolderLock.take(folder, FolderLock.UP, "x")) {
      for (String record : List.of("", "[1]", "{\"pid\": \"x\"}", "{}", "x".repeat(200_000))) {
        Files.writeString(folder.resolve(FolderLock.UP), record);
        FolderInUseException refused =
            assertThrows(
                FolderInUseException.class,
                () -> FolderLock.take(folder, FolderLock.UP, "y"),
                first::toString);
        assertTrue(refused.getMessage().contains("another process"), refused.getMessage());
      }
    }
  }
}
