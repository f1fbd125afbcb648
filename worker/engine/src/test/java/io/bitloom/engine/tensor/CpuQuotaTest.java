package io.bitloom.engine.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CpuQuotaTest {
  @TempDir private Path root;

  private void write(String file, String text) throws IOException {
    Files.createDirectories(root.resolve(file).getParent());
    Files.writeString(root.resolve(file), text + "\n");
  }

  private void quota(String group, String quota) throws IOException {
    write("sys/fs/cgroup/" + group + "/cpu.cfs_quota_us", quota);
    write("sys/fs/cgroup/" + group + "/cpu.cfs_period_us", "100000");
  }

  @Test
  void theLeastOfTheGroupsAroundAProcessHoldsInVersion2() throws IOException {
    write("proc/self/cgroup", "0::/outer/inner");
    write("sys/fs/cgroup/outer/inner/cpu.max", "max 100000");
    assertEquals(OptionalInt.empty(), CpuQuota.processors(root));
    write("sys/fs/cgroup/outer/cpu.max", "150000 100000");
    assertEquals(OptionalInt.of(2), CpuQuota.processors(root));
    write("sys/fs/cgroup/outer/inner/cpu.max", "50000 100000");
    assertEquals(OptionalInt.of(1), CpuQuota.processors(root));
  }

  @Test
  void theLeastOfTheGroupsAroundAProcessHoldsInVersion1() throws IOException {
    write("proc/self/cgroup", "4:memory:/m\n3:cpu,cpuacct:/outer/inner\n0::/");
    quota("cpu,cpuacct/outer/inner", "-1");
    assertEquals(OptionalInt.empty(), CpuQuota.processors(root));
    quota("cpu,cpuacct/outer", "300000");
    assertEquals(OptionalInt.of(3), CpuQuota.processors(root));
  }

  @Test
  void aContainerThatSeesItsOwnGroupAsTheRootHasItsQuota() throws IOException {
    write("proc/self/cgroup", "1:cpu:/docker/0123");
    quota("cpu", "200000");
    assertEquals(OptionalInt.of(2), CpuQuota.processors(root));
    write("proc/self/cgroup", "1:cpu:/../../elsewhere");
    assertEquals(OptionalInt.of(2), CpuQuota.processors(root));
  }

  @Test
  void whatTheSystemDoesNotTellIsNoQuota() throws IOException {
    assertEquals(OptionalInt.empty(), CpuQuota.processors(root));
    write("proc/self/cgroup", "nonsense\n0::/group");
    write("sys/fs/cgroup/group/cpu.max", "many");
    assertEquals(OptionalInt.empty(), CpuQuota.processors(root));
    write("sys/fs/cgroup/group/cpu.max", "100000 0");
    assertEquals(OptionalInt.empty(), CpuQuota.processors(root));
  }
}
