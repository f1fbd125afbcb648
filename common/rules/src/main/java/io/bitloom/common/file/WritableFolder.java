package io.bitloom.common.file;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;

/** Finds out before long work whether its results can be saved in a folder. */
public final class WritableFolder {

  private WritableFolder() {}

  /**
   * Makes the folder and a file in it, and takes away what was not there before. Only that tells:
   * permissions say nothing of names that are too long, of full or odd file systems.
   *
   * @throws IOException naming the folder and what is in the way
   */
  public static void check(Path folder) throws IOException {
    Deque<Path> missing = missing(folder.toAbsolutePath());
    Deque<Path> made = new ArrayDeque<>();
    try {
      for (Path step : missing) {
        if (!Files.isDirectory(step)) { // not so for the ".." in a path
          make(step);
          made.push(step);
        }
      }
      made.push(Files.createTempFile(folder, ".bitloom-", ".probe"));
    } finally {
      for (Path step : made) {
        Files.deleteIfExists(step);
      }
    }
  }

  /** The folders that are to be made, the outermost first. */
  private static Deque<Path> missing(Path folder) throws IOException {
    Deque<Path> missing = new ArrayDeque<>();
    Path there = folder;
    while (there.getParent() != null && !Files.exists(there, LinkOption.NOFOLLOW_LINKS)) {
      missing.push(there);
      there = there.getParent();
    }
    if (!Files.isDirectory(there)) {
      throw new NotDirectoryException(there.toString());
    }
    if (!Files.isWritable(there)) {
      throw new AccessDeniedException(there.toString());
    }
    return missing;
  }

  private static void make(Path folder) throws IOException {
    try {
      Files.createDirectory(folder);
    } catch (FileSystemException e) {
      String reason =
          e.getReason() == null ? "it cannot be made" : "it cannot be made: " + e.getReason();
      throw e instanceof AccessDeniedException
          ? e
          : new FileSystemException(folder.toString(), null, reason);
    }
  }
}
