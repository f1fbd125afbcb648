package io.bitloom.engine.tensor.cpu;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.OptionalInt;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The cores that the processors of this process belong to, as Linux tells them. */
final class CpuCores {
  private static final Pattern ALLOWED =
      Pattern.compile("^Cpus_allowed_list:\\s*(\\S+)$", Pattern.MULTILINE);
  private static final Pattern RANGE = Pattern.compile("(\\d{1,5})(?:-(\\d{1,5}))?");

  private CpuCores() {}

  /**
   * How many cores there are among the processors that this process may run on; empty where the
   * system does not tell.
   *
   * @param root the root of the file system
   */
  static OptionalInt count(Path root) {
    try {
      Matcher allowed = ALLOWED.matcher(Files.readString(root.resolve("proc/self/status")));
      if (!allowed.find()) {
        return OptionalInt.empty();
      }
      Path processors = root.resolve("sys/devices/system/cpu");
      Set<String> cores = new HashSet<>();
      for (String range : allowed.group(1).split(",")) {
        Matcher bounds = RANGE.matcher(range);
        if (!bounds.matches()) {
          return OptionalInt.empty();
        }
        int first = Integer.parseInt(bounds.group(1));
        int last = bounds.group(2) == null ? first : Integer.parseInt(bounds.group(2));
        for (int i = first; i <= last; i++) {
          // Processors of one core have the same list.
          cores.add(
              Files.readString(processors.resolve("cpu" + i + "/topology/thread_siblings_list")));
        }
      }
      return OptionalInt.of(cores.size());
    } catch (IOException e) {
      return OptionalInt.empty();
    }
  }
}
