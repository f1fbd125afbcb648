package io.bitloom.coordinator;

import com.google.gson.JsonObject;
import io.bitloom.common.cli.GrpcLog;
import io.bitloom.common.cli.OptionRule;
import io.bitloom.common.cli.Usage;
import io.bitloom.common.config.ConfigException;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.file.FileFaults;
import io.bitloom.common.file.WholeFile;
import io.bitloom.common.net.MaskedUri;
import io.bitloom.common.process.FolderInUseException;
import io.bitloom.common.process.FolderLock;
import io.bitloom.common.trace.Tracing;
import io.bitloom.coordinator.config.CoordinatorConfig;
import io.bitloom.coordinator.config.ListenConfig;
import io.bitloom.coordinator.config.SettingValues;
import io.bitloom.coordinator.config.SettingsFileException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IExecutionStrategy;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.Spec;

/** Runs a coordinator until it is told to stop. Exit codes: 0 stopped, 1 failed, 2 usage. */
@Command(
    name = "bitloom coordinator",
    description = "Takes bulk jobs over gRPC, queues their prompts and gives batches to workers.",
    version = "Bitloom coordinator",
    sortOptions = false,
    footer = {
      "",
      "Durations have a unit: 250ms, 1.5s, 10m, 2h.",
      "BITLOOM_LOG=json writes the log as one JSON object a line.",
      "BITLOOM_LOG_LEVEL sets the log level: error, warn, info (default), debug.",
      "",
      "Exit codes: 0 stopped on request, 1 failed, 2 wrong usage."
    })
@OptionRule(
    options = {"--s3-endpoint", "--s3-region", "--s3-path-style"},
    notWith = "--results=directory",
    unless = "--input")
@OptionRule(options = "--input-bytes", onlyWith = "--input")
@OptionRule(options = "--no-fsync-results", onlyWith = "--results=directory")
public final class Main implements Callable<Integer> {

  private static final Logger log = LoggerFactory.getLogger(Main.class);

  private static final SettingOptions OPTIONS = new SettingOptions(CoordinatorConfig.SETTINGS);

  @Spec private CommandSpec spec;

  private SettingValues values;

  @Option(
      names = "--config",
      paramLabel = "FILE",
      description =
          "Settings in YAML: lines such as \"grpc-port: 7700\". Variables and options override it.")
  private Path configFile;

  @Option(
      names = "--exit-on-stdin-close",
      description = "Stop when standard input ends, so that no coordinator outlives its parent.")
  private boolean exitOnStdinClose;

  public static void main(String[] arguments) {
    GrpcLog.leaveFailuresToTheProgram();
    System.exit(commandLine().execute(arguments));
  }

  /** The last of repeated options counts, so that scripts can have defaults. */
  static CommandLine commandLine() {
    Main main = new Main();
    CommandLine line = new CommandLine(main);
    OPTIONS.addTo(line.getCommandSpec());
    line.getCommandSpec().mixinStandardHelpOptions(true);
    IExecutionStrategy checked = Usage.prepare(line).getExecutionStrategy();
    return line.setExecutionStrategy(
            given -> {
              main.readSettings(given);
              return checked.execute(given);
            })
        .setOverwrittenOptionsAllowed(true)
        .setParameterExceptionHandler(Usage::refuse);
  }

  private void readSettings(ParseResult given) {
    if (given.isUsageHelpRequested() || given.isVersionHelpRequested()) {
      return;
    }
    try {
      values = OPTIONS.values(given, Optional.ofNullable(configFile));
    } catch (SettingsFileException e) {
      throw new ParameterException(spec.commandLine(), e.getMessage());
    }
  }

  @Override
  public Integer call() throws InterruptedException {
    CoordinatorConfig config = config();
    Coordinator coordinator;
    try {
      coordinator =
          Coordinator.start(
              config,
              folder -> ownData(folder, config),
              Tracing.ofEnvironment("bitloom-coordinator"));
    } catch (FolderInUseException e) {
      log.error("The coordinator cannot start: {}", e.getMessage());
      return CommandLine.ExitCode.USAGE;
    } catch (ConfigException e) {
      throw refused(e);
    } catch (IOException | BitloomException e) {
      log.error("The coordinator cannot start: {}", FileFaults.message(e));
      return CommandLine.ExitCode.SOFTWARE;
    }
    Thread onSignal = new Thread(() -> stop(coordinator), "shutdown");
    Runtime.getRuntime().addShutdownHook(onSignal);
    try {
      announce(coordinator, config.listen());
    } catch (IOException e) {
      log.error("The ports file cannot be written: {}", FileFaults.message(e));
      Runtime.getRuntime().removeShutdownHook(onSignal);
      coordinator.close();
      return CommandLine.ExitCode.SOFTWARE;
    }
    if (exitOnStdinClose) {
      Thread watch = new Thread(Main::exitWhenStdinEnds, "stdin");
      watch.setDaemon(true);
      watch.start();
    }
    ConfigException why = coordinator.unusable().toCompletableFuture().join();
    log.error("The coordinator stops: {}", why.getMessage());
    Runtime.getRuntime().removeShutdownHook(onSignal);
    coordinator.stop();
    return CommandLine.ExitCode.SOFTWARE;
  }

  private FolderLock ownData(Path folder, CoordinatorConfig config) throws IOException {
    String command =
        FolderLock.command(
            "./bitloom coordinator", spec.commandLine().getParseResult().originalArgs());
    return config.directory().shared()
        ? FolderLock.share(folder, FolderLock.COORDINATOR, command)
        : FolderLock.take(folder, FolderLock.COORDINATOR, command);
  }

  private CoordinatorConfig config() {
    try {
      return CoordinatorConfig.of(values);
    } catch (ConfigException e) {
      throw refused(e);
    }
  }

  private ParameterException refused(ConfigException wrong) {
    return new ParameterException(spec.commandLine(), values.explain(wrong));
  }

  private static void announce(Coordinator coordinator, ListenConfig listen) throws IOException {
    log.info(
        "Bitloom coordinator is ready: gRPC {}:{}, HTTP {}://{}:{}, Redis {}",
        listen.bind(),
        coordinator.grpcPort(),
        listen.access().tls().isEmpty() ? "http" : "https",
        listen.bind(),
        coordinator.httpPort(),
        MaskedUri.of(coordinator.redis()));
    if (listen.portsFile().isPresent()) {
      JsonObject ports = new JsonObject();
      ports.addProperty("grpc", coordinator.grpcPort());
      ports.addProperty("http", coordinator.httpPort());
      ports.addProperty("redis", coordinator.redis());
      // The address of Redis may have its password.
      WholeFile.writeSecret(listen.portsFile().get().toAbsolutePath(), ports.toString());
    }
  }

  /**
   * Runs as a shutdown hook. It ends the virtual machine itself, because one that was ended by a
   * signal would report the signal and not that all went well.
   */
  private static void stop(Coordinator coordinator) {
    log.info("Bitloom coordinator stops");
    coordinator.stop();
    Runtime.getRuntime().halt(CommandLine.ExitCode.OK);
  }

  private static void exitWhenStdinEnds() {
    try {
      while (System.in.read() >= 0) {
        // What is written there means nothing.
      }
    } catch (IOException e) {
      log.debug("Standard input broke: {}", e.toString());
    }
    System.exit(CommandLine.ExitCode.OK);
  }
}
