package io.bitloom.client.doctor;

import io.bitloom.common.config.UserCache;
import io.bitloom.common.doctor.Examination;
import io.bitloom.common.doctor.Finding;
import io.bitloom.common.doctor.Setup;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Whether folders can be written to, and how much more they take. */
public final class DiskExamination implements Examination {

  private static final long LEAST_BYTES = 200L << 20;

  /** Some ten thousand pictures of 256² as PNG, or a thousand of 1024². */
  private static final long DATA_BYTES = 2L << 30;

  /** The native libraries, and a built-in model. */
  private static final long CACHE_BYTES = 1L << 30;

  @Override
  public List<Finding> examine(Setup setup) {
    return List.of(
        judged("data", setup.data(), DATA_BYTES, "--data says another folder"),
        cache(),
        judged(
            "temporary files",
            Path.of(System.getProperty("java.io.tmpdir")),
            LEAST_BYTES,
            "BITLOOM_JAVA_OPTS=-Djava.io.tmpdir=DIR says another folder"));
  }

  private static Finding cache() {
    String advice = "XDG_CACHE_HOME says another folder";
    try {
      Path folder = UserCache.folder("");
      boolean unpacked = Files.exists(folder.resolve("javacpp"));
      return judged("cache", folder, unpacked ? LEAST_BYTES : CACHE_BYTES, advice);
    } catch (UncheckedIOException e) {
      return Finding.fail("cache", e.getMessage(), advice);
    }
  }

  static Finding judged(String name, Path folder, long wantedBytes, String elsewhere) {
    try {
      Path there = nearest(folder.toAbsolutePath());
      if (!Files.isDirectory(there) || !writable(there)) {
        return Finding.fail(
            name,
            folder + " cannot be written to" + (there.endsWith(folder) ? "" : ": " + there),
            elsewhere + ", or change its permissions");
      }
      long free = Files.getFileStore(there).getUsableSpace();
      String found = folder + ", " + Sizes.of(free) + " free";
      if (free >= wantedBytes) {
        return Finding.ok(name, found);
      }
      String advice = "make room for " + Sizes.of(wantedBytes) + ", or elsewhere: " + elsewhere;
      return free < LEAST_BYTES
          ? Finding.fail(name, found, advice)
          : Finding.warn(name, found, advice);
    } catch (IOException e) {
      return Finding.fail(name, folder + ": " + e.getMessage(), elsewhere);
    }
  }

  /** The folder, or the one of those above it in which it would be made. */
  private static Path nearest(Path folder) {
    Path there = folder;
    while (!Files.exists(there) && there.getParent() != null) {
      there = there.getParent();
    }
    return there;
  }

  /** Asks by doing it: permissions alone do not tell of a read-only mount, or of root. */
  private static boolean writable(Path folder) {
    try {
      Files.delete(Files.createTempFile(folder, ".bitloom-doctor", ""));
      return true;
    } catch (IOException e) {
      return false;
    }
  }
}
