package io.bitloom.engine.modeldir;

import io.bitloom.engine.tensor.WeightsException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * A folder that appears under its name when it is finished, and not at all if it never is: it is
 * filled under a hidden name beside its place. Ctrl-C and SIGTERM remove it as well.
 */
final class UnfinishedFolder implements AutoCloseable {
  private final Path target;
  private final Path folder;
  private final Thread atExit = new Thread(this::delete, "remove-unfinished-folder");

  /**
   * @param target where the folder is to be; may exist if it is empty
   * @throws WeightsException if there is something already, or the place cannot be written to
   */
  UnfinishedFolder(Path target) {
    this.target = target.toAbsolutePath().normalize();
    try {
      if (Files.exists(this.target) && !isEmptyFolder(this.target)) {
        throw new WeightsException(target.toString(), "already exists and is not an empty folder");
      }
      Path parent = this.target.getParent();
      if (parent == null) {
        throw new WeightsException(target.toString(), "is no place for a folder");
      }
      Files.createDirectories(parent);
      // No temporary folder of Java's, which nobody else may read.
      String process = Long.toString(ProcessHandle.current().pid());
      String name = "." + this.target.getFileName() + ".part-" + process;
      folder = Files.createDirectory(parent.resolve(name));
    } catch (IOException e) {
      throw new WeightsException(target.toString(), "cannot be written: " + e.getMessage(), e);
    }
    Runtime.getRuntime().addShutdownHook(atExit);
  }

  private static boolean isEmptyFolder(Path path) throws IOException {
    if (!Files.isDirectory(path)) {
      return false;
    }
    try (Stream<Path> entries = Files.list(path)) {
      return entries.findAny().isEmpty();
    }
  }

  /** Where to write. */
  Path folder() {
    return folder;
  }

  /** Moves the folder to its place. */
  void finish() throws IOException {
    Files.move(folder, target, StandardCopyOption.ATOMIC_MOVE);
  }

  private void delete() {
    try (Stream<Path> files = Files.walk(folder)) {
      List<Path> deepestFirst = files.sorted(Comparator.reverseOrder()).toList();
      for (Path file : deepestFirst) {
        Files.deleteIfExists(file);
      }
    } catch (IOException e) {
      // Nobody is left to be told; the hidden folder's name says what it is.
    }
  }

  @Override
  public void close() {
    try {
      Runtime.getRuntime().removeShutdownHook(atExit);
    } catch (IllegalStateException e) {
      return; // the process ends, and the hook deletes
    }
    if (Files.exists(folder)) {
      delete();
    }
  }
}
