package io.bitloom.common.file;

import java.io.FileNotFoundException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.util.Objects;

/** What file systems refuse, in words for people. */
public final class FileFaults {

  private FileFaults() {}

  /** What went wrong, with the name of the file where that is known. */
  public static String message(Exception fault) {
    Throwable cause =
        fault instanceof UncheckedIOException && fault.getCause() != null
            ? fault.getCause()
            : fault;
    if (!(cause instanceof FileSystemException refused)) {
      return Objects.requireNonNullElse(cause.getMessage(), "a file cannot be read or written");
    }
    String other = refused.getOtherFile() == null ? "" : " (to " + refused.getOtherFile() + ")";
    return refused.getFile() + other + ": " + reason(refused);
  }

  /** What went wrong, without the name of the file. */
  public static String reason(FileSystemException refused) {
    if (refused instanceof NoSuchFileException) {
      return "there is no such file or folder";
    } else if (refused instanceof AccessDeniedException) {
      return "you may not read or write there (permission denied)";
    } else if (refused instanceof FileAlreadyExistsException) {
      return "is there already, and is not a folder";
    } else if (refused instanceof NotDirectoryException) {
      return "is not a folder";
    } else if (refused instanceof DirectoryNotEmptyException) {
      return "is a folder that is not empty";
    } else if (refused instanceof FileSystemLoopException) {
      return "is a link that leads back to itself";
    }
    return Objects.requireNonNullElse(refused.getReason(), "cannot be read or written");
  }

  /**
   * Whether another path is what helps, and not waiting or making room: the caller named a place
   * that is not there, is something else, or is not open to the caller.
   */
  public static boolean isWrongPath(Exception fault) {
    Throwable cause = fault instanceof UncheckedIOException ? fault.getCause() : fault;
    return cause instanceof NoSuchFileException
        || cause instanceof FileNotFoundException
        || cause instanceof AccessDeniedException
        || cause instanceof FileAlreadyExistsException
        || cause instanceof NotDirectoryException
        || (cause instanceof FileSystemException refused
            && "Not a directory".equals(refused.getReason()));
  }
}
