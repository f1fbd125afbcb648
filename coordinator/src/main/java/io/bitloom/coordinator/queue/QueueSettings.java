package io.bitloom.coordinator.queue;

import java.time.Duration;

/**
 * Settings of the queue; all coordinators of a cluster should have the same.
 *
 * @param namespace prefix of every key and channel
 * @param maxAttempts how often a prompt is tried before it is given up
 * @param isolateAfterFailures a prompt that failed this often is tried alone
 * @param backoff wait before the second attempt; doubles with every further one, and is drawn
 *     between half and all of it
 * @param maxBackoff longest wait
 * @param ageing a job that was not served for this long goes before jobs of one priority more
 * @param leaseDuration longest lease that is asked for; bounds the reaper's sleep
 * @param reapGrace after a loss of Redis, expired leases are left alone for this long, so that
 *     workers which are well can renew them; after a start for a second at most
 * @param sweepInterval how often what a crash left half-done is looked for
 * @param shards over how many slots of a Redis Cluster new jobs and their buckets are spread
 * @param shardRun so many neighbours of a job are in one shard; never to be changed where there are
 *     jobs that are spread
 * @param outputs whether the outcomes of jobs are written to files when these have ended
 */
public record QueueSettings(
    String namespace,
    int maxAttempts,
    int isolateAfterFailures,
    Duration backoff,
    Duration maxBackoff,
    Duration ageing,
    Duration leaseDuration,
    Duration reapGrace,
    Duration sweepInterval,
    int shards,
    int shardRun,
    boolean outputs) {

  /** A job of fewer prompts is in one shard whatever is asked for, and costs no more than that. */
  public static final int SHARD_RUN = 1024;

  /** Settings by which jobs are not spread. */
  public QueueSettings(
      String namespace,
      int maxAttempts,
      int isolateAfterFailures,
      Duration backoff,
      Duration maxBackoff,
      Duration ageing,
      Duration leaseDuration,
      Duration reapGrace,
      Duration sweepInterval) {
    this(
        namespace,
        maxAttempts,
        isolateAfterFailures,
        backoff,
        maxBackoff,
        ageing,
        leaseDuration,
        reapGrace,
        sweepInterval,
        1,
        SHARD_RUN,
        false);
  }

  /** The same, by which new jobs are spread. */
  public QueueSettings spread(int over, int run) {
    return new QueueSettings(
        namespace,
        maxAttempts,
        isolateAfterFailures,
        backoff,
        maxBackoff,
        ageing,
        leaseDuration,
        reapGrace,
        sweepInterval,
        over,
        run,
        outputs);
  }

  /** The same, with or without files of the outcomes of jobs. */
  public QueueSettings withOutputs(boolean wanted) {
    return new QueueSettings(
        namespace,
        maxAttempts,
        isolateAfterFailures,
        backoff,
        maxBackoff,
        ageing,
        leaseDuration,
        reapGrace,
        sweepInterval,
        shards,
        shardRun,
        wanted);
  }

  public static final QueueSettings DEFAULTS =
      new QueueSettings(
          "bitloom",
          5,
          2,
          Duration.ofMillis(200),
          Duration.ofSeconds(30),
          Duration.ofMinutes(1),
          Duration.ofSeconds(10),
          Duration.ofSeconds(3),
          Duration.ofSeconds(15));
}
