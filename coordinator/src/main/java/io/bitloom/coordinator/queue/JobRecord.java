package io.bitloom.coordinator.queue;

import com.google.protobuf.ByteString;
import io.bitloom.v1.JobState;
import java.time.Instant;
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
 */
public record JobRecord(
    String id,
    String tenant,
    int priority,
    ByteString spec,
    Map<String, ByteString> changes,
    JobState state,
    Counts counts,
    Instant createTime,
    Optional<Instant> expireTime,
    Optional<Instant> sealTime,
    Optional<Instant> startTime,
    Optional<Instant> endTime) {

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

  /** Whether nothing can change any more. */
  public boolean terminal() {
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
