package io.bitloom.coordinator;

import io.bitloom.common.config.Settings;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** A {@link FakeWorker} in a process of its own, so that it can be killed. Ends with its stdin. */
@Command(name = "fake-worker", mixinStandardHelpOptions = true)
public final class FakeWorkerMain implements Callable<Integer> {

  @Option(names = "--coordinator", required = true, split = ",", description = "host:port, …")
  private List<String> coordinators;

  @Option(names = "--id", required = true, description = "Unique among workers.")
  private String id;

  @Option(names = "--token", description = "Of a tenant's worker.")
  private String token;

  @Option(names = "--max-batch", defaultValue = "8", description = "Images of a batch.")
  private int maxBatch;

  @Option(names = "--batch-time", defaultValue = "10ms", description = "How long a batch takes.")
  private String batchTime;

  @Option(names = "--failure-rate", defaultValue = "0", description = "Share that fails once.")
  private double failureRate;

  @Option(names = "--refusal-rate", defaultValue = "0", description = "Share that always fails.")
  private double refusalRate;

  @Option(names = "--crash-rate", defaultValue = "0", description = "Share of batches forgotten.")
  private double crashRate;

  @Option(names = "--one-by-one", description = "Reports every prompt by itself.")
  private boolean oneByOne;

  @Option(names = "--seed", defaultValue = "1", description = "Of failures and crashes.")
  private long seed;

  public static void main(String[] arguments) {
    System.exit(new CommandLine(new FakeWorkerMain()).execute(arguments));
  }

  @Override
  public Integer call() throws IOException {
    FakeBehaviour behaviour =
        FakeBehaviour.DEFAULT
            .withBatch(maxBatch, Settings.duration("batch-time", batchTime))
            .withOneByOne(oneByOne)
            .with(new FakeBehaviour.Troubles(failureRate, refusalRate, crashRate, seed));
    try (FakeWorker worker =
        FakeWorker.start(
            coordinators,
            Optional.ofNullable(token),
            id,
            behaviour,
            (lease, tasks, waitNanos) -> {})) {
      while (System.in.read() >= 0) {
        // What is written there means nothing.
      }
    }
    return CommandLine.ExitCode.OK;
  }
}
