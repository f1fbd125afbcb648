package io.bitloom.common.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class UserCacheTest {

  @TempDir Path folder;
  private Path home;
  private Path temporary;

  @BeforeEach
  void makeFolders() throws IOException {
    home = Files.createDirectory(folder.resolve("home"));
    temporary = Files.createDirectory(folder.resolve("tmp"));
  }

  @Test
  void theCacheHomeGoesBeforeTheHome() {
    Path cache = folder.resolve("a/cache");

    assertEquals(
        cache.resolve("bitloom"),
        root(Map.of("XDG_CACHE_HOME", cache.toString(), "HOME", home.toString()), "?"));
    assertEquals(home.resolve(".cache/bitloom"), root(Map.of("HOME", home.toString()), "?"));
    assertEquals(home.resolve(".cache/bitloom"), root(Map.of(), home.toString()));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "relative", "/", "/no-such-home", "/dev/null", "?", "bad\0name"})
  void whatIsNoHomeIsPassedOver(String none) throws IOException {
    Path root = root(Map.of("XDG_CACHE_HOME", "relative", "HOME", none), "?");

    assertEquals(temporary, root.getParent());
    assertEquals("rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(root)));
    assertEquals(root, root(Map.of("XDG_CACHE_HOME", "/dev/null/x"), none), "kept for later runs");
  }

  @Test
  void aTemporaryFolderOfSomebodyElseIsNotTrusted() throws IOException {
    Path expected = root(Map.of(), "?");
    Files.setPosixFilePermissions(expected, PosixFilePermissions.fromString("rwxrwxrwx"));

    Path other = root(Map.of(), "?");

    assertNotEquals(expected, other);
    assertEquals("rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(other)));

    Files.delete(expected);
    Files.createSymbolicLink(expected, home);
    assertNotEquals(expected, root(Map.of(), "?"));
    assertTrue(Files.isSymbolicLink(expected));
  }

  private Path root(Map<String, String> environment, String userHome) {
    return UserCache.root(environment, userHome, temporary);
  }
}
