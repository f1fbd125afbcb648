package io.bitloom.common.process;

import com.google.gson.Gson;
import com.google.gson.JsonParseException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Optional;

/**
 * Makes a folder this process's own by a lock on a file in it, in which stands who holds it. The
 * system lets go of it when the process ends, however that happens.
 */
public final class FolderLock implements AutoCloseable {

  /** Held by a coordinator that has its Redis in the folder. */
  public static final String COORDINATOR = "coordinator.lock";

  /** Held by {@code ./bitloom up}, of the folder with its data. */
  public static final String UP = "up.lock";

  private static final Duration POLL = Duration.ofMillis(50);
  private static final int LONGEST_RECORD = 100_000;

  /** What stands in the file. */
  private record Holder(long pid, String since, String command) {

    static Holder ofThisProcess(String command) {
      Instant start = ProcessHandle.current().info().startInstant().orElseGet(Instant::now);
      return new Holder(
          ProcessHandle.current().pid(), start.truncatedTo(ChronoUnit.SECONDS).toString(), command);
    }

    @Override
    public String toString() {
      return "process " + pid + " (" + command + "), which runs since " + since;
    }
  }

  private final FileChannel file;

  private FolderLock(FileChannel file) {
    this.file = file;
  }

  /**
   * Takes a folder for this process alone; makes it if it is not there.
   *
   * @param name of the file
   * @param command what this process is, told to others who want the folder
   * @throws FolderInUseException if another process has it; names that one
   */
  public static FolderLock take(Path folder, String name, String command) throws IOException {
    return take(folder, name, command, false);
  }

  /** Takes a folder together with other processes that take it in this way, see {@link #take}. */
  public static FolderLock share(Path folder, String name, String command) throws IOException {
    return take(folder, name, command, true);
  }

  /**
   * Waits until a folder is nobody's.
   *
   * @param patience how long
   * @throws FolderInUseException if it still belongs to somebody then
   */
  public static void awaitFree(Path folder, String name, String command, Duration patience)
      throws IOException {
    long end = System.nanoTime() + patience.toNanos();
    while (true) {
      try {
        take(folder, name, command).close();
        return;
      } catch (FolderInUseException e) {
        if (System.nanoTime() > end) {
          throw e;
        }
      }
      try {
        Thread.sleep(POLL.toMillis());
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new InterruptedIOException("interrupted while " + folder + " was in use");
      }
    }
  }

  private static FolderLock take(Path folder, String name, String command, boolean shared)
      throws IOException {
    Files.createDirectories(folder);
    Path path = folder.resolve(name);
    FileChannel file =
        FileChannel.open(
            path, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
    try {
      if (!locks(file, shared)) {
        throw new FolderInUseException(
            folder
                + " belongs to "
                + holder(path).map(Holder::toString).orElse("another process")
                + ": end that one, or choose another folder");
      }
      byte[] record =
          new Gson().toJson(Holder.ofThisProcess(command)).getBytes(StandardCharsets.UTF_8);
      file.truncate(0).write(ByteBuffer.wrap(record), 0);
      return new FolderLock(file);
    } catch (IOException | RuntimeException e) {
      file.close();
      throw e;
    }
  }

  private static boolean locks(FileChannel file, boolean shared) throws IOException {
    try {
      FileLock lock = file.tryLock(0, Long.MAX_VALUE, shared);
      return lock != null;
    } catch (OverlappingFileLockException e) {
      return false; // this very process has it
    }
  }

  /** Empty if nobody can be read there, as in the moment before a holder has written itself. */
  private static Optional<Holder> holder(Path path) throws IOException {
    if (Files.size(path) > LONGEST_RECORD) {
      return Optional.empty();
    }
    try {
      Holder holder = new Gson().fromJson(Files.readString(path), Holder.class);
      return Optional.ofNullable(holder)
          .filter(known -> known.command() != null && known.since() != null);
    } catch (JsonParseException | IOException e) {
      return Optional.empty();
    }
  }

  /** A command and its arguments as a line that says what a process is. */
  public static String command(String program, List<String> arguments) {
    return arguments.isEmpty() ? program : program + " " + String.join(" ", arguments);
  }

  @Override
  public void close() throws IOException {
    try (file) {
      file.truncate(0);
    }
  }
}
