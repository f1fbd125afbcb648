package io.bitloom.loadtests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Users that have no home, as containers have them that run under a random number. */
class HomelessIT {

  private static final List<String> NO_HOME =
      List.of("env", "-u", "HOME", "-u", "XDG_CACHE_HOME", "BITLOOM_BUILD=never");
  private static final int STRANGER = 12_345;

  @TempDir Path folder;

  @Test
  void withoutAHomeTheCacheIsAPrivateTemporaryFolder() throws Exception {
    Object user = Files.getAttribute(folder, "unix:uid");

    BitloomProcess generate = generate(NO_HOME);

    assertEquals(0, generate.exitCode(), generate::said);
    assertPrivateCache(user);
  }

  @Test
  void aUserThatNoPasswdFileKnowsCanDraw() throws Exception {
    assumeTrue(Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0), "needs root");
    assumeTrue(strangersCanRead(BitloomProcess.HOME), "the repository is for its owner alone");
    Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxrwxrwx"));
    List<String> command = new ArrayList<>(stranger());
    command.addAll(NO_HOME);
    assumeTrue(
        BitloomProcess.startProgram(folder, "setpriv", plus(stranger(), "true")).exitCode() == 0,
        "setpriv cannot be used here");

    BitloomProcess generate = generate(command);

    assertEquals(0, generate.exitCode(), generate::said);
    assertPrivateCache(STRANGER);
  }

  @Test
  void theCacheHomeIsWhereNativeLibrariesAndModelsGo() throws Exception {
    Path cache = folder.resolve("cache");

    BitloomProcess generate =
        generate(List.of("env", "BITLOOM_BUILD=never", "XDG_CACHE_HOME=" + cache));

    assertEquals(0, generate.exitCode(), generate::said);
    assertEquals(List.of("javacpp", "models", "verified"), names(cache.resolve("bitloom")));
  }

  private static List<String> stranger() {
    return List.of("setpriv", "--reuid=" + STRANGER, "--regid=" + STRANGER, "--clear-groups");
  }

  private void assertPrivateCache(Object user) throws IOException {
    Path cache = folder.resolve("bitloom-" + user);
    assertEquals("rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(cache)));
    assertEquals(List.of("javacpp", "models", "verified"), names(cache));
    assertFalse(Files.exists(folder.resolve("?")), "a folder with the name of no home");
  }

  private BitloomProcess generate(List<String> prefix) throws IOException {
    List<String> command = new ArrayList<>(prefix);
    command.add("BITLOOM_JAVA_OPTS=-Duser.home=? -Djava.io.tmpdir=" + folder);
    command.addAll(List.of(BitloomProcess.HOME.resolve("bitloom").toString(), "generate", "apple"));
    command.add("--out=" + folder.resolve("out"));
    return BitloomProcess.startProgram(folder, "generate", command);
  }

  private static List<String> plus(List<String> command, String word) {
    List<String> longer = new ArrayList<>(command);
    longer.add(word);
    return longer;
  }

  private static boolean strangersCanRead(Path path) throws IOException {
    for (Path part = path; part != null; part = part.getParent()) {
      if (!Files.getPosixFilePermissions(part).contains(PosixFilePermission.OTHERS_EXECUTE)) {
        return false;
      }
    }
    return true;
  }

  private static List<String> names(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      List<String> names = files.map(file -> file.getFileName().toString()).sorted().toList();
      assertTrue(names.size() > 0, folder::toString);
      return names;
    }
  }
}
