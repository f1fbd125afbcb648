package io.bitloom.coordinator.jobs;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.prompt.PromptRules;
import io.bitloom.coordinator.auth.Caller;
import io.bitloom.coordinator.queue.Bucket;
import io.bitloom.coordinator.queue.Cursor;
import io.bitloom.coordinator.queue.JobNames;
import io.bitloom.coordinator.queue.JobQueue;
import io.bitloom.coordinator.queue.JobRecord;
import io.bitloom.coordinator.queue.NewJob;
import io.bitloom.coordinator.queue.NewPrompt;
import io.bitloom.coordinator.queue.ResultLog;
import io.bitloom.coordinator.queue.ResultRecord;
import io.bitloom.coordinator.tracing.CallersTrace;
import io.bitloom.v1.Job;
import io.bitloom.v1.JobState;
import io.bitloom.v1.Prompt;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * Makes a job of the failed prompts of another. The new job's id follows from the old one's, and
 * prompts come in the order of their outcomes, so a call that broke off is simply repeated.
 */
final class Replay {

  private static final int PAGE = 256;

  /** No caller's request id has such a character. */
  private static final String REPLAY = "\0replay ";

  private static final String REPLAY_ALL = "\0replay all ";

  private final JobQueue queue;
  private final Quotas quotas;

  Replay(JobQueue queue, Quotas quotas) {
    this.queue = queue;
    this.quotas = quotas;
  }

  /**
   * Repeats a terminal job's failures. Fails with {@code JOB_NOT_TERMINAL} or {@code
   * NOTHING_TO_REPLAY}.
   *
   * @param includeCancelled repeats what was cancelled or expired, too
   * @param caller whose weight and limits hold, for the job's tenant
   */
  CompletionStage<JobRecord> of(JobRecord old, boolean includeCancelled, Caller caller) {
    Caller owner = caller.onBehalfOf(old.tenant());
    String name = JobNames.of(old.id());
    if (!old.terminal()) {
      throw new BitloomException(
          ErrorCode.JOB_NOT_TERMINAL,
          name + " has not ended yet, it " + JobRecord.inWords(old.state()),
          "name",
          name);
    }
    long prompts = old.counts().failed() + (includeCancelled ? old.counts().cancelled() : 0);
    if (prompts == 0) {
      throw new BitloomException(
          ErrorCode.NOTHING_TO_REPLAY, nothingToReplay(name, old.counts()), "name", name);
    }
    Job before = JobMessages.specOf(old);
    Job spec =
        before.toBuilder()
            .setDisplayName(ReplayName.of(before, old.id(), includeCancelled))
            .setReplayOf(name)
            .clearRequestId()
            .clearInput()
            .clearCompletionWindow()
            .build();
    NewJob replay =
        new NewJob(
            old.tenant(),
            (includeCancelled ? REPLAY_ALL : REPLAY) + name,
            owner.weight(),
            spec.getPriority(),
            JobMessages.bytes(spec),
            Optional.empty(),
            Quotas.of(owner),
            NewJob.First.NONE,
            false,
            !spec.getWebhookUrl().isEmpty());
    return quotas
        .create(owner, replay)
        .thenCompose(
            job ->
                job.state() == JobState.JOB_STATE_ACCEPTING
                    ? copy(owner, old.id(), spec.getModel(), job, Cursor.START, 0, includeCancelled)
                        .thenCompose(count -> queue.jobs().seal(job.id(), OptionalLong.of(prompts)))
                    : CompletableFuture.completedStage(job));
  }

  private static String nothingToReplay(String name, JobRecord.Counts counts) {
    String others =
        counts.cancelled() == 0
            ? ""
            : String.format(
                Locale.ROOT,
                "; %,d were cancelled or expired and are replayed on request (--cancelled,"
                    + " include_cancelled)",
                counts.cancelled());
    return "no prompt of " + name + " failed" + others;
  }

  /**
   * Appends page by page, but for what a call before has appended.
   *
   * @param from place among results or failures after which to go on
   * @param offset in the new job
   */
  private CompletionStage<Long> copy(
      Caller owner,
      String oldId,
      String model,
      JobRecord job,
      Cursor from,
      long offset,
      boolean all) {
    CompletionStage<Page> found = all ? anyOutcome(oldId, from) : failures(oldId, from);
    return found.thenCompose(
        page -> {
          if (page.results().isEmpty()) {
            return CompletableFuture.completedStage(offset);
          }
          List<NewPrompt> prompts =
              page.results().stream()
                  .filter(record -> record.status() != ResultRecord.Status.SUCCEEDED)
                  .map(record -> again(model, job.id(), record))
                  .toList();
          long end = offset + prompts.size();
          CompletionStage<Long> appended =
              end <= job.counts().appended()
                  ? CompletableFuture.completedStage(end)
                  : quotas.append(
                      owner, job.id(), offset, prompts, quotas.arrival(CallersTrace.NONE));
          return appended.thenCompose(
              done -> copy(owner, oldId, model, job, page.behind(), end, all));
        });
  }

  /**
   * Outcomes of the old job.
   *
   * @param behind the place behind them
   */
  private record Page(List<ResultRecord> results, Cursor behind) {

    static Page of(List<ResultRecord> results, List<Cursor> behind) {
      return new Page(results, results.isEmpty() ? Cursor.START : behind.get(behind.size() - 1));
    }
  }

  private CompletionStage<Page> anyOutcome(String oldId, Cursor from) {
    return queue
        .results()
        .read(oldId, from, PAGE)
        .thenApply(
            results -> Page.of(results, results.stream().map(ResultRecord::cursor).toList()));
  }

  private CompletionStage<Page> failures(String oldId, Cursor from) {
    return queue
        .results()
        .failures(oldId, from, PAGE)
        .thenApply(
            failed ->
                Page.of(
                    failed.stream().map(ResultLog.Failed::result).toList(),
                    failed.stream().map(ResultLog.Failed::behind).toList()));
  }

  /** The prompt has everything filled in, so resolving it again only finds its schedule. */
  private static NewPrompt again(String model, String jobId, ResultRecord record) {
    Prompt prompt = ResultReader.prompt(record);
    PromptRules.Resolved resolved =
        PromptRules.resolve(
            prompt,
            Prompt.getDefaultInstance(),
            Prompt.getDefaultInstance(),
            List.of(prompt.getSize()),
            jobId,
            record.offset());
    return new NewPrompt(
        new Bucket(model, resolved.schedule().id()), prompt.getNumImages(), record.payload());
  }
}
