package io.bitloom.coordinator.queue.redis;

import io.bitloom.common.error.ErrorCode;
import io.bitloom.coordinator.queue.AppendListener;
import io.bitloom.coordinator.queue.JobUse;
import io.bitloom.coordinator.queue.NewPrompt;
import io.bitloom.coordinator.queue.PromptStore;
import io.bitloom.coordinator.queue.TenantLimits;
import io.bitloom.coordinator.queue.TenantUse;
import io.bitloom.coordinator.queue.WaitingPage;
import io.bitloom.v1.JobState;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** Prompts go first to their job, which makes them durable, then to their buckets. */
public final class RedisPrompts implements PromptStore {

  /** Stands for no part, but for the step from one to the next. */
  private static final int BETWEEN = -1;

  private final JobIndex index;
  private final JobScripts jobs;
  private final JobParts jobParts;
  private final Spread spread;
  private final BucketScripts buckets;
  private final WaitingPrompts waiting;
  private final Upkeep upkeep;
  private final AppendOrder order = new AppendOrder();

  public RedisPrompts(
      JobIndex index,
      JobScripts jobs,
      JobParts jobParts,
      Spread spread,
      BucketScripts buckets,
      WaitingPrompts waiting,
      Upkeep upkeep) {
    this.index = index;
    this.jobs = jobs;
    this.jobParts = jobParts;
    this.spread = spread;
    this.buckets = buckets;
    this.waiting = waiting;
    this.upkeep = upkeep;
  }

  @Override
  public CompletionStage<Long> append(
      String jobId, long offset, List<NewPrompt> prompts, long mostBytes, AppendListener listener) {
    if (offset + prompts.size() > Tasks.NO_OFFSET) {
      return JobErrors.failed(
          ErrorCode.LIMIT_EXCEEDED, "must stay below " + Tasks.NO_OFFSET, "offset", offset);
    }
    for (NewPrompt prompt : prompts) {
      if (prompt.images() < 1 || prompt.images() > Tasks.MAX_IMAGES) {
        throw new IllegalArgumentException("a prompt of " + prompt.images() + " images");
      }
    }
    return appendRun(new Some(jobId, offset, prompts, listener), mostBytes);
  }

  /** Prompts that are to be appended to a job. */
  private record Some(String jobId, long offset, List<NewPrompt> prompts, AppendListener listener) {

    long end() {
      return offset + prompts.size();
    }

    Some from(long place) {
      return new Some(
          jobId, place, prompts.subList((int) (place - offset), prompts.size()), listener);
    }

    Some upTo(long place) {
      return new Some(jobId, offset, prompts.subList(0, (int) (place - offset)), listener);
    }
  }

  /** Appends what is in one part of the job, and behind it the rest. */
  private CompletionStage<Long> appendRun(Some some, long mostBytes) {
    int parts = jobParts.of(some.jobId());
    JobPart part = spread.part(some.jobId(), some.offset(), parts);
    long end = parts == 1 ? some.end() : Math.min(some.end(), spread.endOfRun(some.offset()));
    Some run = some.upTo(end);
    CompletionStage<Long> first =
        (parts == 1 ? append(part, run, mostBytes) : inOrder(part, run, mostBytes))
            .thenCompose(
                count ->
                    count.isPresent()
                        ? CompletableFuture.completedStage(count.getAsLong())
                        : appendRun(run, mostBytes));
    if (end == some.end()) {
      return first;
    }
    CompletionStage<Long> rest = appendRun(some.from(end), mostBytes);
    return first.thenCompose(done -> rest);
  }

  /** Appends a run when all before it is there. */
  private CompletionStage<OptionalLong> inOrder(JobPart part, Some run, long mostBytes) {
    CompletionStage<JobScripts.Appended> hindrance =
        run.offset() > 0 && run.offset() % spread.run() == 0
            ? order.in(part.jobId(), BETWEEN, () -> jobParts.prepare(part, run.offset()))
            : CompletableFuture.completedStage(null);
    return order.in(
        part.jobId(),
        part.number(),
        () ->
            hindrance.thenCompose(
                why ->
                    why == null
                        ? append(part, run, mostBytes)
                        : refused(part, run, mostBytes, why)));
  }

  /**
   * Appends to one part.
   *
   * @return the job's count afterwards; empty if the job has another number of parts, and nothing
   *     was appended
   */
  private CompletionStage<OptionalLong> append(JobPart part, Some run, long mostBytes) {
    long inPart = spread.inPart(run.offset(), part.of());
    PromptGroups groups = PromptGroups.of(inPart, run.prompts(), Spread.shard(part));
    groups.parts().forEach(ofBucket -> index.addBucket(ofBucket.bucket()));
    return jobs.append(
            part.id(),
            inPart,
            run.prompts().size(),
            groups,
            mostBytes / part.of(),
            part.number() == 0 ? part.of() : 0)
        .thenCompose(
            appended -> {
              if (appended instanceof JobScripts.Taken taken) {
                run.listener().durable(run.offset(), run.prompts().size());
                JobUse use = new JobUse(inPart + run.prompts().size(), 0, taken.bytes(), 0);
                upkeep.used(taken.terms().tenant(), part.id(), use);
                return enqueue(part.id(), groups, taken)
                    .thenApply(done -> OptionalLong.of(run.end()));
              }
              return refused(part, run, mostBytes, appended);
            });
  }

  private CompletionStage<OptionalLong> refused(
      JobPart part, Some run, long mostBytes, JobScripts.Appended why) {
    if (why instanceof JobScripts.OtherParts other) {
      jobParts.learn(part.jobId(), other.number());
      return CompletableFuture.completedStage(OptionalLong.empty());
    }
    if (why instanceof JobScripts.Full full) {
      return JobErrors.tooLarge(part.jobId(), mostBytes, full.bytes() * part.of());
    }
    if (why instanceof JobScripts.At at) {
      long inPart = spread.inPart(run.offset(), part.of());
      return appendRest(part, run, mostBytes, run.offset() + at.count() - inPart);
    }
    Optional<JobState> state = ((JobScripts.NotAccepting) why).state();
    return part.number() > 0 && state.isEmpty()
        ? jobParts
            .missing(part)
            .thenCompose(
                reason -> refused(new JobPart(part.jobId(), 0, part.of()), run, mostBytes, reason))
        : JobErrors.failed(JobErrors.notAccepting(part.jobId(), state));
  }

  /**
   * Tells buckets of prompts that their job has taken. They are durable already: if this breaks
   * off, the sweeper goes on, so that it does not fail the append.
   */
  private CompletionStage<Void> enqueue(
      String partId, PromptGroups groups, JobScripts.Taken taken) {
    List<CompletionStage<Boolean>> stages = new ArrayList<>();
    for (int k = 0; k < groups.parts().size(); k++) {
      PromptGroups.Part part = groups.parts().get(k);
      stages.add(
          buckets
              .enqueue(part.bucket(), partId, taken.terms(), taken.before().get(k), part.entries())
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
                upkeep.sweep(partId);
              }
              return null;
            });
  }

  /**
   * Appends what a part lacks of prompts that it has in part, or tells that there is a gap.
   *
   * @param count of the job's prompts, as far as the part knows that has these
   */
  private CompletionStage<OptionalLong> appendRest(
      JobPart part, Some run, long mostBytes, long count) {
    if (count < run.offset()) {
      return jobParts
          .count(run.jobId())
          .thenCompose(
              all ->
                  JobErrors.failed(
                      ErrorCode.OFFSET_OUT_OF_RANGE,
                      "must be at most " + all,
                      "offset",
                      run.offset()));
    }
    upkeep.sweep(run.jobId());
    return count >= run.end()
        ? CompletableFuture.completedStage(OptionalLong.of(count))
        : append(part, run.from(count), mostBytes);
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
