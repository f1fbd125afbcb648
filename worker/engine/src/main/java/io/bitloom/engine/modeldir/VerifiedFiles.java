package io.bitloom.engine.modeldir;

import io.bitloom.common.config.UserCache;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Remembers which files had the SHA-256 that they should have, so that a model of many gigabytes is
 * not read twice at every start.
 *
 * <p>What is remembered is the file's identity as the file system gives it: device and inode, size,
 * and the times of the last change of its content and of its record. The latter cannot be set by a
 * program, so a file that was written to or replaced is read again. Notes lie in the user's cache
 * folder and not in the model directory, which may be read-only or come from somebody else; where
 * they cannot be kept, files are read at every start.
 */
final class VerifiedFiles {
  private static final String IDENTITY = "unix:dev,ino,size,lastModifiedTime,ctime";

  private final Path notes;

  /** Notes in a folder of their own; {@code null} keeps none. */
  VerifiedFiles(Path notes) {
    this.notes = notes;
  }

  /** Knows of no file. */
  static VerifiedFiles none() {
    return new VerifiedFiles(null);
  }

  /** Notes in the user's cache folder. */
  static VerifiedFiles ofUser() {
    return new VerifiedFiles(UserCache.folder("verified"));
  }

  /** Whether the file had this digest when it was last read, and has not changed since. */
  boolean holds(Path file, String sha256) {
    if (notes == null) {
      return false;
    }
    try {
      Optional<String> identity = identity(file);
      Path note = note(file);
      return identity.isPresent()
          && Files.isRegularFile(note)
          && Files.readString(note).equals(content(sha256, identity.get()));
    } catch (IOException e) {
      return false;
    }
  }

  /** The file's identity, to be taken before its content is read; empty if it cannot be told. */
  Optional<String> identity(Path file) {
    try {
      Map<String, Object> attributes = Files.readAttributes(file.toRealPath(), IDENTITY);
      return Optional.of(
          Stream.of(IDENTITY.substring(IDENTITY.indexOf(':') + 1).split(","))
              .map(name -> name + "=" + attributes.get(name))
              .collect(Collectors.joining(" ")));
    } catch (IOException | UnsupportedOperationException | IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  /** Notes that the file of this identity has this digest. */
  void remember(Path file, String sha256, String identity) {
    if (notes == null) {
      return;
    }
    try {
      Files.createDirectories(notes);
      Path unfinished = Files.createTempFile(notes, "note", ".part");
      Files.writeString(unfinished, content(sha256, identity));
      Files.move(unfinished, note(file), StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      // A cache: without the note the file is read again next time.
    }
  }

  private Path note(Path file) throws IOException {
    byte[] path = file.toRealPath().toString().getBytes(StandardCharsets.UTF_8);
    return notes.resolve(Digests.sha256(path));
  }

  private static String content(String sha256, String identity) {
    return sha256 + " " + identity + "\n";
  }
}
