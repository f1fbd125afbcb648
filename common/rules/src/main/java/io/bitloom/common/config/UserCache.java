package io.bitloom.common.config;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Where a user's programs keep what they could make again: {@code $XDG_CACHE_HOME/bitloom}, else
 * {@code .cache/bitloom} in the home, else a private folder for temporary files. The first one that
 * can be written to is taken, so that a user without a home (in a container that runs under a
 * number that no passwd file knows) has a cache as well.
 */
public final class UserCache {

  private static final String NAME = "bitloom";
  private static final Set<PosixFilePermission> PRIVATE =
      PosixFilePermissions.fromString("rwx------");
  private static final FileAttribute<?> PRIVATELY = PosixFilePermissions.asFileAttribute(PRIVATE);

  private static final class OfThisProcess {
    private static final Path ROOT =
        root(System.getenv(), System.getProperty("user.home"), temporaryFolder());
  }

  private UserCache() {}

  /** A folder of the cache; it need not exist yet. */
  public static Path folder(String name) {
    return OfThisProcess.ROOT.resolve(name);
  }

  private static Path temporaryFolder() {
    return Path.of(System.getProperty("java.io.tmpdir"));
  }

  /**
   * The cache's folder; it exists.
   *
   * @param environment of the process
   * @param userHome the home that Java found, where {@code HOME} is not set
   * @param temporary where temporary files go
   */
  static Path root(Map<String, String> environment, String userHome, Path temporary) {
    Stream<Optional<Path>> wanted =
        Stream.of(
            absolute(environment.get("XDG_CACHE_HOME")),
            home(environment.getOrDefault("HOME", userHome)).map(home -> home.resolve(".cache")));
    return wanted
        .flatMap(Optional::stream)
        .map(folder -> folder.resolve(NAME))
        .filter(UserCache::canBeWritten)
        .findFirst()
        .orElseGet(() -> privateFolder(temporary));
  }

  /** A user without a home has {@code /} for one, and nothing of a user belongs there. */
  private static Optional<Path> home(String text) {
    return absolute(text).filter(path -> path.getNameCount() > 0).filter(Files::isDirectory);
  }

  private static Optional<Path> absolute(String text) {
    try {
      return Optional.ofNullable(text).map(Path::of).filter(Path::isAbsolute);
    } catch (InvalidPathException e) {
      return Optional.empty();
    }
  }

  /** A folder that is not there is made, for others to make their own in it. */
  private static boolean canBeWritten(Path folder) {
    try {
      Files.createDirectories(folder);
      return Files.isWritable(folder) && Files.isExecutable(folder);
    } catch (IOException e) {
      return false;
    }
  }

  /**
   * The user's folder among the temporary ones. Its name is known to everybody, so it is used only
   * if it belongs to this user alone; otherwise it is a new one with a name that nobody can guess.
   */
  private static Path privateFolder(Path temporary) {
    try {
      Path folder = temporary.resolve(NAME + "-" + user());
      try {
        Files.createDirectory(folder, PRIVATELY);
      } catch (IOException e) {
        // It is there already, or nothing can be made here, which shows below.
      }
      return isOwn(folder) ? folder : Files.createTempDirectory(temporary, NAME, PRIVATELY);
    } catch (IOException e) {
      throw new UncheckedIOException(
          "no folder for a cache: set XDG_CACHE_HOME to one that can be written to", e);
    }
  }

  private static boolean isOwn(Path folder) throws IOException {
    return Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)
        && Files.getAttribute(folder, "unix:uid", LinkOption.NOFOLLOW_LINKS).equals(user())
        && Files.getPosixFilePermissions(folder, LinkOption.NOFOLLOW_LINKS).equals(PRIVATE);
  }

  /** The number of the user that this process runs as. */
  private static Object user() throws IOException {
    return Files.getAttribute(Path.of("/proc/self"), "unix:uid");
  }
}
