package io.bitloom.client.cli;

import com.google.gson.JsonObject;
import io.bitloom.client.cluster.ClusterConfig;
import io.bitloom.client.cluster.LocalCluster;
import io.bitloom.common.cli.Range;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(name = "up", description = "Run a cluster on this machine until Ctrl-C.")
final class UpCommand implements Callable<Integer> {

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

  @Override
  public Integer call() throws IOException, InterruptedException {
    Console console = output.console();
    ClusterConfig config =
        new ClusterConfig(
            cluster.home(),
            data,
            data.resolve("logs"),
            grpcPort,
            httpPort,
            cluster.workers(),
            cluster.model(),
            "");
    CountDownLatch ended = new CountDownLatch(1);
    try (LocalCluster running = LocalCluster.start(config)) {
      Runtime.getRuntime().addShutdownHook(new Thread(running::close, "stop-cluster"));
      announce(console, running, config);
      running.whenBroken(ended::countDown);
      ended.await();
      throw new IOException(running.broken().orElse("a process ended"));
    }
  }

  private static void announce(Console console, LocalCluster running, ClusterConfig config) {
    JsonObject event = new JsonObject();
    event.addProperty("event", "up");
    event.addProperty("grpc", running.grpcAddress());
    event.addProperty("http", running.httpAddress());
    event.addProperty("data", config.data().toString());
    event.addProperty("logs", config.logs().toString());
    console.emit(event);
    console.say("gRPC   " + running.grpcAddress());
    console.say("pages  " + running.httpAddress());
    console.say("data   " + config.data());
    console.say("logs   " + config.logs());
    console.say("Ctrl-C stops everything; what is queued stays and goes on at the next start.");
  }
}
