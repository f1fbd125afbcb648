package io.bitloom.common.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
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

  @Test
  void aSecretIsItsOwnersAloneFromTheFirstByteOn() throws IOException {
    Path file = Files.writeString(folder.resolve("a.txt"), "everybody's");
    Path part = Files.writeString(folder.resolve(".a.txt.part"), "left over, everybody's");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-rw-rw-"));
    Files.setPosixFilePermissions(part, PosixFilePermissions.fromString("rw-rw-rw-"));
    List<String> whileWriting = new ArrayList<>();

    WholeFile.writeSecret(
        file,
        out -> {
          whileWriting.add(permissions(part));
          out.write("secret".getBytes(StandardCharsets.UTF_8));
          out.flush();
          whileWriting.add(permissions(part));
        });

    assertEquals(List.of("rw-------", "rw-------"), whileWriting);
    assertEquals("rw-------", permissions(file));
    assertEquals("secret", Files.readString(file));
    assertEquals(List.of(file), content());
  }

  private static String permissions(Path file) throws IOException {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(file));
  }

  private List<Path> content() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.toList();
    }
  }
}
