package io.bitloom.engine.tensor.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.bitloom.engine.ChildJvm;
import io.bitloom.engine.tensor.LibTorch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** How many threads a process takes that may use only some of the processors. */
@Timeout(120)
class CpuThreadsIT {
  @TempDir private Path folder;

  /** Prints the threads of a process in which nobody has chosen, and those chosen. */
  public static final class Report {
    public static void main(String[] arguments) {
      System.out.println(LibTorch.threads() + " then " + CpuThreads.use(0));
    }
  }

  @Test
  void aProcessPinnedToOneProcessorTakesOneThread() throws Exception {
    assumeTrue(Files.isExecutable(Path.of("/usr/bin/taskset")), "skipped: there is no taskset");
    assertEquals(
        "1 then 1 CPU thread: one for each processor",
        report(List.of("taskset", "-c", firstAllowedProcessor()), List.of()));
  }

  @Test
  void aProcessTakesTheProcessorsThatTheJvmIsToldOf() throws Exception {
    assertEquals(
        "1 then 1 CPU thread: one for each processor",
        report(List.of(), List.of("-XX:ActiveProcessorCount=1")));
  }

  private static String firstAllowedProcessor() throws IOException {
    return Files.readAllLines(Path.of("/proc/self/status")).stream()
        .filter(line -> line.startsWith("Cpus_allowed_list:"))
        .map(line -> line.replaceAll(".*?(\\d+).*", "$1"))
        .findFirst()
        .orElseThrow();
  }

  private String report(List<String> launcher, List<String> jvm)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(launcher);
    command.add(System.getProperty("java.home") + "/bin/java");
    command.addAll(ChildJvm.flagsOfThisJvm());
    command.addAll(jvm);
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), Report.class.getName()));
    Path output = folder.resolve("report");
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output.toFile());
    builder.environment().remove("OMP_NUM_THREADS");
    Process process = builder.start();
    boolean ended = process.waitFor(60, TimeUnit.SECONDS);
    process.destroyForcibly();
    String printed = Files.readString(output).strip();
    assertTrue(ended, () -> "it does not end; it said: " + printed);
    return printed;
  }
}
