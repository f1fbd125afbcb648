package io.bitloom.coordinator;

import io.bitloom.common.config.ConfigException;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.results.DirectoryResultStore;
import io.bitloom.common.results.ResultStore;
import io.bitloom.common.trace.Tracing;
import io.bitloom.coordinator.api.BatchServiceApi;
import io.bitloom.coordinator.api.ClusterServiceApi;
import io.bitloom.coordinator.api.ModelServiceApi;
import io.bitloom.coordinator.auth.Tenants;
import io.bitloom.coordinator.chores.ObjectJobs;
import io.bitloom.coordinator.chores.OutputFiles;
import io.bitloom.coordinator.config.CoordinatorConfig;
import io.bitloom.coordinator.config.InputConfig;
import io.bitloom.coordinator.config.LeaseConfig;
import io.bitloom.coordinator.config.LimitsConfig;
import io.bitloom.coordinator.config.S3Config;
import io.bitloom.coordinator.dispatch.DispatchLoop;
import io.bitloom.coordinator.dispatch.matching.Arrivals;
import io.bitloom.coordinator.dispatch.matching.Matcher;
import io.bitloom.coordinator.dispatch.matching.Speeds;
import io.bitloom.coordinator.dispatch.worker.ConnectedWorkers;
import io.bitloom.coordinator.dispatch.worker.ProgressFeed;
import io.bitloom.coordinator.dispatch.worker.WorkerServiceApi;
import io.bitloom.coordinator.grpc.GrpcServer;
import io.bitloom.coordinator.http.HttpPort;
import io.bitloom.coordinator.http.JsonApi;
import io.bitloom.coordinator.http.MetricsPage;
import io.bitloom.coordinator.jobs.ClusterState;
import io.bitloom.coordinator.jobs.Deletion;
import io.bitloom.coordinator.jobs.Forecast;
import io.bitloom.coordinator.jobs.GenerateCalls;
import io.bitloom.coordinator.jobs.ImageDelivery;
import io.bitloom.coordinator.jobs.InputRules;
import io.bitloom.coordinator.jobs.JobDirectory;
import io.bitloom.coordinator.jobs.JobMessages;
import io.bitloom.coordinator.jobs.JobWatches;
import io.bitloom.coordinator.jobs.ModelsInUse;
import io.bitloom.coordinator.jobs.Quotas;
import io.bitloom.coordinator.jobs.Receivers;
import io.bitloom.coordinator.jobs.Results;
import io.bitloom.coordinator.jobs.Submissions;
import io.bitloom.coordinator.jobs.UnusedModels;
import io.bitloom.coordinator.models.ModelRegistry;
import io.bitloom.coordinator.models.ModelVersions;
import io.bitloom.coordinator.models.WantedModels;
import io.bitloom.coordinator.pools.PoolMetrics;
import io.bitloom.coordinator.pools.PoolScaling;
import io.bitloom.coordinator.queue.JobQueue;
import io.bitloom.coordinator.queue.QueueSettings;
import io.bitloom.coordinator.queue.upkeep.RunningQueue;
import io.bitloom.coordinator.redis.EmbeddedRedis;
import io.bitloom.coordinator.redis.RedisConnection;
import io.bitloom.coordinator.registry.ModelLibrary;
import io.bitloom.coordinator.registry.PoolsOfModels;
import io.bitloom.coordinator.results.BlobStore;
import io.bitloom.coordinator.results.DirectoryBlobStore;
import io.bitloom.coordinator.results.MeasuredResultStore;
import io.bitloom.coordinator.results.S3ResultStore;
import io.bitloom.coordinator.results.WatchedResultStore;
import io.bitloom.coordinator.scaler.ExternalScalerApi;
import io.bitloom.coordinator.telemetry.ClusterMetrics;
import io.bitloom.coordinator.telemetry.DispatchMetrics;
import io.bitloom.coordinator.telemetry.Exemplars;
import io.bitloom.coordinator.telemetry.JobMetrics;
import io.bitloom.coordinator.telemetry.LoopMetrics;
import io.bitloom.coordinator.telemetry.RedisMetrics;
import io.bitloom.coordinator.telemetry.RpcMetrics;
import io.bitloom.coordinator.telemetry.RpcTraces;
import io.bitloom.coordinator.telemetry.StoreMetrics;
import io.bitloom.coordinator.telemetry.TraceMetrics;
import io.bitloom.coordinator.tracing.PromptTraces;
import io.bitloom.coordinator.training.TrainingMeetings;
import io.bitloom.coordinator.training.TrainingRuns;
import io.bitloom.coordinator.training.TrainingServiceApi;
import io.bitloom.coordinator.webhooks.Targets;
import io.bitloom.coordinator.webhooks.Webhooks;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.core.instrument.binder.system.UptimeMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A coordinator: its parts, in the order in which they start, and ended in reverse. */
public final class Coordinator implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(Coordinator.class);
  private static final int API_THREADS = Math.max(4, Runtime.getRuntime().availableProcessors());

  /** Files of models are read, written and compared by so many at once. */
  private static final int MODEL_THREADS = 4;

  private static final Duration REDIS_PATIENCE = Duration.ofSeconds(30);
  private static final Duration RECONNECT = Duration.ofMillis(100);

  /** For how long a model is known that no worker has. */
  private static final Duration MODELS_KEPT = Duration.ofDays(30);

  private final CoordinatorConfig config;
  private final Tracing tracing;
  private final PromptTraces traces;
  private final Deque<AutoCloseable> parts = new ArrayDeque<>();
  private Optional<EmbeddedRedis> embedded = Optional.empty();
  private final String redisUri;
  private final RedisConnection redis;
  private final CompletionStage<ConfigException> unusable;
  private final WatchedResultStore store;
  private final ConnectedWorkers workers;
  private final GrpcServer grpc;
  private final HttpPort http;
  private volatile boolean draining;

  /** Takes the folder in which our own Redis is, where no other coordinator may be by accident. */
  public interface DataLock {

    /**
     * @return held until the coordinator has ended
     * @throws IOException if the folder is another's
     */
    AutoCloseable take(Path folder) throws IOException;
  }

  /**
   * Starts all parts.
   *
   * @param lock taken if Redis is embedded
   * @param tracing where spans go; is closed with the coordinator
   * @throws IOException if the embedded Redis does not start or an address cannot be bound
   * @throws io.bitloom.common.config.ConfigException if Redis or the result store cannot be used as
   *     it is set
   * @throws io.bitloom.common.error.BitloomException if Redis or the result store is away
   */
  public static Coordinator start(CoordinatorConfig config, DataLock lock, Tracing tracing)
      throws IOException {
    return new Coordinator(config, lock, tracing);
  }

  private Coordinator(CoordinatorConfig config, DataLock lock, Tracing tracing) throws IOException {
    this.config = config;
    this.tracing = part(tracing);
    this.traces = new PromptTraces(tracing);
    boolean started = false;
    try {
      Tenants tenants =
          Tenants.of(
              config.listen().access().tenants(),
              config.webhooks().secretFile(),
              config.jobs().limits());
      redisUri = redisUri(lock);
      PrometheusMeterRegistry registry = registry();
      redis = part(patiently(this::connectToRedis));
      redis.tellTimes(new RedisMetrics(registry));
      JobQueue queue = part(patiently(() -> new RunningQueue(redis, queueSettings())));
      unusable = queue.unusable();
      JobMetrics jobMetrics = new JobMetrics(registry);
      queue.tellTimes(jobMetrics);
      Stores stores = stores(registry);
      store = new WatchedResultStore(stores.images(), InstantSource.system());
      ModelVersions versions = new ModelVersions(queue.registry());
      ModelRegistry models =
          new ModelRegistry(queue.models(), versions, config.jobs().defaultModel());
      queue.onDataLost(models::announceAgain);
      WantedModels wanted = new WantedModels(queue.registry());
      Dispatch dispatch =
          dispatch(queue, models, wanted, new DispatchMetrics(registry), new LoopMetrics(registry));
      workers = dispatch.workers();
      ScheduledExecutorService timer = timer();
      Targets targets = new Targets(config.webhooks().allow());
      Receivers receivers = new Receivers(targets, tenants::webhooks);
      Jobs jobs = jobs(queue, models, dispatch, receivers, timer, registry, jobMetrics);
      part(
          new Webhooks(
              queue,
              config.webhooks(),
              targets,
              JobMessages::of,
              tenants::webhooks,
              timer,
              registry));
      PoolScaling pools = new PoolScaling(queue, dispatch.speeds(), models, timer);
      chores(queue, jobs.submissions(), tenants, timer);
      TrainingRuns trainingRuns = new TrainingRuns(Clock.systemUTC());
      ModelsInUse inUse = new ModelsInUse(queue.jobs());
      ModelLibrary library =
          new ModelLibrary(
              versions,
              new PoolsOfModels(wanted, models),
              stores.models(),
              inUse,
              threads("models", MODEL_THREADS));
      grpc = part(grpcServer(tenants, jobs, pools, library, trainingRuns, registry));
      http =
          part(httpPort(tenants, jobs, trainingRuns, metricsPage(registry, queue, models, pools)));
      repeat(timer, tenants, jobs.deletion());
      UnusedModels unusedModels = new UnusedModels(queue.models(), inUse, MODELS_KEPT);
      timer.scheduleWithFixedDelay(unusedModels::sweep, 1, 1, TimeUnit.HOURS);
      timer.scheduleWithFixedDelay(library::sweep, 1, 1, TimeUnit.HOURS);
      started = true;
    } finally {
      if (!started) {
        closeParts();
      }
    }
  }

  /** What every part tells how it is doing; of the process it tells itself. */
  private PrometheusMeterRegistry registry() {
    PrometheusMeterRegistry registry =
        tracing.on() ? Exemplars.registry() : new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    part(registry::close);
    new TraceMetrics(tracing).bindTo(registry);
    new JvmMemoryMetrics().bindTo(registry);
    new JvmThreadMetrics().bindTo(registry);
    new ProcessorMetrics().bindTo(registry);
    new UptimeMetrics().bindTo(registry);
    return registry;
  }

  /** What matches prompts and workers, as the rules of jobs see it. */
  private record Dispatch(Arrivals arrivals, Speeds speeds, ConnectedWorkers workers) {}

  private Dispatch dispatch(
      JobQueue queue,
      ModelRegistry models,
      WantedModels wanted,
      DispatchMetrics metrics,
      LoopMetrics loopMetrics) {
    queue.leases().onGivenUp(prompts -> metrics.failed(ErrorCode.WORKER_LOST.name(), prompts));
    LeaseConfig leases = config.dispatch().leases();
    Arrivals arrivals = new Arrivals();
    Speeds speeds = new Speeds(queue.models());
    DispatchLoop loop = new DispatchLoop(loopMetrics);
    Matcher matcher =
        part(
            new Matcher(
                loop,
                queue,
                leases.duration(),
                config.dispatch().maxBatchDelay(),
                arrivals,
                speeds,
                metrics));
    ConnectedWorkers connected =
        part(
            new ConnectedWorkers(
                loop,
                matcher,
                queue,
                models,
                wanted,
                store,
                leases,
                config.listen().connections().age(),
                metrics,
                traces));
    part(loop);
    return new Dispatch(arrivals, speeds, connected);
  }

  /** The rules of jobs, as the doors call them. */
  private record Jobs(
      Submissions submissions,
      JobDirectory directory,
      Results results,
      JobWatches watches,
      GenerateCalls generations,
      ClusterState cluster,
      Deletion deletion) {}

  private Jobs jobs(
      JobQueue queue,
      ModelRegistry models,
      Dispatch dispatch,
      Receivers receivers,
      ScheduledExecutorService timer,
      MeterRegistry registry,
      JobMetrics metrics) {
    LimitsConfig limits = config.jobs().limits();
    Quotas quotas = new Quotas(queue, traces);
    Speeds speeds = dispatch.speeds();
    ProgressFeed feed = dispatch.workers().feed();
    ExecutorService threads = threads("api", API_THREADS);
    Deletion deletion = new Deletion(queue.jobs(), store, config.jobs().retention(), threads);
    ImageDelivery delivery = delivery(threads, timer, registry);
    Forecast forecast = new Forecast(queue.backlog(), speeds, models);
    return new Jobs(
        new Submissions(
            queue,
            models,
            speeds,
            limits,
            quotas,
            receivers,
            dispatch.arrivals(),
            new InputRules(config.inputs()),
            threads),
        new JobDirectory(queue.jobs(), forecast, deletion, receivers),
        new Results(queue, delivery, threads),
        new JobWatches(queue.jobs(), queue.results(), forecast, feed, timer),
        new GenerateCalls(queue, models, limits, quotas, feed, delivery, deletion, timer, metrics),
        new ClusterState(queue.backlog(), dispatch.workers(), speeds, this::trouble),
        deletion);
  }

  /** What is done for jobs besides answering calls. */
  private void chores(
      JobQueue queue, Submissions submissions, Tenants tenants, ScheduledExecutorService timer) {
    Duration lasts = config.dispatch().leases().duration();
    InputConfig inputs = config.inputs();
    if (inputs.isOpen()) {
      InputRules rules = new InputRules(inputs);
      part(new ObjectJobs(inputs, queue, submissions, tenants, rules, lasts, timer));
    }
    store
        .directAccess()
        .ifPresent(access -> part(new OutputFiles(queue, store, access, lasts, timer)));
  }

  private ImageDelivery delivery(
      ExecutorService threads, ScheduledExecutorService timer, MeterRegistry registry) {
    ImageDelivery delivery = new ImageDelivery(store, threads, timer, traces);
    Gauge.builder("bitloom.results.unread", delivery::unreadBytes)
        .description("Results that readers have not taken from the transport")
        .baseUnit("bytes")
        .register(registry);
    return delivery;
  }

  private GrpcServer grpcServer(
      Tenants tenants,
      Jobs jobs,
      PoolScaling pools,
      ModelLibrary library,
      TrainingRuns trainingRuns,
      MeterRegistry registry)
      throws IOException {
    return new GrpcServer(
        config.listen().grpc(),
        tenants,
        List.of(
            new BatchServiceApi(
                jobs.submissions(),
                jobs.directory(),
                jobs.results(),
                jobs.watches(),
                jobs.generations()),
            new ClusterServiceApi(jobs.cluster()),
            new ModelServiceApi(library),
            new WorkerServiceApi(workers),
            new ExternalScalerApi(pools, tenants, config.listen().access().scalerOpen()),
            new TrainingServiceApi(trainingRuns, new TrainingMeetings(Clock.systemUTC()))),
        tracing.on()
            ? List.of(new RpcMetrics(registry), new RpcTraces(tracing))
            : List.of(new RpcMetrics(registry)));
  }

  private HttpPort httpPort(
      Tenants tenants, Jobs jobs, TrainingRuns trainingRuns, MetricsPage metrics)
      throws IOException {
    return new HttpPort(
        config.listen(),
        tenants,
        grpc.calls(),
        new JsonApi(jobs.directory(), jobs.cluster()),
        trainingRuns,
        metrics,
        this::trouble);
  }

  private MetricsPage metricsPage(
      PrometheusMeterRegistry registry, JobQueue queue, ModelRegistry models, PoolScaling pools) {
    return new MetricsPage(
        registry,
        part(
            new ClusterMetrics(
                registry,
                queue.backlog(),
                queue.jobs(),
                models::all,
                workers::connectedWorkers,
                new PoolMetrics(registry, pools)::refresh,
                redis::available)));
  }

  /** What is looked after for as long as the coordinator runs. */
  private void repeat(ScheduledExecutorService timer, Tenants tenants, Deletion deletion) {
    timer.scheduleWithFixedDelay(
        () -> grpc.setServing(trouble().isEmpty()), 0, 1, TimeUnit.SECONDS);
    timer.scheduleWithFixedDelay(tenants::refresh, 0, 2, TimeUnit.SECONDS);
    long sweep = deletionInterval().toMillis();
    timer.scheduleWithFixedDelay(deletion::sweep, sweep, sweep, TimeUnit.MILLISECONDS);
  }

  /** Often enough for the age at which jobs are deleted, and seldom enough for an idle Redis. */
  private Duration deletionInterval() {
    Duration most = Duration.ofMinutes(1);
    return config
        .jobs()
        .retention()
        .map(age -> age.dividedBy(10))
        .filter(interval -> interval.compareTo(most) < 0)
        .orElse(most);
  }

  private String redisUri(DataLock lock) throws IOException {
    if (!config.redis().embedded()) {
      return config.redis().uri();
    }
    part(lock.take(config.directory().path()));
    Path folder = config.directory().path().resolve("redis");
    Optional<Long> memory = config.redis().memory();
    embedded =
        Optional.of(
            part(
                memory.isPresent()
                    ? EmbeddedRedis.start(folder, memory.get())
                    : EmbeddedRedis.start(folder)));
    return embedded.get().uri();
  }

  /** Where images are kept, and files of models in the same place. */
  private record Stores(ResultStore images, BlobStore models) {}

  private Stores stores(MeterRegistry registry) {
    Optional<S3Config> s3 = config.results().s3();
    if (s3.isPresent()) {
      S3ResultStore store = part(S3ResultStore.open(s3.get()));
      return new Stores(
          new MeasuredResultStore(store, new StoreMetrics("s3", registry)), store.blobs());
    }
    Path data = config.directory().path();
    ResultStore images =
        new DirectoryResultStore(data.resolve("results"), config.results().fsync());
    return new Stores(
        new MeasuredResultStore(images, new StoreMetrics("directory", registry)),
        new DirectoryBlobStore(data.resolve("models").resolve("sha256")));
  }

  /** Our own Redis comes back if it dies at this very moment; another one must be there. */
  private <T> T patiently(Supplier<T> connecting) {
    long end = System.nanoTime() + REDIS_PATIENCE.toNanos();
    while (true) {
      try {
        return connecting.get();
      } catch (BitloomException e) {
        boolean comesBack = config.redis().embedded() && e.code() == ErrorCode.QUEUE_UNAVAILABLE;
        if (!comesBack || System.nanoTime() > end) {
          throw e;
        }
        LockSupport.parkNanos(RECONNECT.toNanos());
      }
    }
  }

  private RedisConnection connectToRedis() {
    return RedisConnection.connect(redisUri, config.redis().namespace(), config.redis().replicas());
  }

  private QueueSettings queueSettings() {
    QueueSettings defaults = QueueSettings.DEFAULTS;
    return new QueueSettings(
            config.redis().namespace(),
            config.dispatch().leases().maxAttempts(),
            defaults.isolateAfterFailures(),
            defaults.backoff(),
            defaults.maxBackoff(),
            defaults.ageing(),
            config.dispatch().leases().duration(),
            defaults.reapGrace(),
            defaults.sweepInterval())
        .spread(config.redis().shards(), defaults.shardRun())
        .withOutputs(config.results().s3().isPresent());
  }

  private ExecutorService threads(String name, int count) {
    AtomicInteger number = new AtomicInteger();
    ExecutorService threads =
        Executors.newFixedThreadPool(
            count, task -> new Thread(task, name + "-" + number.incrementAndGet()));
    part(threads::shutdownNow);
    return threads;
  }

  private ScheduledExecutorService timer() {
    ScheduledExecutorService timer =
        Executors.newSingleThreadScheduledExecutor(task -> new Thread(task, "timer"));
    part(timer::shutdownNow);
    return timer;
  }

  private <P extends AutoCloseable> P part(P part) {
    parts.push(part);
    return part;
  }

  /** Why calls cannot be served at this moment; empty if they can. */
  public Optional<String> trouble() {
    return draining
        ? Optional.of("this coordinator stops")
        : embedded
            .flatMap(EmbeddedRedis::trouble)
            .or(redis::trouble)
            .or(this::unusableData)
            .or(store::trouble);
  }

  private Optional<String> unusableData() {
    return Optional.ofNullable(unusable.toCompletableFuture().getNow(null))
        .map(ConfigException::getMessage);
  }

  /** Complete when this coordinator must not go on, with the reason; it is to be stopped then. */
  public CompletionStage<ConfigException> unusable() {
    return unusable;
  }

  public int grpcPort() {
    return grpc.port();
  }

  public int httpPort() {
    return http.port();
  }

  /** The URI of the Redis that is used. */
  public String redis() {
    return redisUri;
  }

  /** Sends workers elsewhere and lets running calls end, then ends all parts. */
  public void stop() {
    draining = true;
    grpc.setServing(false);
    workers.drain();
    grpc.drain(config.drainTimeout());
    close();
  }

  /** Ends all parts at once. */
  @Override
  public void close() {
    draining = true;
    closeParts();
  }

  private void closeParts() {
    while (!parts.isEmpty()) {
      try {
        parts.pop().close();
      } catch (Exception e) {
        log.warn("A part did not end well: {}", e.toString());
      }
    }
  }
}
