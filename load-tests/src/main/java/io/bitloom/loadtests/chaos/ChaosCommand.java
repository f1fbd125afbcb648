package io.bitloom.loadtests.chaos;

import io.bitloom.loadtests.process.Distribution;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code ./bitloom bench chaos}. */
@Command(
    name = "chaos",
    description =
        "Breaks workers, coordinators, connections and Redis at random, and checks that nothing is"
            + " lost, doubled or changed.",
    mixinStandardHelpOptions = true)
public final class ChaosCommand implements Callable<Integer> {

  @Spec private CommandSpec spec;

  @Option(names = "--seed", description = "Of all that is random (default: the time).")
  private long seed = System.currentTimeMillis();

  @Option(names = "--brief", description = "The short form of the test suite.")
  private boolean brief;

  @Option(
      names = "--redis-cluster",
      description =
          "Redis is a cluster of three masters with a replica each, and what is acknowledged is on"
              + " both; masters are killed.")
  private boolean redisCluster;

  @Option(
      names = "--coordinator-option",
      paramLabel = "OPTION",
      description = "What all coordinators get, too; may be repeated.")
  private List<String> coordinatorOptions = List.of();

  @Option(
      names = "--older",
      paramLabel = "FOLDER",
      description =
          "A built copy of the version before: its workers, and its coordinator beside one of now,"
              + " which replaces it in the middle.")
  private Path older;

  @Override
  public Integer call() throws Exception {
    if (redisCluster && older != null) {
      throw new ParameterException(
          spec.commandLine(),
          "--older cannot be combined with --redis-cluster: it has no replicas");
    }
    Path folder = Files.createTempDirectory("bitloom-chaos");
    ChaosPlan plan = brief ? ChaosPlan.brief(seed) : ChaosPlan.whole(seed);
    plan = plan.withCoordinators(coordinatorOptions);
    if (redisCluster) {
      plan = plan.onRedisCluster();
    }
    Optional<Distribution> before = Optional.ofNullable(older).map(Distribution::at);
    new ChaosRun(plan, before, spec.commandLine().getOut()).run(folder);
    spec.commandLine().getOut().println("nothing lost, doubled or changed; logs in " + folder);
    return 0;
  }
}
