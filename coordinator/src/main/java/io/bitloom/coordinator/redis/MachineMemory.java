package io.bitloom.coordinator.redis;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;

/** How much memory this machine has, or the container that this process is in. */
final class MachineMemory {

  private MachineMemory() {}

  /**
   * Half of it, in bytes. The other half has room for a copy of Redis while it rewrites its file.
   */
  static long half() {
    return ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getTotalMemorySize()
        / 2;
  }
}
