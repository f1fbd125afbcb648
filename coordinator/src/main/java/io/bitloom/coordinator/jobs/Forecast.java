package io.bitloom.coordinator.jobs;

import io.bitloom.coordinator.dispatch.matching.Speeds;
import io.bitloom.coordinator.models.ClusterWorkers;
import io.bitloom.coordinator.models.ModelRegistry;
import io.bitloom.coordinator.queue.Backlog;
import io.bitloom.coordinator.queue.BucketLine;
import io.bitloom.coordinator.queue.BucketLine.Place;
import io.bitloom.coordinator.queue.JobRecord;
import io.bitloom.v1.Job;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * When jobs will be served and done, as things stand. Who stands in line is read at most once a
 * second, less often if that takes long, and only if somebody asks.
 */
public final class Forecast {

  private static final Duration FRESH = Duration.ofSeconds(1);

  /** Reading takes at most such a part of the time. */
  private static final int PART = 20;

  private final Backlog backlog;
  private final Speeds speeds;
  private final ModelRegistry models;
  private CompletionStage<Lines> latest;
  private long latestNanos;
  private long pauseNanos;

  public Forecast(Backlog backlog, Speeds speeds, ModelRegistry models) {
    this.backlog = backlog;
    this.speeds = speeds;
    this.models = models;
  }

  /** How fast it is drawn, and by whom. */
  private record Drawing(Speeds.Table speeds, ClusterWorkers workers) {}

  /** What stood in line at one moment, and how it is drawn. */
  private record Lines(List<BucketLine> lines, Drawing drawing) {

    /** Where prompts of a job wait for their first attempt. */
    List<BucketLine> of(String jobId) {
      return lines.stream()
          .filter(line -> line.places().stream().anyMatch(place -> place.jobId().equals(jobId)))
          .toList();
    }

    /** How many other jobs are served before a job's next prompt; empty if none of it waits. */
    OptionalLong ahead(String jobId) {
      return lines.stream()
          .flatMapToLong(
              line ->
                  line.places().stream()
                      .filter(place -> place.jobId().equals(jobId))
                      .mapToLong(own -> ahead(line, own)))
          .min();
    }

    private static long ahead(BucketLine line, Place own) {
      long ofTenant =
          line.places().stream()
              .filter(other -> other.tenant().equals(own.tenant()) && other.rank() < own.rank())
              .count();
      long tenants =
          line.places().stream()
              .filter(other -> other.tenantTime() < own.tenantTime())
              .map(Place::tenant)
              .distinct()
              .count();
      return ofTenant + tenants;
    }

    /**
     * Seconds until a job is done if jobs of one priority share a worker equally, those above go
     * first and those below last. Empty if that is not known.
     */
    OptionalDouble seconds(JobRecord job, String model) {
      Map<String, Double> work = new HashMap<>();
      Map<String, Integer> priorities = new HashMap<>();
      for (BucketLine line : lines) {
        if (!line.bucket().model().equals(model)) {
          continue;
        }
        OptionalDouble speed = drawing.speeds().of(line.bucket());
        if (speed.isEmpty()) {
          return OptionalDouble.empty();
        }
        for (Place place : line.places()) {
          work.merge(place.jobId(), place.images() * speed.getAsDouble(), Double::sum);
          priorities.put(place.jobId(), place.priority());
        }
      }
      Double own = work.get(job.id());
      if (own == null) {
        return OptionalDouble.empty();
      }
      double all = 0;
      for (Map.Entry<String, Double> other : work.entrySet()) {
        int priority = priorities.get(other.getKey());
        if (priority > job.priority()) {
          all += other.getValue();
        } else if (priority == job.priority()) {
          all += Math.min(own, other.getValue());
        }
      }
      return OptionalDouble.of(all);
    }
  }

  /** A job as its owner sees it, with what is known of its future. */
  CompletionStage<Job> of(JobRecord record) {
    Job job = JobMessages.of(record);
    if (record.terminal() || record.counts().queued() == 0) {
      return CompletableFuture.completedStage(job);
    }
    return lines()
        .thenApply(
            lines -> {
              Job.Builder complete = job.toBuilder();
              lines.ahead(record.id()).ifPresent(complete::setQueuePosition);
              complete.setWaitsForWorker(waitsForWorker(record, job.getModel(), lines));
              int workers = lines.drawing().workers().of(job.getModel());
              OptionalDouble seconds = lines.seconds(record, job.getModel());
              if (workers > 0 && seconds.isPresent()) {
                long millis = (long) (seconds.getAsDouble() / workers * 1000);
                complete.setEstimatedEndTime(
                    JobMessages.timestamp(Instant.now().plusMillis(millis)));
              }
              return complete.build();
            });
  }

  /** Whether prompts of a job wait, and there is nobody who could draw any of them. */
  private static boolean waitsForWorker(JobRecord record, String model, Lines lines) {
    boolean wanted =
        switch (record.state()) {
          case JOB_STATE_ACCEPTING, JOB_STATE_QUEUED, JOB_STATE_RUNNING -> true;
          default -> false;
        };
    if (!wanted || record.counts().running() > 0) {
      return false;
    }
    List<BucketLine> waiting = lines.of(record.id());
    // What waits for another attempt stands in no line.
    return waiting.isEmpty()
        ? lines.drawing().workers().of(model) == 0
        : waiting.stream()
            .noneMatch(line -> line.drawn() || lines.drawing().workers().draw(line.bucket()));
  }

  /** Jobs in the same order. */
  CompletionStage<List<Job>> of(List<JobRecord> records) {
    List<CompletableFuture<Job>> jobs =
        records.stream().map(record -> of(record).toCompletableFuture()).toList();
    return CompletableFuture.allOf(jobs.toArray(CompletableFuture[]::new))
        .thenApply(done -> jobs.stream().map(CompletableFuture::join).toList());
  }

  private synchronized CompletionStage<Lines> lines() {
    long now = System.nanoTime();
    if (latest == null || now - latestNanos > pauseNanos) {
      latestNanos = now;
      pauseNanos = Long.MAX_VALUE; // as long as this one is read
      latest =
          backlog
              .lines()
              .thenCombine(
                  speeds.table().thenCombine(models.clusterWorkers(), Drawing::new),
                  (lines, drawing) -> new Lines(lines, drawing));
      latest.whenComplete((lines, e) -> read(e == null ? System.nanoTime() - now : 0));
    }
    return latest;
  }

  /** Long lines are read less often. */
  private synchronized void read(long tookNanos) {
    pauseNanos = Math.max(FRESH.toNanos(), PART * tookNanos);
  }
}
