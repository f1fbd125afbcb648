package io.bitloom.coordinator;

import com.google.gson.JsonObject;
import io.bitloom.common.cli.OptionRule;
import io.bitloom.common.cli.Usage;
import io.bitloom.common.config.ConfigException;
import io.bitloom.common.config.Settings;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.file.FileFaults;
import io.bitloom.common.process.FolderInUseException;
import io.bitloom.common.process.FolderLock;
import io.bitloom.coordinator.config.AccessConfig;
import io.bitloom.coordinator.config.CoordinatorConfig;
import io.bitloom.coordinator.config.LeaseConfig;
import io.bitloom.coordinator.config.LimitsConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Runs a coordinator until it is told to stop. Exit codes: 0 stopped, 1 failed, 2 usage. */
@Command(
    name = "bitloom coordinator",
    description = "Takes bulk jobs over gRPC, queues their prompts and gives batches to workers.",
    mixinStandardHelpOptions = true,
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
@OptionRule(options = "--insecure", notWith = "--tenants")
@OptionRule(
    options = {"--s3-endpoint", "--s3-region", "--s3-path-style"},
    notWith = "--results=directory")
@OptionRule(options = "--no-fsync-results", onlyWith = "--results=directory")
public final class Main implements Callable<Integer> {

  private static final Logger log = LoggerFactory.getLogger(Main.class);

  @Spec private CommandSpec spec;

  @Option(
      names = "--data",
      paramLabel = "DIR",
      defaultValue = "${env:BITLOOM_DATA:-data}",
      description = "Where the queue and the images are kept (default: ./data).")
  private Path data;

  @Option(
      names = "--share-data",
      description =
          "Let other coordinators that say so as well use this folder and the Redis in it.")
  private boolean shareData;

  @Option(
      names = "--redis",
      paramLabel = "URI",
      defaultValue = "${env:BITLOOM_REDIS:-embedded}",
      description =
          "embedded (default), or a URI: redis://, redis-sentinel://, redis-cluster://; rediss for TLS,"
              + " with ?ca=FILE for its CA.")
  private String redis;

  @Option(
      names = "--redis-namespace",
      paramLabel = "NAME",
      defaultValue = "${env:BITLOOM_REDIS_NAMESPACE:-bitloom}",
      description = "Prefix of all keys, so that clusters can share a Redis (default: bitloom).")
  private String redisNamespace;

  @Option(
      names = "--bind",
      paramLabel = "ADDRESS",
      defaultValue = "${env:BITLOOM_BIND:-127.0.0.1}",
      description = "Address to listen on (default: 127.0.0.1).")
  private String bind;

  @Option(
      names = "--grpc-port",
      paramLabel = "PORT",
      defaultValue = "${env:BITLOOM_GRPC_PORT:-7700}",
      description = "Port of clients and workers; 0 takes a free one (default: 7700).")
  private int grpcPort;

  @Option(
      names = "--http-port",
      paramLabel = "PORT",
      defaultValue = "${env:BITLOOM_HTTP_PORT:-7701}",
      description =
          "Port of health, metrics and the jobs page; 0 takes a free one (default: 7701).")
  private int httpPort;

  @Option(
      names = "--ports-file",
      paramLabel = "FILE",
      description = "Written once ready: a JSON object with grpc, http and redis.")
  private Path portsFile;

  @Option(
      names = "--default-model",
      paramLabel = "NAME",
      defaultValue = "${env:BITLOOM_DEFAULT_MODEL:-}",
      description = "Draws where a job names no model (default: the only one there is).")
  private String defaultModel;

  @Option(
      names = "--prompt-characters",
      paramLabel = "N",
      defaultValue = "${env:BITLOOM_PROMPT_CHARACTERS:-4000}",
      description = "Longest prompt (default: 4000).")
  private int promptCharacters;

  @Option(
      names = "--images-per-prompt",
      paramLabel = "N",
      defaultValue = "${env:BITLOOM_IMAGES_PER_PROMPT:-16}",
      description = "Most images that a prompt may ask for (default: 16).")
  private int imagesPerPrompt;

  @Option(
      names = "--open-jobs",
      paramLabel = "N",
      defaultValue = "${env:BITLOOM_OPEN_JOBS:-1000}",
      description = "Most jobs of a tenant that have not ended (default: 1000).")
  private int openJobs;

  @Option(
      names = "--queued-prompts",
      paramLabel = "N",
      defaultValue = "${env:BITLOOM_QUEUED_PROMPTS:-20000000}",
      description = "Most prompts of a tenant that are not done (default: 20000000).")
  private long queuedPrompts;

  @Option(
      names = "--prompts-per-second",
      paramLabel = "N",
      defaultValue = "${env:BITLOOM_PROMPTS_PER_SECOND:-1000000}",
      description = "Most prompts that a tenant may append in a second (default: 1000000).")
  private int promptsPerSecond;

  @Option(
      names = "--retention",
      paramLabel = "TIME",
      defaultValue = "${env:BITLOOM_RETENTION:-}",
      description = "Delete jobs with their images this long after their end (default: never).")
  private String retention;

  @Option(
      names = "--tenants",
      paramLabel = "FILE",
      defaultValue = "${env:BITLOOM_TENANTS:-}",
      description = "Tenants and the SHA-256 of their tokens; others are not let in.")
  private String tenants;

  @Option(
      names = "--insecure",
      description = "Let everybody in, also from other machines, if there is no --tenants.")
  private boolean insecure;

  @Option(
      names = "--tls-cert",
      paramLabel = "FILE",
      defaultValue = "${env:BITLOOM_TLS_CERT:-}",
      description = "Certificate chain (PEM); secures both ports.")
  private String tlsCertificate;

  @Option(
      names = "--tls-key",
      paramLabel = "FILE",
      defaultValue = "${env:BITLOOM_TLS_KEY:-}",
      description = "Private key of --tls-cert (PEM, PKCS#8).")
  private String tlsKey;

  @Option(
      names = "--tls-client-ca",
      paramLabel = "FILE",
      defaultValue = "${env:BITLOOM_TLS_CLIENT_CA:-}",
      description = "Let only those into the gRPC port whose certificate one of these signed.")
  private String tlsClientCa;

  @Option(
      names = "--lease-duration",
      paramLabel = "TIME",
      defaultValue = "${env:BITLOOM_LEASE_DURATION:-10s}",
      description = "Prompts of a worker that is silent for this long go to others (default: 10s).")
  private String leaseDuration;

  @Option(
      names = "--heartbeat-interval",
      paramLabel = "TIME",
      defaultValue = "${env:BITLOOM_HEARTBEAT_INTERVAL:-2s}",
      description = "How often workers say that they are alive (default: 2s).")
  private String heartbeatInterval;

  @Option(
      names = "--reconnect-grace",
      paramLabel = "TIME",
      defaultValue = "${env:BITLOOM_RECONNECT_GRACE:-1s}",
      description = "A worker that was cut off may come back to its prompts (default: 1s).")
  private String reconnectGrace;

  @Option(
      names = "--max-attempts",
      paramLabel = "N",
      defaultValue = "${env:BITLOOM_MAX_ATTEMPTS:-5}",
      description = "How often a prompt is tried before it has failed (default: 5).")
  private int maxAttempts;

  @Option(
      names = "--max-batch-delay",
      paramLabel = "TIME",
      defaultValue = "${env:BITLOOM_MAX_BATCH_DELAY:-50ms}",
      description = "How long a batch with room left waits for more prompts (default: 50ms).")
  private String maxBatchDelay;

  @Mixin private ResultOptions results;

  @Option(
      names = "--drain-timeout",
      paramLabel = "TIME",
      defaultValue = "${env:BITLOOM_DRAIN_TIMEOUT:-5s}",
      description = "How long a stop waits for running calls (default: 5s).")
  private String drainTimeout;

  @Option(
      names = "--exit-on-stdin-close",
      description = "Stop when standard input ends, so that no coordinator outlives its parent.")
  private boolean exitOnStdinClose;

  public static void main(String[] arguments) {
    System.exit(commandLine().execute(arguments));
  }

  /** The last of repeated options counts, so that scripts can have defaults. */
  static CommandLine commandLine() {
    return Usage.prepare(new CommandLine(new Main()))
        .setOverwrittenOptionsAllowed(true)
        .setParameterExceptionHandler(Usage::refuse);
  }

  @Override
  public Integer call() throws InterruptedException {
    CoordinatorConfig config = config();
    Coordinator coordinator;
    try {
      coordinator = Coordinator.start(config, this::ownData);
    } catch (FolderInUseException e) {
      log.error("The coordinator cannot start: {}", e.getMessage());
      return CommandLine.ExitCode.USAGE;
    } catch (ConfigException e) {
      throw new ParameterException(spec.commandLine(), "--" + e.getMessage());
    } catch (IOException | BitloomException e) {
      log.error("The coordinator cannot start: {}", FileFaults.message(e));
      return CommandLine.ExitCode.SOFTWARE;
    }
    Thread onSignal = new Thread(() -> stop(coordinator), "shutdown");
    Runtime.getRuntime().addShutdownHook(onSignal);
    try {
      announce(coordinator);
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
    Thread.currentThread().join();
    return CommandLine.ExitCode.OK;
  }

  private FolderLock ownData(Path folder) throws IOException {
    String command =
        FolderLock.command(
            "./bitloom coordinator", spec.commandLine().getParseResult().originalArgs());
    return shareData
        ? FolderLock.share(folder, FolderLock.COORDINATOR, command)
        : FolderLock.take(folder, FolderLock.COORDINATOR, command);
  }

  private CoordinatorConfig config() {
    try {
      LeaseConfig leases =
          new LeaseConfig(
              Settings.duration("lease-duration", leaseDuration),
              Settings.duration("heartbeat-interval", heartbeatInterval),
              Settings.duration("reconnect-grace", reconnectGrace),
              maxAttempts);
      return new CoordinatorConfig(
          data,
          redis,
          redisNamespace,
          bind,
          grpcPort,
          httpPort,
          new AccessConfig(file(tenants), insecure, tls()),
          new LimitsConfig(
              promptCharacters, imagesPerPrompt, openJobs, queuedPrompts, promptsPerSecond),
          leases,
          Settings.duration("max-batch-delay", maxBatchDelay),
          Optional.of(defaultModel).filter(name -> !name.isBlank()),
          results.config(),
          Optional.of(retention)
              .filter(age -> !age.isBlank())
              .map(age -> Settings.duration("retention", age)),
          Settings.duration("drain-timeout", drainTimeout));
    } catch (ConfigException e) {
      throw new ParameterException(spec.commandLine(), "--" + e.getMessage());
    }
  }

  private static Optional<Path> file(String path) {
    return Optional.of(path).filter(text -> !text.isBlank()).map(Path::of);
  }

  private Optional<AccessConfig.Tls> tls() {
    Optional<Path> certificate = file(tlsCertificate);
    Optional<Path> key = file(tlsKey);
    Optional<Path> clientCa = file(tlsClientCa);
    if (certificate.isPresent() != key.isPresent()) {
      throw new ConfigException("tls-key", tlsKey, "must go with --tls-cert, and that with it");
    }
    if (clientCa.isPresent() && certificate.isEmpty()) {
      throw new ConfigException("tls-client-ca", tlsClientCa, "must go with --tls-cert");
    }
    return certificate.map(chain -> new AccessConfig.Tls(chain, key.get(), clientCa));
  }

  private void announce(Coordinator coordinator) throws IOException {
    log.info(
        "Bitloom coordinator is ready: gRPC {}:{}, HTTP {}://{}:{}, Redis {}",
        bind,
        coordinator.grpcPort(),
        tlsCertificate.isBlank() ? "http" : "https",
        bind,
        coordinator.httpPort(),
        coordinator.redis().replaceAll("//[^/@]*@", "//***@"));
    if (portsFile != null) {
      JsonObject ports = new JsonObject();
      ports.addProperty("grpc", coordinator.grpcPort());
      ports.addProperty("http", coordinator.httpPort());
      ports.addProperty("redis", coordinator.redis());
      Path file = portsFile.toAbsolutePath();
      Path temporary = file.resolveSibling("." + file.getFileName() + ".tmp");
      Files.writeString(temporary, ports.toString());
      Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
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
