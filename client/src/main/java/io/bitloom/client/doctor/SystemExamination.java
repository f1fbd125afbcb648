package io.bitloom.client.doctor;

import io.bitloom.common.doctor.Examination;
import io.bitloom.common.doctor.Finding;
import io.bitloom.common.doctor.Setup;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What the system grants a process: names of files in UTF-8, open files, threads. */
public final class SystemExamination implements Examination {

  private static final Path LIMITS = Path.of("/proc/self/limits");
  private static final long LEAST_FILES = 1024;
  private static final long LEAST_THREADS = 512;

  @Override
  public List<Finding> examine(Setup setup) {
    return List.of(
        locale(),
        limit("open files", "Max open files", LEAST_FILES, "ulimit -n"),
        limit("processes", "Max processes", LEAST_THREADS, "ulimit -u"));
  }

  private static Finding locale() {
    String names = System.getProperty("sun.jnu.encoding");
    return names.equals(StandardCharsets.UTF_8.name())
        ? Finding.ok("locale", "names of files are in UTF-8")
        : Finding.warn(
            "locale",
            "names of files are in " + names + ", so that not every image can be named",
            "set LC_ALL to a locale of UTF-8 that is installed: locale -a lists them");
  }

  /** The JVM has raised the limit to the highest that it may have. */
  private static Finding limit(String name, String row, long least, String command) {
    OptionalLong granted = granted(row);
    String found =
        granted.isPresent() ? "at most " + granted.getAsLong() : "without a limit that can be seen";
    return granted.orElse(Long.MAX_VALUE) < least
        ? Finding.warn(name, found, command + " should be at least " + least)
        : Finding.ok(name, found);
  }

  private static OptionalLong granted(String row) {
    try {
      Matcher limit =
          Pattern.compile("^" + row + "\\s+(\\d{1,18})\\s", Pattern.MULTILINE)
              .matcher(Files.readString(LIMITS));
      return limit.find() ? OptionalLong.of(Long.parseLong(limit.group(1))) : OptionalLong.empty();
    } catch (IOException e) {
      return OptionalLong.empty();
    }
  }
}
