package io.bitloom.worker.modeldir;

import java.nio.file.Path;

/** Where a user's programs keep what they could make again. */
final class UserCache {
  private UserCache() {}

  /** A folder in {@code $XDG_CACHE_HOME/bitloom}, or {@code ~/.cache/bitloom}. */
  static Path folder(String name) {
    String cache = System.getenv("XDG_CACHE_HOME");
    Path folder =
        cache == null || cache.isEmpty()
            ? Path.of(System.getProperty("user.home"), ".cache")
            : Path.of(cache);
    return folder.resolve("bitloom").resolve(name);
  }
}
