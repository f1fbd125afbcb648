package io.bitloom.loadtests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ScriptIT {

  private static final Path SCRIPT = BitloomProcess.HOME.resolve("bitloom");

  @TempDir Path folder;

  @Test
  void theScriptWorksThroughSymbolicLinksFromAnyFolder() throws Exception {
    Path link = Files.createSymbolicLink(folder.resolve("link"), SCRIPT);
    Files.createDirectory(folder.resolve("bin"));
    Files.createSymbolicLink(folder.resolve("bin/bitloom"), Path.of("../link"));

    BitloomProcess version = run(List.of(folder.resolve("bin/bitloom").toString(), "--version"));

    assertEquals(0, version.exitCode(), version::said);
    assertTrue(version.out().startsWith("Bitloom "), link + ": " + version.said());
  }

  @Test
  void anOldJavaIsNamed() throws Exception {
    Path home = javaHome("JAVA_VERSION=\"11.0.2\"", "exit 3");

    BitloomProcess version = run(withJavaHome(home));

    assertEquals(1, version.exitCode());
    assertTrue(version.err().contains("needs Java 17 or newer"), version::said);
    assertTrue(version.err().contains("is version 11"), version::said);
  }

  @Test
  void aJavaHomeWithoutJavaIsNamed() throws Exception {
    BitloomProcess version = run(withJavaHome(folder.resolve("nowhere")));

    assertEquals(1, version.exitCode());
    assertTrue(version.err().contains("JAVA_HOME is " + folder.resolve("nowhere")));
  }

  @Test
  void withoutItsJarsAndWithoutABuildItSaysHowToBuild() throws Exception {
    Path copy = Files.copy(SCRIPT, folder.resolve("bitloom"));

    BitloomProcess version = run(List.of(copy.toString(), "--version"));

    assertEquals(1, version.exitCode());
    assertTrue(version.err().contains("mvn -DskipTests package"), version::said);
  }

  @Test
  void severalStartsAtOnceBuildOnce() throws Exception {
    String start = startOfACopyThatBuilds();

    BitloomProcess both =
        run(List.of("sh", "-c", start + " & " + start + " & wait; " + start + " 2>&1"));

    assertEquals(0, both.exitCode(), both::said);
    assertEquals(3, both.out().lines().filter("started"::equals).count(), both::said);
    assertEquals(1, Files.readAllLines(folder.resolve("builds")).size(), both::said);
  }

  @Test
  void whatWasBuiltForGpusIsBuiltForThemAgain() throws Exception {
    String start = startOfACopyThatBuilds();
    Path libtorch = folder.resolve("worker/service/target/lib/pytorch-1-linux-x86_64-gpu.jar");

    assertEquals(0, run(List.of("sh", "-c", start)).exitCode());
    Files.createFile(libtorch);
    Files.delete(folder.resolve("client/target/bitloom-client.jar"));
    assertEquals(0, run(List.of("sh", "-c", start)).exitCode());
    Files.delete(libtorch);
    Files.delete(folder.resolve("client/target/bitloom-client.jar"));
    assertEquals(0, run(List.of("sh", "-c", start)).exitCode());

    List<Boolean> forGpus =
        Files.readAllLines(folder.resolve("builds")).stream()
            .map(build -> (" " + build + " ").contains(" -Pgpu "))
            .toList();
    assertEquals(List.of(false, true, false), forGpus);
  }

  /** A copy of the script with a Maven that takes note of its arguments. */
  private String startOfACopyThatBuilds() throws IOException {
    Path copy = Files.copy(SCRIPT, folder.resolve("bitloom"));
    executable(
        folder.resolve("mvn"),
        "echo \"$*\" >>" + folder.resolve("builds"),
        "sleep 1",
        "for m in client coordinator worker/service; do",
        "  mkdir -p "
            + folder
            + "/$m/target/lib; touch "
            + folder
            + "/$m/target/bitloom-${m%/service}.jar",
        "done");
    Path home = javaHome("JAVA_VERSION=\"17\"", "echo started");
    executable(home.resolve("bin/javac"), "exit 0");
    Files.createFile(folder.resolve("pom.xml"));
    Files.createDirectory(folder.resolve("proto"));
    Files.createDirectory(folder.resolve("common"));
    return "PATH=" + folder + ":$PATH JAVA_HOME=" + home + " BITLOOM_BUILD= " + copy;
  }

  private List<String> withJavaHome(Path home) {
    return List.of("env", "JAVA_HOME=" + home, SCRIPT.toString(), "--version");
  }

  private Path javaHome(String release, String java) throws IOException {
    Path home = Files.createDirectories(folder.resolve("jdk/bin")).getParent();
    executable(home.resolve("bin/java"), java);
    Files.writeString(home.resolve("release"), release + "\n");
    return home;
  }

  private static void executable(Path file, String... lines) throws IOException {
    Files.writeString(file, "#!/bin/sh\n" + String.join("\n", lines) + "\n");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  private BitloomProcess run(List<String> command) throws Exception {
    return BitloomProcess.startProgram(folder, "run", command);
  }
}
