package io.bitloom.images;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
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
  void theImageForGpusNeedsABaseAndSaysWhatThatMustHave() {
    String refusal = refusal("--image", "bitloom-worker-cuda");

    assertTrue(refusal.contains("needs --base"), refusal);
    assertTrue(refusal.contains("libcudart.so.13, libcupti.so.13"), refusal);
  }

  /** The engine's table, which is compared with the libraries of the build for GPUs. */
  @Test
  void theImageNamesTheLibrariesThatTheBuildForGpusNeeds() throws IOException {
    Path table =
        Path.of(
            "../../worker/engine/src/main/resources/io/bitloom/engine/tensor/link/cuda-libraries.tsv");
    List<String> needed =
        Files.readAllLines(table).stream()
            .filter(line -> !line.startsWith("#"))
            .map(line -> line.split("\t")[0])
            .toList();

    assertTrue(needed.size() > 10, needed.toString());
    assertEquals(needed, Program.WORKER_CUDA.hostLibraries());
    assertEquals(List.of(), Program.WORKER.hostLibraries());
  }

  @Test
  void aJarIsKnownByItsName() throws IOException {
    assertEquals(
        new Artifact("org.bytedeco", "cuda", "13.3-9.25-1.5.14", Optional.of("linux-x86_64")),
        artifact("cuda-13.3-9.25-1.5.14-linux-x86_64.jar"));
    assertEquals(
        new Artifact("org.bytedeco", "cuda", "13.3-9.25-1.5.14", Optional.empty()),
        artifact("cuda-13.3-9.25-1.5.14.jar"));
    assertThrows(IOException.class, () -> artifact("cudart-13.jar"));
  }

  private static Artifact artifact(String file) throws IOException {
    return Artifact.of("org.bytedeco", "cuda", "linux-x86_64", Path.of("gpu", file));
  }

  @Test
  void anImageThatThereIsNotIsRefusedWithThoseThereAre() {
    assertTrue(refusal("--image", "bitloom").contains("bitloom-coordinator, bitloom-worker"));
  }
}
