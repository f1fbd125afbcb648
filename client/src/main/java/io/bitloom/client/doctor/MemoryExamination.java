package io.bitloom.client.doctor;

import com.sun.management.OperatingSystemMXBean;
import io.bitloom.common.doctor.Examination;
import io.bitloom.common.doctor.Finding;
import io.bitloom.common.doctor.Setup;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Memory that programs can have, of the machine and of a container. */
public final class MemoryExamination implements Examination {

  /** A coordinator, Redis and a worker with the demo model, while they draw. */
  private static final long DEMO_BYTES = 2L << 30;

  private static final long LEAST_BYTES = 1L << 30;
  private static final Path INFO = Path.of("/proc/meminfo");
  private static final Pattern AVAILABLE =
      Pattern.compile("^MemAvailable:\\s+(\\d{1,15}) kB$", Pattern.MULTILINE);

  @Override
  public List<Finding> examine(Setup setup) {
    long total =
        ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getTotalMemorySize();
    OptionalLong available = available();
    if (available.isEmpty()) {
      return List.of(Finding.ok("memory", Sizes.of(total) + "; how much is free cannot be seen"));
    }
    return List.of(judged(total, Math.min(total, available.getAsLong())));
  }

  private static Finding judged(long total, long available) {
    String found = Sizes.of(available) + " of " + Sizes.of(total) + " can be had";
    String advice =
        "a cluster with the demo model needs "
            + Sizes.of(DEMO_BYTES)
            + ", other models their size: end other programs, or take a larger machine";
    if (available < LEAST_BYTES) {
      return Finding.fail("memory", found, advice);
    }
    return available < DEMO_BYTES
        ? Finding.warn("memory", found, advice)
        : Finding.ok("memory", found);
  }

  private static OptionalLong available() {
    try {
      Matcher line = AVAILABLE.matcher(Files.readString(INFO));
      return line.find()
          ? OptionalLong.of(Long.parseLong(line.group(1)) * 1024)
          : OptionalLong.empty();
    } catch (IOException e) {
      return OptionalLong.empty();
    }
  }
}
