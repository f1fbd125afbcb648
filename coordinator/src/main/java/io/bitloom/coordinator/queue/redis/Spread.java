package io.bitloom.coordinator.queue.redis;

import io.bitloom.coordinator.queue.Bucket;
import io.bitloom.coordinator.queue.TaskRef;

/**
 * How the prompts of a job are spread over its parts: so many neighbours to the first part, as many
 * to the second, and so on, and again from the first. In a part they are counted from 0 on, too. A
 * part has its prompts in one shard of a bucket, another shard for each part; the first part of
 * another job may begin with another shard.
 *
 * @param run how many neighbours are in one part; all coordinators have the same
 */
public record Spread(int run) {

  /** Which part of a job has a prompt. */
  JobPart part(String jobId, long offset, int parts) {
    return new JobPart(jobId, (int) (offset / run % parts), parts);
  }

  /** The place of a prompt in its part. */
  long inPart(long offset, int parts) {
    return offset / run / parts * run + offset % run;
  }

  /** The place in its job of a prompt that is at a place of a part. */
  long inJob(JobPart part, long inPart, int parts) {
    if (parts == 1) {
      return inPart;
    }
    return (inPart / run * parts + part.number()) * run + inPart % run;
  }

  /** The first place behind those that share a run with this one. */
  long endOfRun(long offset) {
    return (offset / run + 1) * run;
  }

  /** Which shard of a bucket has the prompts of a part. */
  static Bucket.Shard shard(JobPart part) {
    return new Bucket.Shard(
        Math.floorMod(part.jobId().hashCode() + part.number(), part.of()), part.of());
  }

  /** A prompt of a job as Redis names it. */
  TaskRef inPart(TaskRef task, int parts) {
    return parts == 1
        ? task
        : new TaskRef(part(task.jobId(), task.offset(), parts).id(), inPart(task.offset(), parts));
  }

  /** A prompt of a job that Redis names so. */
  TaskRef inJob(TaskRef task, int parts) {
    if (parts == 1) {
      return task;
    }
    JobPart part = JobPart.parse(task.jobId());
    return new TaskRef(part.jobId(), inJob(part, task.offset(), parts));
  }
}
