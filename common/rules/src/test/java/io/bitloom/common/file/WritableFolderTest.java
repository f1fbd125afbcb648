package io.bitloom.common.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WritableFolderTest {

  @TempDir private Path folder;

  @Test
  void nothingIsLeftOfACheck() throws IOException {
    WritableFolder.check(folder);
    WritableFolder.check(folder.resolve("a/b/c"));
    WritableFolder.check(folder.resolve("a/../b"));

    assertEquals(List.of(), content());
  }

  @Test
  void aFileInTheWayIsNamed() throws IOException {
    Path file = Files.writeString(folder.resolve("taken"), "a file");

    NotDirectoryException e =
        assertThrows(NotDirectoryException.class, () -> WritableFolder.check(file.resolve("out")));

    assertEquals(file.toString(), e.getFile());
  }

  @Test
  void aFolderThatNoPermissionForbidsAndThatStillCannotBeMadeIsNamed() throws IOException {
    Path tooLong = folder.resolve("made").resolve("n".repeat(300));

    FileSystemException e =
        assertThrows(FileSystemException.class, () -> WritableFolder.check(tooLong));

    assertEquals(tooLong.toString(), e.getFile());
    assertEquals(List.of(), content());
  }

  private List<Path> content() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.toList();
    }
  }
}
