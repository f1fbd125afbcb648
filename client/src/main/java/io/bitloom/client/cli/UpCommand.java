package io.bitloom.client.cli;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.bitloom.client.cluster.ClusterConfig;
import io.bitloom.client.cluster.LocalCluster;
import io.bitloom.client.cluster.Restart;
import io.bitloom.client.cluster.RestartPolicy;
import io.bitloom.common.cli.Range;
import io.bitloom.common.gpu.Gpu;
import io.bitloom.common.process.FolderLock;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

@Command(
    name = "up",
    description = {
      "Run a cluster on this machine until Ctrl-C.",
      "A process that ends is started again. Exit codes: 1 one of them keeps ending,",
      "2 wrong usage, or the folder belongs to another cluster."
    })
final class UpCommand implements Callable<Integer> {

  private static final Duration LAST_ONES_END = Duration.ofSeconds(15);

  @Option(
      names = "--data",
      paramLabel = "DIR",
      defaultValue = "data",
      description = "Folder for queue, results and logs (default: ${DEFAULT-VALUE}).")
  private Path data;

  @Option(
      names = "--grpc-port",
      paramLabel = "PORT",
      defaultValue = "7700",
      description = "Port for clients and workers, 0: any (default: ${DEFAULT-VALUE}).")
  @Range(min = 0, max = Range.LAST_PORT)
  private int grpcPort;

  @Option(
      names = "--http-port",
      paramLabel = "PORT",
      defaultValue = "7701",
      description = "Port for pages and metrics, 0: any (default: ${DEFAULT-VALUE}).")
  @Range(min = 0, max = Range.LAST_PORT)
  private int httpPort;

  @Mixin private ClusterOptions cluster;
  @Mixin private OutputOptions output;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws IOException, InterruptedException {
    Console console = output.console();
    String command =
        FolderLock.command("./bitloom", spec.commandLine().getParseResult().originalArgs());
    ClusterConfig config =
        new ClusterConfig(
            cluster.home(),
            data,
            data.resolve("logs"),
            grpcPort,
            httpPort,
            cluster.workers(),
            cluster.model(),
            "",
            RestartPolicy.OF_A_SERVICE);
    CountDownLatch ended = new CountDownLatch(1);
    try (FolderLock own = ownData(command);
        LocalCluster running =
            LocalCluster.start(config, restart -> sayRestart(console, restart))) {
      Runtime.getRuntime().addShutdownHook(new Thread(running::close, "stop-cluster"));
      announce(console, running, config);
      running.whenBroken(ended::countDown);
      ended.await();
      throw new IOException(running.broken().orElse("a process ended"));
    }
  }

  /** Also waits for a coordinator that lost its parent a moment ago and is about to end. */
  private FolderLock ownData(String command) throws IOException {
    FolderLock own = FolderLock.take(data, FolderLock.UP, command);
    try {
      FolderLock.awaitFree(data, FolderLock.COORDINATOR, command, LAST_ONES_END);
      return own;
    } catch (IOException e) {
      own.close();
      throw e;
    }
  }

  private static void sayRestart(Console console, Restart restart) {
    JsonObject event = new JsonObject();
    event.addProperty("event", "restart");
    event.addProperty("process", restart.program());
    event.addProperty("exit_code", restart.exitCode());
    event.addProperty("wait_seconds", restart.delay().toMillis() / 1000.0);
    event.addProperty("log", restart.log().toString());
    console.complain("bitloom: " + restart, event);
  }

  private static void announce(Console console, LocalCluster running, ClusterConfig config) {
    JsonObject event = new JsonObject();
    event.addProperty("event", "up");
    event.addProperty("grpc", running.grpcAddress());
    event.addProperty("http", running.httpAddress());
    event.addProperty("data", config.data().toString());
    event.addProperty("logs", config.logs().toString());
    event.addProperty("workers", config.workers().count());
    JsonArray gpus = new JsonArray();
    config.workers().gpus().forEach(gpu -> gpus.add(gpu.id()));
    event.add("gpus", gpus);
    console.emit(event);
    console.say("gRPC   " + running.grpcAddress());
    console.say("pages  " + running.httpAddress());
    console.say("data   " + config.data());
    console.say("logs   " + config.logs());
    int number = 1;
    for (Gpu gpu : config.workers().gpus()) {
      console.say("GPU    " + gpu + ": worker " + number++);
    }
    console.say("Ctrl-C stops everything; what is queued stays and goes on at the next start.");
  }
}
