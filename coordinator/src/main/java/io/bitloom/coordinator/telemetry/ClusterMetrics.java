package io.bitloom.coordinator.telemetry;

import io.bitloom.coordinator.queue.Backlog;
import io.bitloom.coordinator.queue.BucketBacklog;
import io.bitloom.coordinator.queue.JobStore;
import io.bitloom.v1.JobState;
import io.bitloom.v1.Model;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.Tags;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What waits, and who is there to work on it. Filled when somebody asks for metrics.
 *
 * <p>Queue and jobs are the cluster's: one coordinator at a time tells of them, and the others do
 * not have these meters, so that a sum over all coordinators counts nothing twice. The turn stays
 * with whoever has it as long as it is scraped.
 */
public final class ClusterMetrics implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(ClusterMetrics.class);

  private static final String STATE = "JOB_STATE_";

  /** All of them are shown, also with no job: what is missing cannot be told from zero. */
  private static final List<JobState> OPEN =
      List.of(
          JobState.JOB_STATE_ACCEPTING,
          JobState.JOB_STATE_QUEUED,
          JobState.JOB_STATE_RUNNING,
          JobState.JOB_STATE_PAUSED,
          JobState.JOB_STATE_CANCELLING);

  private final Backlog backlog;
  private final JobStore jobStore;
  private final Supplier<CompletionStage<Collection<Model>>> knownModels;
  private final Supplier<CompletionStage<Long>> connectedWorkers;
  private final Function<Boolean, CompletionStage<Void>> pools;
  private final MultiGauge prompts;
  private final MultiGauge images;
  private final MultiGauge retries;
  private final MultiGauge leased;
  private final MultiGauge age;
  private final MultiGauge jobs;
  private final MultiGauge models;
  private final ReportInterval interval = new ReportInterval();
  private volatile long workers;
  private volatile boolean reporting;

  /**
   * @param knownModels with the number of workers that are connected here
   * @param connectedWorkers to this coordinator
   * @param pools asks for the numbers of pools or, with false, forgets them, as another coordinator
   *     tells them; completes normally in any case
   * @param redisAvailable whether Redis answers and takes jobs
   */
  public ClusterMetrics(
      MeterRegistry registry,
      Backlog backlog,
      JobStore jobStore,
      Supplier<CompletionStage<Collection<Model>>> knownModels,
      Supplier<CompletionStage<Long>> connectedWorkers,
      Function<Boolean, CompletionStage<Void>> pools,
      BooleanSupplier redisAvailable) {
    this.backlog = backlog;
    this.jobStore = jobStore;
    this.knownModels = knownModels;
    this.connectedWorkers = connectedWorkers;
    this.pools = pools;
    prompts = gauge(registry, "queue.prompts", "Prompts that wait for their first attempt", null);
    images = gauge(registry, "queue.images", "Images that these prompts ask for", null);
    retries = gauge(registry, "queue.retries", "Prompts that wait for a later attempt", null);
    leased = gauge(registry, "queue.leased", "Prompts of the leases that workers hold", null);
    age =
        gauge(
            registry,
            "queue.age",
            "For how long prompts have waited and none of the bucket was leased",
            "seconds");
    jobs = gauge(registry, "jobs", "Jobs that have not ended", null);
    models = gauge(registry, "model.workers", "Workers connected here that have the model", null);
    Gauge.builder("bitloom.workers", () -> workers)
        .description("Workers connected to this coordinator")
        .register(registry);
    Gauge.builder("bitloom.redis.up", () -> redisAvailable.getAsBoolean() ? 1 : 0)
        .description("1 if Redis answers and takes jobs")
        .register(registry);
  }

  private static MultiGauge gauge(
      MeterRegistry registry, String name, String description, String unit) {
    return MultiGauge.builder("bitloom." + name)
        .description(description)
        .baseUnit(unit)
        .register(registry);
  }

  /**
   * Asks for the present numbers. Completes normally in any case; what cannot be had keeps its last
   * value, as all that comes from Redis does while that is away.
   */
  public CompletionStage<Void> refresh() {
    Duration lasts = interval.scraped(System.nanoTime());
    CompletionStage<Void> cluster =
        taken("the turn", backlog.takeReportTurn(lasts), mine -> reporting = mine)
            .thenCompose(asked -> reporting ? refreshCluster() : forgetCluster());
    CompletionStage<Void> known = taken("the models", knownModels.get(), this::showModels);
    CompletionStage<Void> here = taken("the workers", connectedWorkers.get(), n -> workers = n);
    return cluster.thenCombine(known, (a, b) -> a).thenCombine(here, (a, b) -> a);
  }

  private CompletionStage<Void> refreshCluster() {
    CompletionStage<Void> waiting = taken("the queue", backlog.buckets(), this::showBacklog);
    CompletionStage<Void> open = taken("the jobs", jobStore.openByState(), this::showJobs);
    return waiting.thenCombine(open, (a, b) -> a).thenCombine(pools.apply(true), (a, b) -> a);
  }

  private CompletionStage<Void> forgetCluster() {
    Stream.of(prompts, images, retries, leased, age, jobs)
        .forEach(gauge -> gauge.register(List.of(), true));
    return pools.apply(false);
  }

  /** Lets another coordinator tell the cluster's numbers; waits no longer than a moment for it. */
  @Override
  public void close() {
    backlog
        .leaveReportTurn()
        .exceptionally(e -> null) // it ends by itself
        .toCompletableFuture()
        .completeOnTimeout(null, 1, TimeUnit.SECONDS)
        .join();
  }

  private static <T> CompletionStage<Void> taken(
      String what, CompletionStage<T> numbers, Consumer<T> show) {
    return numbers
        .thenAccept(show)
        .exceptionally(
            e -> {
              log.debug("No numbers of {}: {}", what, e.toString());
              return null;
            });
  }

  private void showBacklog(List<BucketBacklog> backlog) {
    show(prompts, backlog, BucketBacklog::prompts);
    show(images, backlog, BucketBacklog::images);
    show(retries, backlog, BucketBacklog::retries);
    show(leased, backlog, BucketBacklog::leased);
    show(age, backlog, bucket -> bucket.waiting().toMillis() / 1000.0);
  }

  private static void show(
      MultiGauge gauge, List<BucketBacklog> backlog, ToDoubleFunction<BucketBacklog> value) {
    gauge.register(
        backlog.stream()
            .<MultiGauge.Row<?>>map(
                bucket ->
                    MultiGauge.Row.of(
                        Tags.of(
                            "model",
                            bucket.bucket().model(),
                            "schedule",
                            bucket.bucket().schedule()),
                        value.applyAsDouble(bucket)))
            .toList(),
        true);
  }

  private void showJobs(Map<JobState, Long> byState) {
    jobs.register(
        OPEN.stream()
            .<MultiGauge.Row<?>>map(
                state ->
                    MultiGauge.Row.of(
                        Tags.of("state", state.name().substring(STATE.length())),
                        byState.getOrDefault(state, 0L)))
            .toList(),
        true);
  }

  private void showModels(Collection<Model> known) {
    models.register(
        known.stream()
            .<MultiGauge.Row<?>>map(
                model -> MultiGauge.Row.of(Tags.of("model", model.getName()), model.getWorkers()))
            .toList(),
        true);
  }
}
