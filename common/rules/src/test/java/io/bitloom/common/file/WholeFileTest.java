package io.bitloom.common.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WholeFileTest {

  @TempDir private Path folder;

  @Test
  void aFileOfWhichOnlyAPartCouldBeWrittenIsAsItWas() throws IOException {
    Path file = folder.resolve("a.txt");
    WholeFile.write(file, "before");

    IOException e =
        assertThrows(
            IOException.class,
            () ->
                WholeFile.write(
                    file,
                    out -> {
                      out.write(new byte[100_000]);
                      throw new IOException("the source broke off");
                    }));

    assertEquals("the source broke off", e.getMessage());
    assertEquals("before", Files.readString(file));
    assertEquals(List.of(file), content());
  }

  /** Linux has a device that is a full disk. */
  @Test
  void aFullDiskIsSaidWithTheNameOfTheFile() throws IOException {
    Files.createSymbolicLink(folder.resolve(".a.txt.part"), Path.of("/dev/full"));

    FileSystemException e =
        assertThrows(
            FileSystemException.class, () -> WholeFile.write(folder.resolve("a.txt"), "text"));

    assertEquals(folder.resolve("a.txt").toString(), e.getFile());
    assertEquals("No space left on device", e.getReason());
    assertEquals(List.of(), content());
  }

  private List<Path> content() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.toList();
    }
  }
}
