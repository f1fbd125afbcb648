package io.bitloom.common.results;

import com.google.protobuf.ByteString;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.error.FieldViolation;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Images as files below one directory, which several coordinators may share. A file is written
 * under a temporary name and renamed, so its name never stands for a part of it.
 */
public final class DirectoryResultStore implements ResultStore {

  /**
   * Stays free for the queue, which as a rule is on the same disk: without images the cluster
   * waits, without a queue it stands.
   */
  private static final long RESERVE_BYTES = 32 << 20;

  private static final int MOST_DURABLE = 10_000;

  private final Path root;
  private final boolean fsync;
  private final long reserveBytes;
  private final AtomicLong temporaryFiles = new AtomicLong();
  private final FolderSyncs syncs = new FolderSyncs();

  /** Folders that are on the disk with all above them. */
  private final Set<Path> durable = ConcurrentHashMap.newKeySet();

  /**
   * @param root created if it is missing
   * @param fsync whether {@link #put} returns only when file and folder entry are on the disk;
   *     without it an image can be lost to a power cut, which readers get to see as an error
   * @throws BitloomException {@code RESULT_STORE_UNAVAILABLE} if the directory cannot be made
   */
  public DirectoryResultStore(Path root, boolean fsync) {
    this(root, fsync, RESERVE_BYTES);
  }

  DirectoryResultStore(Path root, boolean fsync, long reserveBytes) {
    this.reserveBytes = reserveBytes;
    this.root = root.toAbsolutePath().normalize();
    this.fsync = fsync;
    try {
      Files.createDirectories(this.root);
    } catch (IOException e) {
      throw unavailable("cannot make the result directory " + this.root, e);
    }
  }

  @Override
  public String put(ImageName name, ByteString image) {
    String path = name.path();
    Path file = root.resolve(path);
    Path temporary = file.resolveSibling(temporaryName(file));
    requireRoom(image.size());
    try {
      write(image, file, temporary);
      return path;
    } catch (IOException e) {
      discard(temporary, e);
      throw unavailable("cannot store " + path, e);
    }
  }

  private void requireRoom(int bytes) {
    long free = root.toFile().getUsableSpace(); // 0 where the file system does not say
    if (free > 0 && free - bytes < reserveBytes) {
      throw new BitloomException(
          ErrorCode.RESULT_STORE_UNAVAILABLE,
          "there is no room for images: the last " + (reserveBytes >> 20) + " MiB stay free");
    }
  }

  private void write(ByteString image, Path file, Path temporary) throws IOException {
    try (FileChannel channel = create(temporary)) {
      for (ByteBuffer part : image.asReadOnlyByteBufferList()) {
        while (part.hasRemaining()) {
          channel.write(part);
        }
      }
      if (fsync) {
        channel.force(true);
      }
    }
    Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
    if (fsync) {
      syncFolders(file.getParent());
    }
  }

  /** The folder is there already for nearly every image. */
  private FileChannel create(Path file) throws IOException {
    try {
      return FileChannel.open(file, StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW);
    } catch (NoSuchFileException e) {
      durable.remove(file.getParent());
      Files.createDirectories(file.getParent());
      return FileChannel.open(file, StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW);
    }
  }

  /** Those above it need it once only: they do not change with the images in it. */
  private void syncFolders(Path folder) throws IOException {
    syncs.sync(folder);
    if (!durable.contains(folder)) {
      for (Path above = folder.getParent(); above.startsWith(root); above = above.getParent()) {
        syncs.sync(above);
      }
      if (durable.size() >= MOST_DURABLE) {
        durable.clear();
      }
      durable.add(folder);
    }
  }

  /** Unique among the coordinators that share the directory. */
  private String temporaryName(Path file) {
    return String.format(
        Locale.ROOT,
        ".%s.%d-%d",
        file.getFileName(),
        ProcessHandle.current().pid(),
        temporaryFiles.incrementAndGet());
  }

  private static void discard(Path temporary, IOException cause) {
    try {
      Files.deleteIfExists(temporary);
    } catch (IOException e) {
      cause.addSuppressed(e);
    }
  }

  @Override
  public ByteString read(String path, ByteString sha256) {
    ByteString image;
    try {
      image = ByteString.copyFrom(Files.readAllBytes(inside(path)));
    } catch (NoSuchFileException e) {
      throw new BitloomException(ErrorCode.RESULT_MISSING, "the image is gone: " + shown(path));
    } catch (IOException e) {
      throw unavailable("cannot read " + shown(path), e);
    }
    if (!ImageName.sha256(image).equals(sha256)) {
      throw new BitloomException(
          ErrorCode.RESULT_CORRUPT, "the image is not what was stored: " + shown(path));
    }
    return image;
  }

  private Path inside(String path) {
    try {
      Path file = root.resolve(path).normalize();
      if (file.startsWith(root) && !file.equals(root)) {
        return file;
      }
    } catch (InvalidPathException e) {
      // Not a name that put could have returned, like one that leads out of the directory.
    }
    throw new BitloomException(ErrorCode.RESULT_MISSING, "not an image's name: " + shown(path));
  }

  @Override
  public void delete(String job) {
    Path folder = root.resolve(ImageName.folder(job));
    durable.removeIf(known -> known.startsWith(folder));
    if (!Files.exists(folder)) {
      return;
    }
    try {
      Files.walkFileTree(folder, new Removal());
    } catch (IOException e) {
      throw unavailable("cannot delete the results of " + shown(job), e);
    }
  }

  @Override
  public Optional<DirectAccess> directAccess() {
    return Optional.empty();
  }

  private static final class Removal extends SimpleFileVisitor<Path> {
    @Override
    public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
      Files.deleteIfExists(file);
      return FileVisitResult.CONTINUE;
    }

    @Override
    public FileVisitResult postVisitDirectory(Path folder, IOException error) throws IOException {
      if (error != null) {
        throw error;
      }
      Files.deleteIfExists(folder);
      return FileVisitResult.CONTINUE;
    }
  }

  private static String shown(String path) {
    return FieldViolation.shown(path);
  }

  private static BitloomException unavailable(String message, IOException cause) {
    return new BitloomException(ErrorCode.RESULT_STORE_UNAVAILABLE, message, cause);
  }
}
