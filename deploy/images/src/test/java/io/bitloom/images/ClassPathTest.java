package io.bitloom.images;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ClassPathTest {

  private static final byte[] LIBRARY = {
    0x7f, 'E', 'L', 'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 62, 0
  };

  @TempDir Path directory;
  private Path jars;
  private Path natives;
  private ClassPath classPath;

  @BeforeEach
  void make() throws IOException {
    jars = Files.createDirectory(directory.resolve("lib"));
    natives = Files.createDirectory(directory.resolve("natives"));
    classPath = new ClassPath(jars, natives);
  }

  private Path jar(String name, Map<String, byte[]> entries) throws IOException {
    Path jar = directory.resolve(name);
    try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(jar))) {
      for (Map.Entry<String, byte[]> entry : new TreeMap<>(entries).entrySet()) {
        zip.putNextEntry(new ZipEntry(entry.getKey()));
        zip.write(entry.getValue());
        zip.closeEntry();
      }
    }
    return jar;
  }

  @Test
  void aJarWithoutLibrariesStaysAsItIs() throws IOException {
    Path jar = jar("plain.jar", Map.of("a/B.class", new byte[] {1, 2}));
    classPath.add(jar);
    assertEquals(-1, Files.mismatch(jar, jars.resolve("plain.jar")));
    assertEquals(List.of("plain.jar"), classPath.names());
    assertEquals(Set.of(), classPath.libraryFolders());
  }

  @Test
  void librariesLieBesideTheirJarAndThoseOfOthersAreGone() throws IOException {
    classPath.add(
        jar(
            "native.jar",
            Map.of(
                "a/B.class", new byte[] {1, 2},
                "a/linux-x86_64/libb.so.1", LIBRARY,
                "a/win/b.dll", new byte[] {'M', 'Z'})));
    assertEquals(Set.of("library-path/a/linux-x86_64"), classPath.libraryFolders());
    assertEquals(
        LIBRARY.length, (int) Files.size(natives.resolve("library-path/a/linux-x86_64/libb.so.1")));
    try (ZipFile rest = new ZipFile(jars.resolve("native.jar").toFile())) {
      assertEquals(1, rest.size());
      assertNull(rest.getEntry("a/win/b.dll"));
    }
  }

  @Test
  void whatJavaCppLoadsIsOnTheClassPathAlone() throws IOException {
    String entry = "org/bytedeco/openblas/linux-x86_64/libopenblas.so.0";
    classPath.add(jar("openblas.jar", Map.of(entry, LIBRARY)));
    assertEquals(Set.of(), classPath.libraryFolders());
    assertTrue(
        Files.exists(
            natives
                .resolve(ClassPath.resources())
                .resolve(entry)
                .resolveSibling("libopenblas_nolapack.so.0")));
  }

  @Test
  void anEntryThatLeadsElsewhereIsRefused() throws IOException {
    Path jar = jar("bad.jar", Map.of("../libx.so", LIBRARY));
    assertThrows(IOException.class, () -> classPath.add(jar));
  }
}
