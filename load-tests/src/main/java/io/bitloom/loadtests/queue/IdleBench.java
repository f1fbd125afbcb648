package io.bitloom.loadtests.queue;

import io.bitloom.common.cli.Range;
import io.bitloom.loadtests.process.CoordinatorProcess;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * Measures what a large cluster costs Redis while nothing is drawn, and how fast it leases compared
 * with one coordinator and one bucket: coordinators as processes with one Redis, fake workers and
 * jobs, all on this machine.
 */
@Command(
    name = "idle",
    description = "Measures what a large cluster costs Redis, idle and drawing.",
    mixinStandardHelpOptions = true)
public final class IdleBench implements Callable<Integer> {

  @Spec private CommandSpec spec;

  @Option(names = "--coordinators", description = "How many (default: ${DEFAULT-VALUE}).")
  @Range(min = 1)
  private int coordinators = 10;

  @Option(names = "--workers", description = "How many fake ones (default: ${DEFAULT-VALUE}).")
  @Range(min = 1)
  private int workers = 1000;

  @Option(
      names = "--jobs",
      description = "How many are open, paused, while it is idle (default: ${DEFAULT-VALUE}).")
  @Range(min = 1)
  private int jobs = 10_000;

  @Option(
      names = "--prompts",
      description = "How many are drawn in each of both runs (default: ${DEFAULT-VALUE}).")
  @Range(min = 1)
  private int prompts = 150_000;

  @Option(
      names = "--seconds",
      description = "For how long nothing is done (default: ${DEFAULT-VALUE}).")
  @Range(min = 1)
  private int seconds = 45;

  @Option(names = "--profile", description = "Prints the commands of Redis while it is idle.")
  private boolean profile;

  @Override
  public Integer call() throws Exception {
    PrintWriter out = spec.commandLine().getOut();
    Path folder = Files.createTempDirectory("bitloom-bench");
    List<CoordinatorProcess> processes = new ArrayList<>();
    try {
      processes.add(start(folder, "coordinator-0", "embedded"));
      try (IdleRun run = new IdleRun(processes.get(0), workers, prompts, out)) {
        run.drawWithOne();
        startOthers(folder, processes);
        run.fill(jobs);
        run.idle(processes, seconds, profile);
        run.drawWithAll(processes);
      } catch (Exception e) {
        for (CoordinatorProcess process : processes) {
          process.requireAlive(); // its log says more than a call that failed
        }
        throw e;
      }
    } finally {
      for (int i = processes.size() - 1; i >= 0; i--) {
        processes.get(i).close();
      }
      QueueBench.delete(folder);
    }
    return 0;
  }

  private void startOthers(Path folder, List<CoordinatorProcess> processes) throws Exception {
    if (coordinators > 1) {
      processes.addAll(
          CoordinatorProcess.startTogether(
              folder,
              IntStream.range(1, coordinators).mapToObj(i -> "coordinator-" + i).toList(),
              options(processes.get(0).redis())));
    }
    for (CoordinatorProcess process : processes) {
      process.awaitReady();
    }
  }

  private static List<String> options(String redis) {
    return List.of("--redis=" + redis, "--no-fsync-results", "--open-jobs=1000000");
  }

  private static CoordinatorProcess start(Path folder, String name, String redis) throws Exception {
    CoordinatorProcess process = CoordinatorProcess.start(folder, name, 0, options(redis));
    process.awaitReady();
    return process;
  }
}
