package io.bitloom.common.results;

import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FolderSyncsTest {

  @TempDir Path folder;

  @Test
  void manyWhoAskAtOnceAreAllAnswered() {
    FolderSyncs syncs = new FolderSyncs();
    IntStream.range(0, 500).parallel().forEach(i -> sync(syncs, folder));
  }

  @Test
  void aFolderThatIsGoneIsAnErrorForAllAndNotForLaterOnes() throws IOException {
    FolderSyncs syncs = new FolderSyncs();
    Path gone = folder.resolve("gone");
    IntStream.range(0, 50)
        .parallel()
        .forEach(i -> assertThrows(IOException.class, () -> syncs.sync(gone)));
    Files.createDirectory(gone);
    syncs.sync(gone);
  }

  private static void sync(FolderSyncs syncs, Path folder) {
    try {
      syncs.sync(folder);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }
}
