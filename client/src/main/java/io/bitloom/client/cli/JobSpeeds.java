package io.bitloom.client.cli;

import io.bitloom.v1.Job;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/**
 * How many images a second jobs get: in the last half minute as far as they were looked at, before
 * that on average since their start. Thread-safe.
 */
final class JobSpeeds {

  private static final long WINDOW = TimeUnit.SECONDS.toNanos(30);

  /** Fewer nanoseconds of looking say little. */
  private static final long ENOUGH = TimeUnit.SECONDS.toNanos(3);

  /** Images that a job had at a time. */
  private record Sample(long nanos, long drawn) {}

  private final Map<String, Deque<Sample>> samplesByJob = new HashMap<>();

  /**
   * Jobs as they stand.
   *
   * @param nanos when, by {@link System#nanoTime}
   */
  synchronized void look(List<Job> jobs, long nanos) {
    Set<String> names = jobs.stream().map(Job::getName).collect(Collectors.toSet());
    samplesByJob.keySet().retainAll(names);
    for (Job job : jobs) {
      Deque<Sample> samples =
          samplesByJob.computeIfAbsent(job.getName(), name -> new ArrayDeque<>());
      samples.add(new Sample(nanos, job.getCounts().getImagesDrawn()));
      while (nanos - samples.getFirst().nanos() > WINDOW) {
        samples.removeFirst();
      }
    }
  }

  /** Images a second; empty if nothing is known. */
  synchronized OptionalDouble of(Job job, Instant now) {
    Deque<Sample> samples = samplesByJob.getOrDefault(job.getName(), new ArrayDeque<>());
    if (job.hasEndTime() || samples.size() < 2) {
      return new JobFacts(job, now).averageSpeed();
    }
    long nanos = samples.getLast().nanos() - samples.getFirst().nanos();
    return nanos < ENOUGH
        ? new JobFacts(job, now).averageSpeed()
        : OptionalDouble.of((samples.getLast().drawn() - samples.getFirst().drawn()) * 1e9 / nanos);
  }
}
