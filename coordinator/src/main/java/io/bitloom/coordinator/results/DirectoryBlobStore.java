package io.bitloom.coordinator.results;

import com.google.protobuf.ByteString;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Collection;
import java.util.HexFormat;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Files below one directory, which several coordinators may share. What is not whole yet has a name
 * that ends in {@code .part}.
 *
 * <p>Pieces are written at their places, so that two who bring the same file at once do no harm:
 * they write the same bytes, and the digest tells if they did not.
 */
public final class DirectoryBlobStore implements BlobStore, BlobStore.Pieces {

  private static final String PART = ".part";
  private static final int BUFFER = 1 << 20;

  /** Stays free for the queue, which as a rule is on the same disk. */
  private static final long RESERVE_BYTES = 32 << 20;

  private final Path folder;

  /**
   * @param folder made with the first file
   */
  public DirectoryBlobStore(Path folder) {
    this.folder = folder.toAbsolutePath().normalize();
  }

  /** The digest was checked by whoever calls; a wrong one must not lead out of the folder. */
  private Path file(String sha256) {
    if (!sha256.matches("[0-9a-f]{64}")) {
      throw new IllegalArgumentException("not a digest: " + sha256);
    }
    return folder.resolve(sha256);
  }

  private Path part(String sha256) {
    return file(sha256).resolveSibling(sha256 + PART);
  }

  @Override
  public OptionalLong size(String sha256) {
    return size(file(sha256));
  }

  private static OptionalLong size(Path file) {
    try {
      return OptionalLong.of(Files.size(file));
    } catch (NoSuchFileException e) {
      return OptionalLong.empty();
    } catch (IOException e) {
      throw unavailable("look at", file, e);
    }
  }

  @Override
  public InputStream read(String sha256, long offset) {
    Path file = file(sha256);
    try {
      FileChannel channel = FileChannel.open(file, StandardOpenOption.READ);
      return Channels.newInputStream(channel.position(offset));
    } catch (NoSuchFileException e) {
      throw missing(sha256);
    } catch (IOException e) {
      throw unavailable("read", file, e);
    }
  }

  /** Nothing gets its name here without the right digest. */
  @Override
  public void confirm(String sha256, long sizeBytes) {
    long size = size(sha256).orElseThrow(() -> missing(sha256));
    if (size != sizeBytes) {
      throw new BitloomException(
          ErrorCode.RESULT_CORRUPT, "file " + sha256 + " has " + size + " bytes, not " + sizeBytes);
    }
  }

  private static BitloomException missing(String sha256) {
    return new BitloomException(ErrorCode.RESULT_MISSING, "file " + sha256 + " is not there");
  }

  @Override
  public Collection<String> all() {
    if (!Files.isDirectory(folder)) {
      return Set.of();
    }
    try (Stream<Path> files = Files.list(folder)) {
      return files
          .map(file -> file.getFileName().toString())
          .map(
              name -> name.endsWith(PART) ? name.substring(0, name.length() - PART.length()) : name)
          .filter(name -> name.matches("[0-9a-f]{64}"))
          .collect(Collectors.toSet());
    } catch (IOException e) {
      throw unavailable("list", folder, e);
    }
  }

  @Override
  public void delete(String sha256) {
    try {
      Files.deleteIfExists(part(sha256));
      Files.deleteIfExists(file(sha256));
    } catch (IOException e) {
      throw unavailable("delete", file(sha256), e);
    }
  }

  @Override
  public Optional<Urls> urls() {
    return Optional.empty();
  }

  @Override
  public Optional<Pieces> pieces() {
    return Optional.of(this);
  }

  @Override
  public long received(String sha256) {
    return size(part(sha256)).orElse(0);
  }

  @Override
  public void write(String sha256, long offset, ByteString piece) {
    Path part = part(sha256);
    try {
      Files.createDirectories(folder);
      try (FileChannel channel =
          FileChannel.open(part, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
        if (offset > channel.size()) {
          throw new BitloomException(
              ErrorCode.OFFSET_OUT_OF_RANGE,
              "must be at most " + channel.size() + ", what is there of the file",
              "offset",
              offset);
        }
        long place = offset;
        for (ByteBuffer bytes : piece.asReadOnlyByteBufferList()) {
          while (bytes.hasRemaining()) {
            place += channel.write(bytes, place);
          }
        }
      }
    } catch (IOException e) {
      throw unavailable("write", part, e);
    }
  }

  @Override
  public void finish(String sha256, long sizeBytes) {
    Path file = file(sha256);
    Path part = part(sha256);
    if (Files.exists(file)) {
      return; // somebody else was quicker
    }
    try {
      long size = size(part).orElse(0);
      if (size < sizeBytes) {
        throw BitloomException.invalid("data", size + " bytes", "must be " + sizeBytes + " bytes");
      }
      String digest = size == 0 ? sha256(InputStream.nullInputStream()) : digestOf(part);
      if (size != sizeBytes || !digest.equals(sha256)) {
        Files.deleteIfExists(part);
        throw BitloomException.invalid(
            "data",
            size + " bytes with the SHA-256 " + digest,
            "must be " + sizeBytes + " bytes with the SHA-256 " + sha256);
      }
      makeDurable(part, file);
    } catch (IOException e) {
      throw unavailable("finish", part, e);
    }
  }

  private void makeDurable(Path part, Path file) throws IOException {
    Files.createDirectories(folder);
    try (FileChannel channel =
        FileChannel.open(part, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      channel.force(true);
    }
    Files.move(part, file, StandardCopyOption.ATOMIC_MOVE);
    try (FileChannel entries = FileChannel.open(folder, StandardOpenOption.READ)) {
      entries.force(true);
    }
  }

  private static String digestOf(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      return sha256(in);
    }
  }

  /** Reads all of a stream. */
  static String sha256(InputStream in) throws IOException {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      byte[] buffer = new byte[BUFFER];
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        digest.update(buffer, 0, n);
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }

  @Override
  public long room() {
    Path existing = folder;
    while (!Files.exists(existing) && existing.getParent() != null) {
      existing = existing.getParent();
    }
    long free = existing.toFile().getUsableSpace(); // 0 where the file system does not say
    return free == 0 ? Long.MAX_VALUE : Math.max(0, free - RESERVE_BYTES);
  }

  private static BitloomException unavailable(String what, Path file, IOException cause) {
    return new BitloomException(
        ErrorCode.RESULT_STORE_UNAVAILABLE,
        "cannot " + what + " a file of a model: " + file.getFileName(),
        cause);
  }
}
