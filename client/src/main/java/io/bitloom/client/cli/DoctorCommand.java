package io.bitloom.client.cli;

import com.google.gson.JsonObject;
import io.bitloom.common.config.ConfigException;
import io.bitloom.common.config.Settings;
import io.bitloom.common.doctor.Examination;
import io.bitloom.common.doctor.Finding;
import io.bitloom.common.doctor.Setup;
import java.nio.file.Path;
import java.util.Locale;
import java.util.ServiceLoader;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

@Command(
    name = "doctor",
    description = {
      "Check what Bitloom needs on this machine, and say what to do.",
      "Java and build, memory, disk, ports, Redis, GPU, native libraries, limits; changes nothing",
      "but the cache. Exit codes: 0 all of it works, perhaps with warnings; 1 something does not."
    })
final class DoctorCommand implements Callable<Integer> {

  @Option(
      names = "--data",
      paramLabel = "DIR",
      defaultValue = "${env:BITLOOM_DATA:-data}",
      description = "Folder for queue, results and logs (default: ./data).")
  private Path data;

  @Option(
      names = "--grpc-port",
      paramLabel = "PORT",
      defaultValue = "${env:BITLOOM_GRPC_PORT:-7700}",
      description = "Port for clients and workers (default: 7700).")
  private int grpcPort;

  @Option(
      names = "--http-port",
      paramLabel = "PORT",
      defaultValue = "${env:BITLOOM_HTTP_PORT:-7701}",
      description = "Port for pages and metrics (default: 7701).")
  private int httpPort;

  @Option(
      names = "--redis",
      paramLabel = "URI",
      defaultValue = "${env:BITLOOM_REDIS:-embedded}",
      description = "embedded (default), or the URI of the Redis that is to be used.")
  private String redis;

  @Mixin private OutputOptions output;
  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    Console console = output.console();
    Setup setup =
        new Setup(data, port("--grpc-port", grpcPort), port("--http-port", httpPort), redis);
    int failed = 0;
    for (Examination examination : ServiceLoader.load(Examination.class)) {
      for (Finding finding : examination.examine(setup)) {
        tell(console, finding);
        failed += finding.status() == Finding.Status.FAIL ? 1 : 0;
      }
    }
    return failed == 0 ? ExitCode.DONE : ExitCode.FAILED;
  }

  private int port(String option, int port) {
    try {
      return Settings.inRange(option, port, 0, 65_535);
    } catch (ConfigException e) {
      throw new ParameterException(spec.commandLine(), e.getMessage());
    }
  }

  private static void tell(Console console, Finding finding) {
    String status = finding.status().name().toLowerCase(Locale.ROOT);
    JsonObject event = new JsonObject();
    event.addProperty("event", "finding");
    event.addProperty("name", finding.name());
    event.addProperty("status", status);
    event.addProperty("found", finding.found());
    if (!finding.advice().isEmpty()) {
      event.addProperty("advice", finding.advice());
    }
    console.emit(event);
    console.say(
        String.format(Locale.ROOT, "%-4s  %-16s  %s", status, finding.name(), finding.found()));
    if (!finding.advice().isEmpty()) {
      console.say(" ".repeat(24) + "→ " + finding.advice());
    }
  }
}
