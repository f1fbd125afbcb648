package io.bitloom.engine.tensor;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.OptionalInt;
import java.util.stream.Stream;

/**
 * The CPU quota of this process: the least of its control group and of those around it. Java 17
 * looks at the process's own group alone.
 */
final class CpuQuota {
  private static final String CPU = "cpu";
  private static final long NONE = Long.MAX_VALUE;

  private CpuQuota() {}

  /**
   * Processors that the quota amounts to, rounded up; empty where there is none or the system does
   * not tell.
   *
   * @param root the root of the file system
   */
  static OptionalInt processors(Path root) {
    long least = NONE;
    try {
      for (String line : Files.readAllLines(root.resolve("proc/self/cgroup"))) {
        String[] group = line.split(":", 3); // number, controllers, path
        if (group.length == 3) {
          least = Math.min(least, processors(root.resolve("sys/fs/cgroup"), group[1], group[2]));
        }
      }
    } catch (IOException e) {
      return OptionalInt.empty();
    }
    return least > Integer.MAX_VALUE ? OptionalInt.empty() : OptionalInt.of((int) least);
  }

  private static long processors(Path mounts, String controllers, String path) {
    if (controllers.isEmpty()) { // version 2
      return least(mounts, path);
    }
    if (!Arrays.asList(controllers.split(",")).contains(CPU)) {
      return NONE;
    }
    return Stream.of(controllers, CPU)
        .map(mounts::resolve)
        .filter(Files::isDirectory)
        .findFirst()
        .map(mount -> least(mount, path))
        .orElse(NONE);
  }

  /** The least of a group and those around it, as far as they can be seen. */
  private static long least(Path mount, String path) {
    Path group = mount.resolve(path.substring(path.startsWith("/") ? 1 : 0)).normalize();
    long least = quota(mount);
    while (group.startsWith(mount) && !group.equals(mount)) {
      least = Math.min(least, quota(group));
      group = group.getParent();
    }
    return least;
  }

  private static long quota(Path group) {
    try {
      if (Files.exists(group.resolve("cpu.max"))) {
        String[] quotaAndPeriod = Files.readString(group.resolve("cpu.max")).strip().split(" ");
        return roundedUp(quotaAndPeriod[0], quotaAndPeriod[1]);
      }
      return roundedUp(
          Files.readString(group.resolve("cpu.cfs_quota_us")).strip(),
          Files.readString(group.resolve("cpu.cfs_period_us")).strip());
    } catch (IOException | NumberFormatException | ArrayIndexOutOfBoundsException e) {
      return NONE; // not there, or "max"
    }
  }

  private static long roundedUp(String quota, String period) {
    long microseconds = Long.parseLong(quota); // -1: none
    long of = Long.parseLong(period);
    return microseconds <= 0 || of <= 0 ? NONE : 1 + (microseconds - 1) / of;
  }
}
