package io.bitloom.coordinator.queue;

import com.google.protobuf.ByteString;
import io.bitloom.v1.JobState;
import java.time.Instant;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A job as it stands. All times are by the clock of Redis.
 *
 * @param id without the {@code jobs/} of the resource name
 * @param spec as given to {@link NewJob}
 * @param changes what callers changed of it since, by the names of the parts
 * @param expireTime when the completion window ends
 * @param sealTime when the appending ended
 * @param startTime when the first prompt was given to a worker
 * @param endTime when a terminal state was reached
 * @param webhook what was told of it; empty if nobody is told
 */
public record JobRecord(
    String id,
    String tenant,
    int priority,
    ByteString spec,
    Map<String, ByteString> changes,
    JobState state,
    Counts counts,
    Images images,
    Instant createTime,
    Optional<Instant> expireTime,
    Optional<Instant> sealTime,
    Optional<Instant> startTime,
    Optional<Instant> endTime,
    Optional<WebhookState> webhook) {

  /**
   * Prompts by state: appended = queued + running + succeeded + failed + cancelled.
   *
   * @param retried attempts that ended without an outcome and were repeated
   */
  public record Counts(
      long appended,
      long queued,
      long running,
      long succeeded,
      long failed,
      long cancelled,
      long retried) {

    /** Prompts that have their outcome. */
    public long decided() {
      return succeeded + failed + cancelled;
    }
  }

  /**
   * Images of a job; jobs of older versions have none.
   *
   * @param asked by the appended prompts
   * @param drawn of the prompts that succeeded
   */
  public record Images(long asked, long drawn) {}

  /** When what has become of the job so far came about. */
  public Map<Milestone, Instant> milestones() {
    Map<Milestone, Instant> times = new EnumMap<>(Milestone.class);
    times.put(Milestone.CREATED, createTime);
    sealTime.ifPresent(time -> times.put(Milestone.SEALED, time));
    startTime.ifPresent(time -> times.put(Milestone.STARTED, time));
    endTime.ifPresent(time -> times.put(Milestone.ENDED, time));
    return times;
  }

  /**
   * What is to be told of the job, in the order in which it came about. Clocks of several Redis
   * servers may differ, but nothing comes before a creation, or after an end.
   */
  public List<Milestone> untold() {
    Map<Milestone, Instant> times = milestones();
    return webhook.stream()
        .flatMap(state -> times.keySet().stream().filter(passed -> !state.told().contains(passed)))
        .sorted(Comparator.comparing(JobRecord::phase).thenComparing(times::get))
        .toList();
  }

  private static int phase(Milestone milestone) {
    return milestone == Milestone.CREATED ? 0 : milestone == Milestone.ENDED ? 2 : 1;
  }

  /** What a job is or has done, to follow "it": {@code is running}, {@code has failed}. */
  public static String inWords(JobState state) {
    return switch (state) {
      case JOB_STATE_ACCEPTING -> "is not sealed yet";
      case JOB_STATE_QUEUED -> "waits in the queue";
      case JOB_STATE_RUNNING -> "is running";
      case JOB_STATE_PAUSED -> "is paused";
      case JOB_STATE_CANCELLING -> "is being cancelled";
      case JOB_STATE_CANCELLED -> "was cancelled";
      case JOB_STATE_SUCCEEDED -> "has succeeded";
      case JOB_STATE_PARTIALLY_SUCCEEDED -> "has partially succeeded";
      case JOB_STATE_FAILED -> "has failed";
      case JOB_STATE_EXPIRED -> "has expired";
      case JOB_STATE_UNSPECIFIED, UNRECOGNIZED -> "is in a state that this version does not know";
    };
  }

  /** Whether nothing can change any more. */
  public boolean terminal() {
    return terminal(state);
  }

  /** Whether nothing can change any more in a job of this state. */
  public static boolean terminal(JobState state) {
    return switch (state) {
      case JOB_STATE_CANCELLED,
          JOB_STATE_SUCCEEDED,
          JOB_STATE_PARTIALLY_SUCCEEDED,
          JOB_STATE_FAILED,
          JOB_STATE_EXPIRED ->
          true;
      default -> false;
    };
  }
}
