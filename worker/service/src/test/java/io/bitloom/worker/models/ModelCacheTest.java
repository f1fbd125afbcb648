package io.bitloom.worker.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.blobs.FileDigest;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.model.ModelManifest;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files of a few bytes, in a real folder. */
class ModelCacheTest {

  private static final int FILE_BYTES = 100;

  @TempDir Path folder;

  private final List<String> fetched = new ArrayList<>();
  private final Map<String, byte[]> store = new HashMap<>();
  private ModelCache cache;

  @BeforeEach
  void start() {
    cache = new ModelCache(folder.resolve("cache"), 3 * FILE_BYTES);
  }

  /** A version with files, each of which is known by a letter. */
  private byte[] version(String name, String letters) throws IOException {
    Map<String, String> digests = new HashMap<>();
    for (char letter : letters.toCharArray()) {
      byte[] content = String.valueOf(letter).repeat(FILE_BYTES).getBytes(StandardCharsets.UTF_8);
      String sha256 = FileDigest.of(Files.write(folder.resolve("file"), content));
      store.put(sha256, content);
      digests.put("file-" + letter, sha256);
    }
    return ("{\"name\": \"m\", \"description\": \""
            + name
            + "\", \"sizes\": [\"0.06M\"], \"sha256\": {"
            + digests.entrySet().stream()
                .map(file -> "\"" + file.getKey() + "\": \"" + file.getValue() + "\"")
                .collect(Collectors.joining(", "))
            + "}}")
        .getBytes(StandardCharsets.UTF_8);
  }

  private ModelCache.Held open(byte[] json) throws IOException {
    Map<String, Long> sizes =
        ModelManifest.parse(json).files().keySet().stream()
            .collect(Collectors.toMap(name -> name, name -> (long) FILE_BYTES));
    return cache.open(json, sizes, this::read, bytes -> {});
  }

  private InputStream read(String sha256, long offset) {
    byte[] content = store.get(sha256);
    fetched.add(String.valueOf((char) content[0]));
    return new ByteArrayInputStream(content, (int) offset, content.length);
  }

  private static String content(ModelCache.Held held, String file) throws IOException {
    return Files.readString(held.folder().resolve(file)).substring(0, 1);
  }

  private List<String> kept() throws IOException {
    try (Stream<Path> versions = Files.list(folder.resolve("cache/versions"))) {
      return versions
          .filter(Files::isDirectory)
          .map(version -> version.getFileName().toString())
          .sorted()
          .toList();
    }
  }

  private static String nameOf(byte[] json) {
    return ModelManifest.parse(json).versionName();
  }

  @Test
  void versionsShareFilesAndAreFetchedOnce() throws Exception {
    byte[] first = version("first", "ab");
    byte[] second = version("second", "bc");
    try (ModelCache.Held one = open(first);
        ModelCache.Held two = open(second)) {
      assertEquals("a", content(one, "file-a"));
      assertEquals("b", content(two, "file-b"));
      assertEquals("model.json", one.folder().resolve("model.json").getFileName().toString());
    }
    open(first).close();
    assertEquals(List.of("a", "b", "c"), fetched.stream().sorted().toList());
  }

  @Test
  void whatWasOpenedLongestAgoMakesRoomAndWhatIsOpenStays() throws Exception {
    byte[] oldest = version("oldest", "a");
    byte[] open = version("open", "b");
    byte[] newer = version("newer", "c");
    open(oldest).close();
    try (ModelCache.Held held = open(open)) {
      open(newer).close();
      open(version("large", "de")).close();
      assertTrue(Files.exists(held.folder().resolve("file-b")));
      assertFalse(kept().contains(nameOf(oldest)));
      assertFalse(kept().contains(nameOf(newer)));
      IOException full =
          assertThrows(IOException.class, () -> open(version("too large", "fgh")).close());
      assertTrue(full.getMessage().contains("--model-cache-size"), full.getMessage());
    }
    try (Stream<Path> blobs = Files.list(folder.resolve("cache/blobs"))) {
      long bytes =
          blobs.filter(blob -> blob.getFileName().toString().length() == 64).count() * FILE_BYTES;
      assertTrue(bytes <= 3 * FILE_BYTES, bytes + " bytes");
    }
  }

  @Test
  void aFileOfSharedVersionsGoesWithTheLastOfThem() throws Exception {
    byte[] first = version("first", "ab");
    byte[] second = version("second", "b");
    open(first).close();
    try (ModelCache.Held held = open(second)) {
      open(version("other", "cd")).close(); // first goes, and takes only a with it
      assertEquals("b", content(held, "file-b"));
    }
    open(second).close();
    assertEquals(1, fetched.stream().filter("b"::equals).count(), fetched.toString());
  }

  @Test
  void otherBytesThanTheVersionNamesAreNotKept() throws Exception {
    byte[] json = version("wrong", "a");
    String sha256 = ModelManifest.parse(json).files().get("file-a");
    byte[] right = store.put(sha256, "x".repeat(FILE_BYTES).getBytes(StandardCharsets.UTF_8));
    BitloomException corrupt = assertThrows(BitloomException.class, () -> open(json));
    assertEquals(ErrorCode.RESULT_CORRUPT, corrupt.code());
    store.put(sha256, right);
    try (ModelCache.Held held = open(json)) {
      assertEquals("a", content(held, "file-a"));
    }
  }

  /** Another process opens a version, says so, and has it open until its input ends. */
  static final class Opener {

    private Opener() {}

    public static void main(String[] arguments) throws IOException {
      byte[] json = Files.readAllBytes(Path.of(arguments[1]));
      ModelCache cache = new ModelCache(Path.of(arguments[0]), Long.MAX_VALUE);
      Map<String, Long> sizes =
          ModelManifest.parse(json).files().keySet().stream()
              .collect(Collectors.toMap(name -> name, name -> (long) FILE_BYTES));
      try (ModelCache.Held held =
          cache.open(
              json,
              sizes,
              (sha256, offset) -> {
                throw new IllegalStateException("it has to be there");
              },
              bytes -> {})) {
        System.out.println(held.folder());
        System.in.read();
      }
    }
  }

  @Test
  void whatAnotherProcessHasOpenStaysAndItsFilesAreNotFetchedAgain() throws Exception {
    byte[] json = version("theirs", "ab");
    open(json).close();
    Process other =
        new ProcessBuilder(
                ProcessHandle.current().info().command().orElseThrow(),
                "-cp",
                System.getProperty("java.class.path"),
                Opener.class.getName(),
                folder.resolve("cache").toString(),
                Files.write(folder.resolve("theirs.json"), json).toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try {
      assertEquals(
          folder.resolve("cache/versions").resolve(nameOf(json)).toString(),
          other.inputReader().readLine());
      byte[] large = version("large", "cd");
      assertThrows(IOException.class, () -> open(large));
      assertTrue(kept().contains(nameOf(json)));
      other.outputWriter().close();
      assertTrue(other.waitFor(1, TimeUnit.MINUTES));
      open(large).close();
      assertFalse(kept().contains(nameOf(json)));
    } finally {
      other.destroyForcibly();
    }
  }
}
