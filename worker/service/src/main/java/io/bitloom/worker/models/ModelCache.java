package io.bitloom.worker.models;

import io.bitloom.common.blobs.BlobDownload;
import io.bitloom.common.file.WholeFile;
import io.bitloom.common.model.ModelManifest;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongConsumer;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Model directories that came from the cluster, in a folder that all workers of a machine share.
 *
 * <p>{@code blobs/} has files by their SHA-256, {@code versions/NAME@DIGEST/} a model directory of
 * hard links to them, so that versions share files and a file goes with the last of them. A process
 * has a lock on each version that it has open; versions without one are deleted, the one that was
 * opened longest ago first, where there is no room. Of processes that want one file, one fetches it
 * and the others wait for that.
 */
public final class ModelCache {

  private static final Logger log = LoggerFactory.getLogger(ModelCache.class);

  /** Stays free on the disk. */
  private static final long RESERVE_BYTES = 256L << 20;

  private static final String LOCK = ".lock";
  private static final String PART = ".part";

  private final Path blobs;
  private final Path versions;
  private final long mostBytes;

  /**
   * @param folder made when there is something to keep
   * @param mostBytes that files may take
   */
  public ModelCache(Path folder, long mostBytes) {
    this.blobs = folder.toAbsolutePath().normalize().resolve("blobs");
    this.versions = blobs.resolveSibling("versions");
    this.mostBytes = mostBytes;
  }

  /** Where the files of a version come from. */
  public interface Source {

    /** Opens a file at an offset, see {@link BlobDownload.Source}. */
    InputStream open(String sha256, long offset) throws IOException;
  }

  /** A version that this process has open. */
  public static final class Held implements AutoCloseable {

    private final Path folder;
    private final CacheLock lock;

    private Held(Path folder, CacheLock lock) {
      this.folder = folder;
      this.lock = lock;
    }

    /** The model directory. */
    public Path folder() {
      return folder;
    }

    /** From now on the version may be deleted. */
    @Override
    public void close() throws IOException {
      lock.close();
    }
  }

  /**
   * Opens a version, once in a process; fetches what is missing of it.
   *
   * @param json its {@code model.json}
   * @param sizes of its files in bytes, by their names
   * @param arrived is told now and then how many bytes of all are there
   * @throws IOException if a file does not come, or there is no room for it
   * @throws io.bitloom.common.error.BitloomException if what comes is not what it should be
   */
  public Held open(byte[] json, Map<String, Long> sizes, Source source, LongConsumer arrived)
      throws IOException {
    ModelManifest manifest = ModelManifest.parse(json);
    String name = manifest.versionName();
    Path folder = versions.resolve(name);
    Files.createDirectories(blobs);
    Files.createDirectories(versions);
    CacheLock lock = CacheLock.shared(versions.resolve(name + LOCK));
    boolean opened = false;
    try {
      if (!Files.isRegularFile(folder.resolve(ModelManifest.FILE))) {
        fetch(manifest, json, sizes, source, arrived);
      }
      opened = true;
      return new Held(folder, lock);
    } finally {
      if (!opened) {
        lock.close();
      }
    }
  }

  private void fetch(
      ModelManifest manifest,
      byte[] json,
      Map<String, Long> sizes,
      Source source,
      LongConsumer arrived)
      throws IOException {
    Path folder = versions.resolve(manifest.versionName());
    Path part = versions.resolve(manifest.versionName() + PART);
    makeRoom(missing(manifest, sizes));
    long before = 0;
    for (Map.Entry<String, String> file : manifest.files().entrySet()) {
      long size = size(sizes, file.getKey());
      long others = before;
      Path link = part.resolve(file.getKey());
      Files.createDirectories(link.getParent());
      fetch(file.getValue(), size, link, source, bytes -> arrived.accept(others + bytes));
      before += size;
      arrived.accept(before);
    }
    Files.createDirectories(part);
    WholeFile.write(part.resolve(ModelManifest.FILE), json);
    try {
      Files.move(part, folder, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      // Another process may have been quicker.
      if (!Files.isRegularFile(folder.resolve(ModelManifest.FILE))) {
        throw e;
      }
    }
  }

  private static long size(Map<String, Long> sizes, String file) throws IOException {
    Long size = sizes.get(file);
    if (size == null) {
      throw new IOException("nothing was said of the size of " + file);
    }
    return size;
  }

  private void fetch(String sha256, long size, Path link, Source source, LongConsumer arrived)
      throws IOException {
    Path blob = blobs.resolve(sha256);
    try (CacheLock alone = CacheLock.exclusive(blobs.resolve(sha256 + LOCK))) {
      if (!Files.exists(blob)) {
        BlobDownload.bring(blob, sha256, size, offset -> source.open(sha256, offset), arrived);
      }
      Files.createLink(link, blob);
    } catch (FileAlreadyExistsException e) {
      // Linked before, by this process or another.
    }
  }

  // Room

  private long missing(ModelManifest manifest, Map<String, Long> sizes) throws IOException {
    long missing = 0;
    for (Map.Entry<String, String> file : manifest.files().entrySet()) {
      if (!Files.exists(blobs.resolve(file.getValue()))) {
        missing += size(sizes, file.getKey());
      }
    }
    return missing;
  }

  private void makeRoom(long bytes) throws IOException {
    for (Path version : fits(bytes) ? List.<Path>of() : leastRecentlyOpenedFirst()) {
      Optional<CacheLock> free = CacheLock.ifFree(version.resolveSibling(name(version) + LOCK));
      if (free.isPresent()) {
        try (CacheLock alone = free.get()) {
          log.info("{} leaves the cache: there is no room for it", name(version));
          delete(version);
          delete(version.resolveSibling(name(version) + PART));
          deleteUnused();
        }
        if (fits(bytes)) {
          return;
        }
      }
    }
    if (!fits(bytes)) {
      throw new IOException(
          "there is no room for "
              + bytes
              + " bytes in "
              + blobs.getParent()
              + ", of which this process and others use "
              + used()
              + " (--model-cache-size "
              + mostBytes
              + ")");
    }
  }

  private boolean fits(long bytes) throws IOException {
    long free = blobs.toFile().getUsableSpace(); // 0 where the file system does not say
    return bytes == 0
        || bytes <= mostBytes - used() && (free == 0 || bytes <= free - RESERVE_BYTES);
  }

  private long used() throws IOException {
    long bytes = 0;
    try (Stream<Path> files = Files.list(blobs)) {
      for (Path file : files.toList()) {
        bytes += Files.exists(file) ? Files.size(file) : 0;
      }
    }
    return bytes;
  }

  private static String name(Path version) {
    return version.getFileName().toString();
  }

  /** Folders of versions that are there, in whole or in part. */
  private List<Path> leastRecentlyOpenedFirst() throws IOException {
    record Opened(Path folder, long millis) {}
    List<Opened> all = new ArrayList<>();
    try (Stream<Path> files = Files.list(versions)) {
      for (Path lock : files.filter(file -> name(file).endsWith(LOCK)).toList()) {
        String name = name(lock).substring(0, name(lock).length() - LOCK.length());
        all.add(new Opened(versions.resolve(name), Files.getLastModifiedTime(lock).toMillis()));
      }
    }
    return all.stream()
        .sorted(Comparator.comparingLong(Opened::millis))
        .map(Opened::folder)
        .toList();
  }

  /** Deletes files that no version has; the name in {@code blobs/} is their only one. */
  private void deleteUnused() throws IOException {
    List<Path> all;
    try (Stream<Path> files = Files.list(blobs)) {
      all = files.filter(file -> name(file).matches("[0-9a-f]{64}")).toList();
    }
    for (Path blob : all) {
      Optional<CacheLock> free = CacheLock.ifFree(blob.resolveSibling(name(blob) + LOCK));
      if (free.isPresent()) {
        try (CacheLock alone = free.get()) {
          if ((Integer) Files.getAttribute(blob, "unix:nlink") == 1) {
            Files.delete(blob);
          }
        } catch (NoSuchFileException e) {
          // Another process has deleted it.
        }
      }
    }
  }

  private static void delete(Path folder) throws IOException {
    if (!Files.exists(folder)) {
      return;
    }
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    }
  }
}
