package io.bitloom.loadtests.queue;

import io.bitloom.common.cli.Range;
import io.bitloom.loadtests.process.CoordinatorProcess;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * Measures the queue through gRPC: client, fake workers, coordinator and Redis on this machine.
 *
 * <p>It does so once with all synced to the disk at once, as the embedded Redis is set, and once
 * with Redis syncing every second, as it does by default and other queues are measured.
 */
@Command(
    name = "queue",
    description = "Measures the queue and prints one table.",
    mixinStandardHelpOptions = true)
public final class QueueBench implements Callable<Integer> {

  private static final int MANY_RESULTS = 10_000_000;

  @Spec private CommandSpec spec;

  @Option(names = "--quick", description = "A tenth of the prompts: a minute, rough figures.")
  private boolean quick;

  @Option(
      names = "--results",
      description =
          "Measures only the reading of results: of a job of 10,000,000 prompts (--prompts) and of"
              + " one of 100,000. Takes three minutes and 1 GB of memory.")
  private boolean results;

  @Option(names = "--prompts", description = "How many are queued (default: 1,000,000).")
  @Range(min = 1)
  private Integer prompts;

  @Option(
      names = "--json",
      description = "Prints the figures as one JSON object, and all else to the error stream.")
  private boolean json;

  @Option(names = "--profile", description = "Prints the commands that took Redis longest.")
  private boolean profile;

  @Option(
      names = "--redis",
      description = "URI of the Redis to use; its appendfsync is changed (default: embedded ones).")
  private String redisUri = "embedded";

  @Option(
      names = "--appendfsync",
      split = ",",
      description = "How Redis syncs its writes, one run each (default: always,everysec).")
  private List<String> policies = List.of("always", "everysec");

  @Override
  public Integer call() throws Exception {
    PrintWriter out = json ? spec.commandLine().getErr() : spec.commandLine().getOut();
    if (results) {
      return readResults(out);
    }
    int many = prompts != null ? prompts : quick ? 100_000 : 1_000_000;
    Table table = new Table(policies);
    for (String policy : policies) {
      out.println("appendfsync " + policy);
      Path folder = Files.createTempDirectory("bitloom-bench");
      List<String> options = new ArrayList<>(List.of("--redis=" + redisUri));
      if (!policy.equals("always")) {
        options.add("--no-fsync-results");
      }
      try (CoordinatorProcess process =
          CoordinatorProcess.start(folder, "coordinator", 0, options)) {
        process.awaitReady();
        try (QueueRun run = new QueueRun(process, policy, many, quick, profile, table, out)) {
          run.measure(folder);
        }
      } finally {
        delete(folder);
      }
    }
    table.print(out);
    if (json) {
      table.printJson(spec.commandLine().getOut(), many);
    }
    return 0;
  }

  private int readResults(PrintWriter out) throws Exception {
    Path folder = Files.createTempDirectory("bitloom-bench");
    try {
      int many = prompts != null ? prompts : quick ? MANY_RESULTS / 10 : MANY_RESULTS;
      new ResultsBench(many, out).measure(folder);
      return 0;
    } finally {
      delete(folder);
    }
  }

  static void delete(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    }
  }
}
