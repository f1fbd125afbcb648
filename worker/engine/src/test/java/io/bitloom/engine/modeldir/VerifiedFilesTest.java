package io.bitloom.engine.modeldir;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.engine.tensor.WeightsException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class VerifiedFilesTest {
  @TempDir private Path folder;

  private Path file;
  private String digest;
  private VerifiedFiles verified;

  @BeforeEach
  void verifyAFile() throws IOException {
    file = Files.writeString(folder.resolve("model.pth"), "weights");
    digest = Digests.sha256(file);
    verified = new VerifiedFiles(folder.resolve("notes"));
    assertFalse(verified.holds(file, digest));
    files().verify(verified);
  }

  @Test
  void aFileThatDidNotChangeIsNotReadAgain() {
    assertTrue(verified.holds(file, digest));
    assertTrue(new VerifiedFiles(folder.resolve("notes")).holds(file, digest));
    assertFalse(verified.holds(file, "0".repeat(64)));
  }

  @Test
  void aFileOfOtherContentIsReadAgainEvenIfItsSizeAndTimeAreTheOldOnes() throws IOException {
    FileTime time = Files.getLastModifiedTime(file);
    Files.writeString(file, "WEIGHTS");
    Files.setLastModifiedTime(file, time);
    assertFalse(verified.holds(file, digest));
    WeightsException refused = assertThrows(WeightsException.class, () -> files().verify(verified));
    assertTrue(refused.getMessage().contains("model.pth: SHA-256 is "), refused.getMessage());
  }

  @Test
  void aFileThatTookThePlaceOfTheVerifiedOneIsReadAgain() throws IOException {
    Path other = Files.writeString(folder.resolve("other.pth"), "weights");
    Files.move(other, file, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
    assertFalse(verified.holds(file, digest));
    files().verify(verified);
    assertTrue(verified.holds(file, digest));
  }

  @Test
  void whereNotesCannotBeKeptFilesAreReadEveryTime() throws IOException {
    VerifiedFiles nowhere = new VerifiedFiles(Files.createFile(folder.resolve("a-file")));
    files().verify(nowhere);
    assertFalse(nowhere.holds(file, digest));
    assertFalse(VerifiedFiles.none().holds(file, digest));
  }

  private ModelFiles files() {
    return new ModelFiles("model.json", folder, Map.of("model.pth", digest));
  }
}
