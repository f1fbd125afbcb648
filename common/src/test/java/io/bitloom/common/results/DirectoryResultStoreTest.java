package io.bitloom.common.results;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.v1.ImageFormat;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DirectoryResultStoreTest {

  private static final ByteString IMAGE = ByteString.copyFromUtf8("an image");

  @TempDir Path folder;
  private Path root;
  private DirectoryResultStore store;

  @BeforeEach
  void open() {
    root = folder.resolve("results");
    store = new DirectoryResultStore(root, true);
  }

  private static ImageName name(String job, ByteString image) {
    return new ImageName(job, 12_345, 1, ImageFormat.IMAGE_FORMAT_PNG, ImageName.sha256(image));
  }

  private List<Path> files() throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      return files.filter(Files::isRegularFile).toList();
    }
  }

  private static ErrorCode codeOf(org.junit.jupiter.api.function.Executable call) {
    return assertThrows(BitloomException.class, call).code();
  }

  @Test
  void whatWasStoredIsReadAgain() {
    String path = store.put(name("job-1", IMAGE), IMAGE);
    assertTrue(path.matches("[0-9a-f]{2}/job-1/12/12345-1-[0-9a-f]{16}\\.png"), path);
    assertEquals(IMAGE, store.read(path, ImageName.sha256(IMAGE)));
  }

  @Test
  void storingAgainLeavesOneFileAndNothingTemporary() throws IOException {
    store.put(name("job-1", IMAGE), IMAGE);
    store.put(name("job-1", IMAGE), IMAGE);
    assertEquals(1, files().size());
  }

  @Test
  void manyAtOnceAreAllStored() throws Exception {
    List<ByteString> images =
        IntStream.range(0, 200).mapToObj(i -> ByteString.copyFromUtf8("image " + i)).toList();
    List<String> paths =
        images.parallelStream().map(image -> store.put(name("job-1", image), image)).toList();
    for (int i = 0; i < images.size(); i++) {
      assertEquals(images.get(i), store.read(paths.get(i), ImageName.sha256(images.get(i))));
    }
    assertEquals(200, files().size());
  }

  @Test
  void afterItsFoldersWereDeletedAJobsImagesAreStoredAnew() throws IOException {
    store.put(name("job-1", IMAGE), IMAGE);
    store.delete("job-1");
    assertEquals(List.of(), files());
    assertEquals(
        IMAGE, store.read(store.put(name("job-1", IMAGE), IMAGE), ImageName.sha256(IMAGE)));
  }

  @Test
  void theLastOfTheDiskIsLeftToTheQueue() throws IOException {
    DirectoryResultStore full = new DirectoryResultStore(root, false, Long.MAX_VALUE);

    assertEquals(
        ErrorCode.RESULT_STORE_UNAVAILABLE, codeOf(() -> full.put(name("job-1", IMAGE), IMAGE)));
    assertEquals(List.of(), files());
  }

  @Test
  void anotherImageOfTheSamePromptDoesNotReplaceTheFirst() {
    ByteString other = ByteString.copyFromUtf8("another attempt's image");
    String first = store.put(name("job-1", IMAGE), IMAGE);
    String second = store.put(name("job-1", other), other);
    assertNotEquals(first, second);
    assertEquals(IMAGE, store.read(first, ImageName.sha256(IMAGE)));
  }

  @ParameterizedTest
  @ValueSource(strings = {"../../evil", "/etc/evil", "a/b", "..", "", "CON", "a\0b", "Job-1", "é"})
  void hostileJobIdsStayInsideTheDirectory(String job) throws IOException {
    String path = store.put(name(job, IMAGE), IMAGE);
    assertEquals(IMAGE, store.read(path, ImageName.sha256(IMAGE)));
    assertTrue(files().stream().allMatch(file -> file.startsWith(root)));
    store.delete(job);
    assertEquals(List.of(), files());
  }

  @Test
  void aChangedFileIsCorruptAndAMissingOneIsMissing() throws IOException {
    String path = store.put(name("job-1", IMAGE), IMAGE);
    Files.writeString(root.resolve(path), "something else");
    assertEquals(ErrorCode.RESULT_CORRUPT, codeOf(() -> store.read(path, ImageName.sha256(IMAGE))));
    Files.delete(root.resolve(path));
    assertEquals(ErrorCode.RESULT_MISSING, codeOf(() -> store.read(path, ImageName.sha256(IMAGE))));
  }

  @ParameterizedTest
  @ValueSource(strings = {"../secret", "/etc/passwd", "", "a\0b"})
  void readingLeadsNowhereOutside(String path) throws IOException {
    Files.writeString(folder.resolve("secret"), "secret");
    ByteString digest = ImageName.sha256(ByteString.copyFromUtf8("secret"));
    assertEquals(ErrorCode.RESULT_MISSING, codeOf(() -> store.read(path, digest)));
  }

  @Test
  void deletingAJobLeavesTheOthers() {
    store.put(name("job-1", IMAGE), IMAGE);
    String other = store.put(name("job-2", IMAGE), IMAGE);
    store.delete("job-1");
    store.delete("job-1");
    assertEquals(IMAGE, store.read(other, ImageName.sha256(IMAGE)));
  }

  @Test
  void aStoreThatCannotWriteSaysSo() throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "not a directory");
    assertEquals(
        ErrorCode.RESULT_STORE_UNAVAILABLE, codeOf(() -> new DirectoryResultStore(file, false)));
  }
}
