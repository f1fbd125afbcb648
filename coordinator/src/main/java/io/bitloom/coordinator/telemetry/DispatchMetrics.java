package io.bitloom.coordinator.telemetry;

import com.google.protobuf.Duration;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.coordinator.queue.Bucket;
import io.bitloom.coordinator.queue.LeasedBatch;
import io.bitloom.v1.StageTimes;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Counts what goes to workers and what comes back. */
public final class DispatchMetrics {

  /** The meters of one bucket: found by name once, and not for every batch. */
  private record OfBucket(
      Counter batches, DistributionSummary fill, Counter waste, Counter images, Timer queued) {

    static OfBucket register(Bucket bucket, MeterRegistry registry) {
      Tags tags = Tags.of("model", bucket.model(), "schedule", bucket.schedule());
      return new OfBucket(
          Counter.builder("bitloom.batches")
              .description("Batches given to workers")
              .tags(tags)
              .register(registry),
          DistributionSummary.builder("bitloom.batch.fill")
              .description("Images of a batch, divided by what the worker could have taken")
              .tags(tags)
              .serviceLevelObjectives(0.25, 0.5, 0.75, 0.999)
              .register(registry),
          Counter.builder("bitloom.batch.waste")
              .description("Images that batches had room for and did not carry")
              .tags(tags)
              .register(registry),
          Counter.builder("bitloom.images")
              .description("Images that were stored and committed")
              .tags(tags)
              .register(registry),
          Timer.builder("bitloom.queue.wait")
              .description("How long the first prompt of a job in a batch was in the queue")
              .tags(tags)
              .serviceLevelObjectives(Bounds.QUEUE)
              .register(registry));
    }
  }

  private static final String OTHER = "OTHER";

  /** Tenants beyond these share a label: everybody who may call could make one more. */
  private static final int TENANTS = 50;

  private final MeterRegistry registry;
  private final Map<Bucket, OfBucket> buckets = new ConcurrentHashMap<>();
  private final Map<String, Timer> tenants = new ConcurrentHashMap<>();
  private final Counter succeeded;
  private final Counter failed;
  private final Counter superseded;
  private final Map<String, Timer> stages;
  private final Map<String, Counter> failures;
  private final Map<String, Counter> retries;

  public DispatchMetrics(MeterRegistry registry) {
    this.registry = registry;
    this.succeeded = outcomes("succeeded");
    this.failed = outcomes("failed");
    this.superseded = outcomes("superseded");
    this.stages =
        Stream.of("text", "transformer", "decode", "encode")
            .collect(Collectors.toMap(stage -> stage, this::stageTimer));
    this.failures = byReason("bitloom.failures", "Prompts that were given up");
    this.retries = byReason("bitloom.retries", "Attempts that ended without an outcome");
  }

  /** All of them from the start: of a counter that appears with a 1 nobody sees the increase. */
  private Map<String, Counter> byReason(String name, String description) {
    return Stream.concat(Arrays.stream(ErrorCode.values()).map(Enum::name), Stream.of(OTHER))
        .collect(
            Collectors.toMap(
                reason -> reason,
                reason ->
                    Counter.builder(name)
                        .description(description)
                        .tag("reason", reason)
                        .register(registry)));
  }

  private static String known(String reason) {
    return ErrorCode.find(reason).map(Enum::name).orElse(OTHER);
  }

  private Counter outcomes(String outcome) {
    return Counter.builder("bitloom.outcomes")
        .description("Outcomes that workers reported")
        .tag("outcome", outcome)
        .register(registry);
  }

  private OfBucket of(Bucket bucket) {
    return buckets.computeIfAbsent(bucket.whole(), b -> OfBucket.register(b, registry));
  }

  /** A batch was given to a worker that could have taken {@code capacity} images. */
  public void batch(Bucket bucket, int images, int capacity) {
    OfBucket meters = of(bucket);
    meters.batches().increment();
    meters.fill().record(Math.min(1.0, images / (double) capacity));
    meters.waste().increment(Math.max(0, capacity - images));
  }

  /** Prompts of a bucket were leased; once for each job in a batch, and not for every prompt. */
  public void waited(Bucket bucket, List<LeasedBatch.Wait> waits) {
    for (LeasedBatch.Wait wait : waits) {
      of(bucket).queued().record(wait.time());
      ofTenant(wait.tenant()).record(wait.time());
    }
  }

  private Timer ofTenant(String tenant) {
    Timer known = tenants.get(tenant);
    return known != null
        ? known
        : tenants.computeIfAbsent(
            tenants.size() < TENANTS ? tenant : OTHER,
            name ->
                Timer.builder("bitloom.tenant.wait")
                    .description("How long the first prompt of a job in a batch was in the queue")
                    .tag("tenant", name)
                    .serviceLevelObjectives(Bounds.QUEUE)
                    .register(registry));
  }

  /** A prompt has its images. */
  public void succeeded(Bucket bucket, int images) {
    succeeded.increment();
    of(bucket).images().increment(images);
  }

  /**
   * Prompts were given up.
   *
   * @param reason from a worker, so it may be anything; unknown ones are counted together
   */
  public void failed(String reason, int prompts) {
    failed.increment(prompts);
    failures.get(known(reason)).increment(prompts);
  }

  /** An outcome came too late to count. */
  public void superseded() {
    superseded.increment();
  }

  /**
   * Prompts go to another attempt.
   *
   * @param reason from a worker, so it may be anything; unknown ones are counted together
   */
  public void retried(String reason, int prompts) {
    retries.get(known(reason)).increment(prompts);
  }

  /** How long a batch took in its worker. */
  public void stages(StageTimes times) {
    stage("text", times.getText());
    stage("transformer", times.getTransformer());
    stage("decode", times.getDecode());
    stage("encode", times.getEncode());
  }

  private void stage(String stage, Duration time) {
    stages.get(stage).record(java.time.Duration.ofSeconds(time.getSeconds(), time.getNanos()));
  }

  private Timer stageTimer(String stage) {
    return Timer.builder("bitloom.stage")
        .description("Wall time of a batch in one stage of a worker")
        .tag("stage", stage)
        .serviceLevelObjectives(Bounds.STAGE)
        .register(registry);
  }
}
