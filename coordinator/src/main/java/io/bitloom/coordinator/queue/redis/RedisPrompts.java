package io.bitloom.coordinator.queue.redis;

import io.bitloom.common.error.ErrorCode;
import io.bitloom.coordinator.queue.JobUse;
import io.bitloom.coordinator.queue.NewPrompt;
import io.bitloom.coordinator.queue.PromptStore;
import io.bitloom.coordinator.queue.TenantLimits;
import io.bitloom.coordinator.queue.TenantUse;
import io.bitloom.coordinator.queue.WaitingPage;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** Prompts go first to their job, which makes them durable, then to their buckets. */
public final class RedisPrompts implements PromptStore {

  private final JobIndex index;
  private final JobScripts jobs;
  private final BucketScripts buckets;
  private final WaitingPrompts waiting;
  private final Upkeep upkeep;

  public RedisPrompts(
      JobIndex index,
      JobScripts jobs,
      BucketScripts buckets,
      WaitingPrompts waiting,
      Upkeep upkeep) {
    this.index = index;
    this.jobs = jobs;
    this.buckets = buckets;
    this.waiting = waiting;
    this.upkeep = upkeep;
  }

  @Override
  public CompletionStage<Long> append(
      String jobId, long offset, List<NewPrompt> prompts, long mostBytes) {
    if (offset + prompts.size() > Tasks.NO_OFFSET) {
      return JobErrors.failed(
          ErrorCode.LIMIT_EXCEEDED, "must stay below " + Tasks.NO_OFFSET, "offset", offset);
    }
    for (NewPrompt prompt : prompts) {
      if (prompt.images() < 1 || prompt.images() > Tasks.MAX_IMAGES) {
        throw new IllegalArgumentException("a prompt of " + prompt.images() + " images");
      }
      index.addBucket(prompt.bucket());
    }
    PromptGroups groups = PromptGroups.of(offset, prompts);
    return jobs.append(jobId, offset, prompts.size(), groups, mostBytes)
        .thenCompose(
            appended -> {
              if (appended instanceof JobScripts.Taken taken) {
                JobUse use = new JobUse(offset + prompts.size(), 0, taken.bytes(), 0);
                upkeep.used(taken.terms().tenant(), jobId, use);
                return enqueue(jobId, groups, taken).thenApply(done -> offset + prompts.size());
              }
              if (appended instanceof JobScripts.Full full) {
                return JobErrors.tooLarge(jobId, mostBytes, full.bytes());
              }
              return appended instanceof JobScripts.At at
                  ? appendRest(jobId, offset, prompts, mostBytes, at.count())
                  : JobErrors.failed(
                      JobErrors.notAccepting(jobId, ((JobScripts.NotAccepting) appended).state()));
            });
  }

  /**
   * Tells buckets of prompts that their job has taken. They are durable already: if this breaks
   * off, the sweeper goes on, so that it does not fail the append.
   */
  private CompletionStage<Void> enqueue(String jobId, PromptGroups groups, JobScripts.Taken taken) {
    List<CompletionStage<Boolean>> stages = new ArrayList<>();
    for (int k = 0; k < groups.parts().size(); k++) {
      PromptGroups.Part part = groups.parts().get(k);
      stages.add(
          buckets
              .enqueue(part.bucket(), jobId, taken.terms(), taken.before().get(k), part.entries())
              .thenApply(
                  enqueued -> {
                    if (enqueued.isNew()) {
                      index.addNewBucket(part.bucket());
                    }
                    return enqueued.taken();
                  }));
    }
    return Stages.all(stages)
        .handle(
            (complete, e) -> {
              if (e != null || complete.contains(false)) {
                upkeep.sweep(jobId);
              }
              return null;
            });
  }

  /** Appends what a job lacks of prompts that it has in part, or tells that there is a gap. */
  private CompletionStage<Long> appendRest(
      String jobId, long offset, List<NewPrompt> prompts, long mostBytes, long count) {
    if (count < offset) {
      return JobErrors.failed(
          ErrorCode.OFFSET_OUT_OF_RANGE, "must be at most " + count, "offset", offset);
    }
    upkeep.sweep(jobId);
    return count >= offset + prompts.size()
        ? CompletableFuture.completedStage(count)
        : append(jobId, count, prompts.subList((int) (count - offset), prompts.size()), mostBytes);
  }

  @Override
  public CompletionStage<TenantUse> reserve(
      String tenant, String jobId, long offset, int count, long bytes, TenantLimits limits) {
    return index.reserve(tenant, jobId, offset, count, bytes, limits);
  }

  @Override
  public CompletionStage<WaitingPage> waiting(String jobId, WaitingPage.Place from, int count) {
    return waiting.read(jobId, from, Math.min(count, RedisResults.MOST_PER_CALL));
  }
}
