package io.bitloom.worker.models;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A lock between processes, on a file that stays; the operating system ends it with its process.
 *
 * <p>POSIX ends all locks that a process has on a file when the process closes any descriptor of
 * it. So a file that this process has locked is not opened again, and it is touched before it is
 * locked.
 */
final class CacheLock implements AutoCloseable {

  /** Files that this process has locked. */
  private static final Set<Path> OWN = ConcurrentHashMap.newKeySet();

  private final Path file;
  private final FileChannel channel;

  private CacheLock(Path file, FileChannel channel) {
    this.file = file;
    this.channel = channel;
  }

  /** Waits until no other process has the lock; this one must not have it. */
  static CacheLock exclusive(Path file) throws IOException {
    return take(file, channel -> channel.lock() != null).orElseThrow();
  }

  /** The lock, unless somebody has it, in this process or another. */
  static Optional<CacheLock> ifFree(Path file) throws IOException {
    return OWN.contains(file) ? Optional.empty() : take(file, channel -> channel.tryLock() != null);
  }

  /** A lock that other processes may share. Its file tells when it was taken last. */
  static CacheLock shared(Path file) throws IOException {
    return take(
            file,
            channel -> {
              Files.setLastModifiedTime(file, FileTime.from(Instant.now()));
              return channel.lock(0, Long.MAX_VALUE, true) != null;
            })
        .orElseThrow();
  }

  private interface Locking {
    boolean lock(FileChannel channel) throws IOException;
  }

  private static Optional<CacheLock> take(Path file, Locking locking) throws IOException {
    if (!OWN.add(file)) {
      throw new IOException("this process has " + file.getFileName() + " open already");
    }
    FileChannel channel = null;
    boolean locked = false;
    try {
      channel =
          FileChannel.open(
              file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
      locked = locking.lock(channel);
      return locked ? Optional.of(new CacheLock(file, channel)) : Optional.empty();
    } finally {
      if (!locked) {
        if (channel != null) {
          channel.close();
        }
        OWN.remove(file);
      }
    }
  }

  @Override
  public void close() throws IOException {
    channel.close();
    OWN.remove(file);
  }
}
