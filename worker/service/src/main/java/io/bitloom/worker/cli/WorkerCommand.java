package io.bitloom.worker.cli;

import ch.qos.logback.classic.LoggerContext;
import io.bitloom.common.cli.AccessOptions;
import io.bitloom.common.cli.OptionRule;
import io.bitloom.common.cli.Range;
import io.bitloom.common.config.ConfigException;
import io.bitloom.common.config.Settings;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.grpc.GrpcErrors;
import io.bitloom.common.log.LogFields;
import io.bitloom.common.net.ServerAddress;
import io.bitloom.common.rules.Pools;
import io.bitloom.common.trace.Tracing;
import io.bitloom.engine.Engine;
import io.bitloom.engine.EngineConfig;
import io.bitloom.engine.modeldir.ModelDirectory;
import io.bitloom.engine.tensor.DeviceThread;
import io.bitloom.engine.tensor.cpu.CpuThreads;
import io.bitloom.engine.tensor.cpu.Machine;
import io.bitloom.training.TrainingJob;
import io.bitloom.training.config.ConfigFileException;
import io.bitloom.training.run.RunConfig;
import io.bitloom.training.tokenizer.TokenizerJob;
import io.bitloom.training.transformer.TransformerJob;
import io.bitloom.v1.TrainingRun;
import io.bitloom.worker.kubernetes.ApiServer;
import io.bitloom.worker.kubernetes.PodDeletionCost;
import io.bitloom.worker.models.RegistryCalls;
import io.bitloom.worker.models.WorkerModels;
import io.bitloom.worker.rewrite.PromptRewriterConfig;
import io.bitloom.worker.session.CoordinatorAccess;
import io.bitloom.worker.session.CoordinatorSession;
import io.bitloom.worker.session.SessionConfig;
import io.bitloom.worker.session.TrainingMeeting;
import io.bitloom.worker.session.TrainingReports;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code bitloom worker}: draws for a coordinator until it is told to stop. */
@Command(
    name = "worker",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = "Loads a model and draws what a coordinator hands out.",
    footer = {
      "",
      "--model none begins without a model: those of the cluster (model load) are enough.",
      "SIGTERM: takes no more work, finishes what runs, hands back the rest, exits with 0.",
      "What still runs shortly before the end of --shutdown-grace is handed back, too.",
      "Durations have a unit: 250ms, 1.5s, 10m, 2h.",
      "BITLOOM_LOG=json writes the log as one JSON object a line.",
      "BITLOOM_LOG_LEVEL sets the log level: error, warn, info (default), debug."
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:Stopped on request.",
      "1:Failed: the model cannot be used, the coordinator refuses the worker, or the grace is"
          + " over.",
      "2:The command line is wrong."
    })
@OptionRule(
    options = {"--config", "--rank"},
    onlyWith = {"--mode=train", "--mode=train-tokenizer"})
@OptionRule(
    options = "--http-bind",
    notWith = {"--http-port=-1"})
@OptionRule(
    options = OptionRule.ALL,
    except = {
      "--config",
      "--rank",
      "--coordinator",
      "--token",
      "--tls",
      "--tls-ca",
      "--tls-cert",
      "--tls-key",
      "--shutdown-grace",
      "--exit-on-stdin-close"
    },
    notWith = {"--mode=train", "--mode=train-tokenizer"})
public final class WorkerCommand implements Callable<Integer> {
  private static final Logger log = LoggerFactory.getLogger(WorkerCommand.class);
  private static final int NO_PORT = -1;
  private static final Duration HAND_BACK = Duration.ofSeconds(2);

  /** What a worker does. */
  enum Mode {
    /** Draws for a coordinator. */
    GENERATE,
    /** Trains a transformer. */
    TRAIN,
    /** Trains a visual tokenizer. */
    TRAIN_TOKENIZER;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }

  @Spec private CommandSpec spec;

  @Option(
      names = "--coordinator",
      paramLabel = "HOST:PORT",
      split = ",",
      defaultValue = "${env:BITLOOM_COORDINATOR:-127.0.0.1:7700}",
      description =
          "Where the work comes from; several addresses, with commas, are tried in turn (default:"
              + " 127.0.0.1:7700). Also http://…, https://…, dns:///…, unix:/… A training run is"
              + " reported there if this option is given.")
  private List<String> coordinators;

  @Option(
      names = "--mode",
      paramLabel = "MODE",
      defaultValue = "${env:BITLOOM_WORKER_MODE:-generate}",
      description =
          "generate (default); train: a transformer, train-tokenizer: a tokenizer, each from"
              + " --config.")
  private Mode mode;

  @Option(
      names = "--config",
      paramLabel = "FILE",
      description = "What to train: a YAML file, see docs/reference/training.md.")
  private Path config;

  @Option(
      names = "--rank",
      paramLabel = "N",
      defaultValue = "0",
      description = "Number of this process among those that train together, from 0 (default: 0).")
  @Range(min = 0)
  private int rank;

  @Mixin private AccessOptions access;
  @Mixin private ModelOptions model;
  @Mixin private ClusterModelOptions clusterModels;
  @Mixin private RewriterOptions rewriter;

  @Option(
      names = "--worker-id",
      paramLabel = "ID",
      defaultValue = "${env:BITLOOM_WORKER_ID:-}",
      description = "Unique among workers (default: made of host, process and a random number).")
  private String workerId;

  @Option(
      names = "--pool",
      paramLabel = "NAME",
      defaultValue = "${env:BITLOOM_POOL:-default}",
      description =
          "Which of the pools it is of, each of which is scaled by itself (default: default).")
  private String pool;

  @Option(
      names = "--http-port",
      paramLabel = "PORT",
      defaultValue = "${env:BITLOOM_WORKER_HTTP_PORT:-" + NO_PORT + "}",
      description =
          "Port of /health/live, /health/ready and /metrics; 0 takes a free one (default: none).")
  @Range(min = 0, max = Range.LAST_PORT, also = NO_PORT)
  private int httpPort;

  @Option(
      names = "--http-bind",
      paramLabel = "ADDRESS",
      defaultValue = "${env:BITLOOM_WORKER_HTTP_BIND:-127.0.0.1}",
      description =
          "Where --http-port listens: 0.0.0.0 lets everybody read health and metrics (default:"
              + " 127.0.0.1).")
  private String httpBind;

  @Option(
      names = "--warm-up",
      paramLabel = "TIME",
      defaultValue = "${env:BITLOOM_WARM_UP:-60s}",
      description =
          "On GPUs: most time for drawing batches of every shape and size before there is work"
              + " (default: 60s).")
  private String warmUp;

  @Option(
      names = "--shutdown-grace",
      paramLabel = "TIME",
      defaultValue = "${env:BITLOOM_SHUTDOWN_GRACE:-60s}",
      description = "Most time that running work may take after SIGTERM (default: 60s).")
  private String shutdownGrace;

  @Option(
      names = "--pod-deletion-cost",
      defaultValue = "${env:BITLOOM_POD_DELETION_COST:-false}",
      description =
          "In Kubernetes: says in the pod's deletion cost whether there is work, so that idle"
              + " workers go first; its service account must be allowed to patch pods.")
  private boolean podDeletionCost;

  @Option(
      names = "--exit-on-stdin-close",
      description = "Stop when standard input ends, so that no worker outlives its parent.")
  private boolean exitOnStdinClose;

  @Override
  public Integer call() throws IOException, InterruptedException {
    Duration grace = duration("shutdown-grace", shutdownGrace);
    Duration warming = duration("warm-up", warmUp);
    if (mode != Mode.GENERATE) {
      return train(grace);
    }
    EngineConfig engineConfig = model.config();
    Optional<PromptRewriterConfig> rewriting = rewriter.config();
    Optional<ApiServer> apiServer = apiServer();
    List<ServerAddress> addresses = addresses();
    CoordinatorAccess caller = new CoordinatorAccess(access.token(), access.credentials(addresses));
    SessionConfig sessionConfig =
        SessionConfig.of(
            addresses,
            caller,
            workerId.isBlank() ? newWorkerId() : workerId,
            pool.isBlank() ? Pools.DEFAULT : pool,
            ModelOptions.describe(engineConfig));
    PrometheusMeterRegistry metrics = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    ResidentMemory.bindTo(metrics);
    if (LoggerFactory.getILoggerFactory() instanceof LoggerContext context) {
      context.putProperty(
          LogFields.WORKER, sessionConfig.workerId()); // in every line, of any thread
    }
    Optional<ModelDirectory> directory =
        model.isNone() ? Optional.empty() : Optional.of(model.open());
    CpuThreads.Choice threads = CpuThreads.choose(engineConfig.threads());
    log.info("{}", threads);
    log.info("{}", Machine.of(threads.threads()));
    if (model.couldBeFaster(engineConfig)) {
      log.info("bfloat16 is faster on this processor, for other pictures: --dtype auto or bf16");
    }
    rewriting.ifPresent(settings -> log.info("Prompts are rewritten by {}", settings));
    try (DeviceThread device = new DeviceThread(engineConfig.device())) {
      WarmEngines engines = new WarmEngines(engineConfig, rewriting, metrics, device, warming);
      try (Engine own = directory.map(engines::open).orElse(null);
          WorkerModels cluster =
              new WorkerModels(
                  new RegistryCalls(addresses, caller.credentials(), caller.headers()),
                  clusterModels.cache(),
                  engines,
                  clusterModels.memory(engineConfig))) {
        Tracing tracing = Tracing.ofEnvironment("bitloom-worker");
        CoordinatorSession session =
            new CoordinatorSession(
                sessionConfig, Optional.ofNullable(own), Optional.of(cluster), metrics, tracing);
        return work(session, tracing, metrics, apiServer, grace);
      }
    }
  }

  private int train(Duration grace) throws IOException {
    if (config == null) {
      throw new ParameterException(spec.commandLine(), "--mode " + mode + " needs --config");
    }
    try {
      TrainingJob job = job();
      boolean coordinated = coordinatorIsGiven();
      if (job.run().meetsThroughCoordinator() && !coordinated) {
        throw new ParameterException(
            spec.commandLine(), "processes.group of " + config + " needs --coordinator");
      }
      List<ServerAddress> addresses = coordinated ? addresses() : List.of();
      CoordinatorAccess caller =
          new CoordinatorAccess(access.token(), access.credentials(addresses));
      return new TrainingMode(
              job,
              rank,
              coordinated ? reporting(job, addresses, caller) : null,
              coordinated ? new TrainingMeeting(addresses.get(0), caller) : null,
              spec.commandLine().getOut())
          .run(grace, exitOnStdinClose);
    } catch (ConfigFileException e) {
      throw new ParameterException(spec.commandLine(), e.getMessage());
    }
  }

  /** A training looks for a coordinator only where it is told to. */
  private boolean coordinatorIsGiven() {
    return spec.commandLine().getParseResult().hasMatchedOption("--coordinator")
        || System.getenv("BITLOOM_COORDINATOR") != null;
  }

  /** The coordinators' addresses; throws {@link ParameterException} if one is none. */
  private List<ServerAddress> addresses() {
    try {
      return coordinators.stream()
          .map(address -> ServerAddress.coordinator("coordinator", address))
          .toList();
    } catch (ConfigException e) {
      throw new ParameterException(spec.commandLine(), "--" + e.getMessage());
    }
  }

  private Function<Runnable, TrainingReports> reporting(
      TrainingJob job, List<ServerAddress> addresses, CoordinatorAccess caller) {
    RunConfig run = job.run();
    String host = hostName();
    String folder = run.folder().toAbsolutePath().normalize().toString();
    UUID id = UUID.nameUUIDFromBytes((host + ":" + folder).getBytes(StandardCharsets.UTF_8));
    TrainingRun about =
        TrainingRun.newBuilder()
            .setId(id.toString())
            .setProcess(UUID.randomUUID().toString())
            .setName(run.name())
            .setMode(mode.toString())
            .setPlace(host + ", " + run.device())
            .setSteps(run.steps())
            .build();
    return stop -> new TrainingReports(addresses, caller, about, stop);
  }

  private TrainingJob job() {
    return mode == Mode.TRAIN ? TransformerJob.read(config) : TokenizerJob.read(config);
  }

  /** Runs a session to its end. */
  private int work(
      CoordinatorSession session,
      Tracing tracing,
      PrometheusMeterRegistry metrics,
      Optional<ApiServer> apiServer,
      Duration grace)
      throws IOException, InterruptedException {
    Termination termination =
        Termination.onSignal(
            () -> session.drain("the worker was told to stop", grace.minus(handBack(grace))),
            grace);
    if (exitOnStdinClose) {
      Termination.onStdinEnd();
    }
    int exitCode = CommandLine.ExitCode.SOFTWARE;
    HealthServer health = null;
    try (PodDeletionCost cost =
        apiServer.map(server -> new PodDeletionCost(server, session::isBusy)).orElse(null)) {
      if (httpPort != NO_PORT) {
        health = HealthServer.start(httpBind, httpPort, session::isConnected, metrics);
        log.info("Health and metrics at http://{}:{}", httpBind, health.port());
      }
      session.start();
      session.ended().get();
      exitCode = CommandLine.ExitCode.OK;
    } catch (BindException taken) {
      log.error("--http-port {} of {}: {}", httpPort, httpBind, taken.getMessage());
    } catch (UnknownHostException unknown) {
      log.error("--http-bind {} is neither a name that is known here nor an address", httpBind);
    } catch (ExecutionException refused) {
      BitloomException reason = GrpcErrors.fromStatus(refused);
      log.error("The coordinator refuses this worker: {}", reason.getMessage());
    } finally {
      session.close();
      if (health != null) {
        health.close();
      }
      tracing.close();
      termination.finished(exitCode);
    }
    return exitCode;
  }

  private Optional<ApiServer> apiServer() {
    try {
      return podDeletionCost ? Optional.of(ApiServer.ofThisPod()) : Optional.empty();
    } catch (IOException e) {
      throw new ParameterException(
          spec.commandLine(),
          "--pod-deletion-cost needs a pod with a service account's token: " + e.getMessage());
    }
  }

  /** How long before the end of the grace what still runs is handed back. */
  private static Duration handBack(Duration grace) {
    Duration quarter = grace.dividedBy(4);
    return quarter.compareTo(HAND_BACK) < 0 ? quarter : HAND_BACK;
  }

  private Duration duration(String option, String text) {
    try {
      return Settings.duration(option, text);
    } catch (ConfigException e) {
      throw new ParameterException(spec.commandLine(), "--" + e.getMessage());
    }
  }

  private static String newWorkerId() {
    return String.format(
        Locale.ROOT,
        "%s-%d-%04x",
        hostName(),
        ProcessHandle.current().pid(),
        ThreadLocalRandom.current().nextInt(1 << 16));
  }

  /** This machine's name, also where nothing resolves it, as in some containers. */
  private static String hostName() {
    try {
      return InetAddress.getLocalHost().getHostName();
    } catch (UnknownHostException e) {
      return Objects.requireNonNullElse(System.getenv("HOSTNAME"), "worker");
    }
  }
}
