package io.bitloom.client.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.gpu.Gpu;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The programs are scripts that do what coordinator and worker do at their start and their end. */
class SupervisionTest {

  private static final int PATIENCE_SECONDS = 120;
  private static final RestartPolicy QUICKLY =
      new RestartPolicy(3, Duration.ofHours(1), failure -> 10L * failure);
  private static final String RUN = "exec cat >/dev/null";

  @TempDir Path folder;

  private final BlockingQueue<Restart> restarts = new LinkedBlockingQueue<>();

  @Test
  void whatIsKilledIsStartedAgainOnTheSamePorts() throws Exception {
    programs(RUN, RUN);
    try (LocalCluster cluster = start(QUICKLY)) {
      assertEquals("http://127.0.0.1:7", cluster.httpAddress());

      kill("worker");
      Restart worker = restart();
      assertEquals("worker", worker.program());
      assertEquals(137, worker.exitCode());
      assertEquals(folder.resolve("logs/worker.log"), worker.log());
      kill("coordinator");
      assertEquals("coordinator", restart().program());
      awaitStarts("coordinator", 2);

      List<String> starts = starts("coordinator");
      String port = cluster.grpcAddress().replace("127.0.0.1:", "--grpc-port=");
      starts.forEach(start -> assertTrue(start.contains(port), start));
      assertTrue(starts.get(0).contains("--http-port=0"), starts.get(0));
      assertTrue(starts.get(1).contains("--http-port=7"), starts.get(1));
      assertTrue(cluster.broken().isEmpty());
    }
    assertEquals(List.of(), processes());
  }

  @Test
  void aProgramThatKeepsEndingIsGivenUpWithItsLog() throws Exception {
    programs(RUN, untilToldTo() + "echo no model today; exit 1");
    CountDownLatch broken = new CountDownLatch(1);
    try (LocalCluster cluster = start(QUICKLY)) {
      cluster.whenBroken(broken::countDown);
      Files.createFile(folder.resolve("end"));
      assertTrue(broken.await(PATIENCE_SECONDS, TimeUnit.SECONDS));

      String reason = cluster.broken().orElseThrow();
      assertTrue(
          reason.startsWith("the worker ended with exit code 1, 3 times in a row soon after"),
          reason);
      assertTrue(reason.contains(folder.resolve("logs/worker.log") + "\n  "), reason);
      assertTrue(reason.endsWith("no model today"), reason);
    }
    assertEquals(3, starts("worker").size());
    assertEquals(
        List.of(10L, 20L), restarts.stream().map(restart -> restart.delay().toMillis()).toList());
  }

  @Test
  void wrongOptionsAreNotTriedAgainAndNeitherIsAnythingInADemo() throws Exception {
    programs(RUN, untilToldTo() + "exit 2");
    assertGivesUpAtOnce(QUICKLY);
    programs(RUN, untilToldTo() + "exit 1");
    assertGivesUpAtOnce(RestartPolicy.NEVER);
  }

  /** Lets a worker end only after the coordinator is ready: before, nothing would be started. */
  private String untilToldTo() {
    return "until [ -e '" + folder + "/end' ]; do sleep 0.02; done; ";
  }

  private void assertGivesUpAtOnce(RestartPolicy policy) throws Exception {
    CountDownLatch broken = new CountDownLatch(1);
    try (LocalCluster cluster = start(policy)) {
      cluster.whenBroken(broken::countDown);
      Files.createFile(folder.resolve("end"));
      assertTrue(broken.await(PATIENCE_SECONDS, TimeUnit.SECONDS));
    }
    Files.delete(folder.resolve("end"));
    assertEquals(0, restarts.size());
  }

  @Test
  void aCoordinatorThatDoesNotStartIsSaidAtOnceWhateverItLeaves() throws Exception {
    programs("echo '{' >$ports.new; echo port in use; exit 1", RUN);
    IOException refused = assertThrows(IOException.class, () -> start(QUICKLY).close());

    assertTrue(refused.getMessage().endsWith("port in use"), refused.getMessage());
    assertEquals(1, starts("coordinator").size());
    assertEquals(List.of(), processes());
  }

  @Test
  void eachWorkerSeesAGpuOfItsOwnAndKeepsItWhenItIsStartedAgain() throws Exception {
    programs(RUN, "echo on $CUDA_VISIBLE_DEVICES; " + RUN);
    List<Gpu> gpus = List.of(new Gpu("GPU-a", "H200"), new Gpu("MIG-b", "H200 MIG 1g.18gb"));
    try (LocalCluster cluster = start(QUICKLY, Workers.onEach(gpus))) {
      awaitStarts("worker", 2);
      assertEquals(List.of("GPU-a", "MIG-b"), visibleToWorkers());

      String killed = visibleTo(lastStarted("worker"));
      kill("worker");
      assertEquals(137, restart().exitCode());
      awaitStarts("worker", 3);
      assertEquals(killed, visibleTo(lastStarted("worker")));
      assertEquals(List.of("GPU-a", "MIG-b"), visibleToWorkers());
      assertEquals("", visibleTo(lastStarted("coordinator")));
      assertTrue(cluster.broken().isEmpty());
    }
    starts("worker").forEach(start -> assertTrue(start.contains(" --device=cuda:0"), start));
    assertEquals(List.of("on GPU-a"), distinctLines("logs/worker-1.log"));
    assertEquals(List.of("on MIG-b"), distinctLines("logs/worker-2.log"));
  }

  @Test
  void withoutAGpuThereIsOneWorkerOnTheCpu() throws Exception {
    programs(RUN, RUN);
    try (LocalCluster cluster = start(QUICKLY, Workers.onEach(List.of()))) {
      awaitStarts("worker", 1);
      assertTrue(cluster.broken().isEmpty());
    }
    assertEquals(1, starts("worker").size());
    assertTrue(starts("worker").get(0).contains(" --device=cpu"), starts("worker")::toString);
  }

  private List<String> distinctLines(String file) throws IOException {
    return Files.readAllLines(folder.resolve(file)).stream().distinct().toList();
  }

  /** What the workers that run see, in the order of its names. */
  private List<String> visibleToWorkers() throws Exception {
    List<String> visible = new ArrayList<>();
    for (String start : starts("worker")) {
      long pid = Long.parseLong(start.split(" ")[0]);
      if (ProcessHandle.of(pid).isPresent()) {
        visible.add(visibleTo(pid));
      }
    }
    Collections.sort(visible);
    return visible;
  }

  /**
   * What the system says of a process; its parent's value where it has none of its own. A process
   * that is just becoming another program has no environment for a moment.
   */
  private static String visibleTo(long pid) throws Exception {
    String variable = "CUDA_VISIBLE_DEVICES=";
    Path environ = Path.of("/proc/" + pid + "/environ");
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
    String entries = Files.readString(environ);
    while (entries.isEmpty()) {
      assertTrue(System.nanoTime() < end, "process " + pid + " has no environment");
      Thread.sleep(20);
      entries = Files.readString(environ);
    }
    return Stream.of(entries.split("\0"))
        .filter(entry -> entry.startsWith(variable))
        .map(entry -> entry.substring(variable.length()))
        .findFirst()
        .orElse("");
  }

  @Test
  void logsOfEarlierStartsStay() throws Exception {
    programs(RUN, "echo hello from $$; " + RUN);
    start(QUICKLY).close();
    String first = Files.readString(folder.resolve("logs/worker.log"));
    start(QUICKLY).close();
    String both = Files.readString(folder.resolve("logs/worker.log"));

    assertTrue(both.startsWith(first), both);
    assertNotEquals(first, both);
  }

  private LocalCluster start(RestartPolicy policy) throws IOException {
    return start(policy, Workers.of(1));
  }

  private LocalCluster start(RestartPolicy policy, Workers workers) throws IOException {
    return LocalCluster.start(
        new ClusterConfig(
            folder, folder.resolve("data"), folder.resolve("logs"), 0, 0, workers, "", "", policy),
        restarts::add);
  }

  private Restart restart() throws InterruptedException {
    Restart restart = restarts.poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
    assertTrue(restart != null, "nothing was started again");
    return restart;
  }

  /** Scripts that note their starts; the coordinator's is ready when its worker has started. */
  private void programs(String coordinator, String worker) throws IOException {
    Path script = folder.resolve("bitloom");
    Files.deleteIfExists(script);
    Files.write(
        script,
        List.of(
            "#!/bin/sh",
            "echo \"$$ $*\" >>'" + folder + "'/starts-$1",
            "if [ $1 = worker ]; then " + worker + "; fi",
            "for option; do case $option in --ports-file=*) ports=${option#*=} ;; esac; done",
            "case '" + coordinator + "' in exec*)",
            "  until [ -s '" + folder + "'/starts-worker ]; do sleep 0.02; done",
            "  if [ -n \"${ports:-}\" ]; then",
            "    echo '{\"grpc\": 1, \"http\": 7}' >$ports.new; mv $ports.new $ports",
            "  fi ;; esac",
            coordinator));
    Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  private List<String> starts(String program) throws IOException {
    Path file = folder.resolve("starts-" + program);
    return Files.exists(file) ? Files.readAllLines(file) : List.of();
  }

  private void awaitStarts(String program, int count) throws Exception {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
    while (starts(program).size() < count) {
      assertTrue(System.nanoTime() < end, program + " was not started again");
      Thread.sleep(20);
    }
  }

  private void kill(String program) throws IOException {
    ProcessHandle.of(lastStarted(program)).orElseThrow().destroyForcibly();
  }

  private long lastStarted(String program) throws IOException {
    List<String> starts = starts(program);
    return Long.parseLong(starts.get(starts.size() - 1).split(" ")[0]);
  }

  /** Processes that this test has started and that still run. */
  private List<Long> processes() {
    return ProcessHandle.current().children().map(ProcessHandle::pid).toList();
  }
}
