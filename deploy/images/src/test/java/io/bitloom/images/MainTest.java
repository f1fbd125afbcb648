package io.bitloom.images;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class MainTest {

  @TempDir Path directory;

  private String refusal(String... options) {
    StringWriter said = new StringWriter();
    CommandLine line = Main.commandLine().setErr(new PrintWriter(said));
    String[] all = new String[options.length + 6];
    System.arraycopy(
        new String[] {
          "--home", ".", "--created", "0", "--out", directory.resolve("out").toString()
        },
        0,
        all,
        0,
        6);
    System.arraycopy(options, 0, all, 6, options.length);
    assertEquals(CommandLine.ExitCode.USAGE, line.execute(all));
    assertTrue(Files.notExists(directory.resolve("out")));
    return said.toString();
  }

  @Test
  void aBaseWithoutADigestIsRefused() {
    assertTrue(refusal("--base", "nvidia/cuda:13.0.2").contains("--base: expected IMAGE@sha256:"));
  }

  @Test
  void theImageForGpusNeedsABase() {
    assertTrue(refusal("--image", "bitloom-worker-cuda").contains("needs --base"));
  }

  @Test
  void anImageThatThereIsNotIsRefusedWithThoseThereAre() {
    assertTrue(refusal("--image", "bitloom").contains("bitloom-coordinator, bitloom-worker"));
  }
}
