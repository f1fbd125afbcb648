package io.bitloom.coordinator.jobs;

import io.bitloom.common.results.ResultStore;
import io.bitloom.common.trace.TraceClock;
import io.bitloom.coordinator.tracing.PromptTraces;
import io.bitloom.v1.PromptResult;
import io.bitloom.v1.ReadResultsResponse;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;

/**
 * Brings results with their images to callers. Bytes are read only when there is memory for them,
 * and callers who do not take them are cut off when others wait: see {@link SendBudget}.
 */
public final class ImageDelivery {

  private final ResultReader reader;
  private final SendBudget budget;
  private final Executor blockingThreads;
  private final PromptTraces traces;

  /**
   * @param blockingThreads where images are read
   * @param timer where those are told who waited for memory
   */
  public ImageDelivery(
      ResultStore store,
      Executor blockingThreads,
      ScheduledExecutorService timer,
      PromptTraces traces) {
    this.reader = new ResultReader(store);
    this.budget = SendBudget.ofMemory(timer);
    this.blockingThreads = blockingThreads;
    this.traces = traces;
  }

  /** When a delivery begins, for {@link #delivered}. */
  long now() {
    return traces.on() ? TraceClock.now() : 0;
  }

  /**
   * A result was handed to its reader.
   *
   * @param since what {@link #now} was before
   */
  void delivered(String jobId, PromptResult result, long since) {
    if (traces.on()) {
      String failure = result.hasFailure() ? result.getFailure().getReason() : "";
      traces.delivered(jobId, result.getOffset(), since, failure);
    }
  }

  /** Bytes of results that their readers have not taken yet. */
  public long unreadBytes() {
    return budget.used();
  }

  /**
   * The memory of one call, to be ended with it.
   *
   * @param cutOff ends the call by force, because its reader stalls and others wait
   */
  CallBudget budget(Runnable cutOff) {
    return new CallBudget(budget, cutOff);
  }

  /**
   * A result with its images; waits until there is memory for them, which the call then holds.
   *
   * @param described with the names of its images
   * @throws io.bitloom.common.error.BitloomException {@code RESULT_STORE_UNAVAILABLE}
   */
  CompletionStage<ReadResultsResponse> of(
      ReadResultsResponse described, ImageForm form, CallBudget call) {
    ReadResultsResponse named = form.downloadUrls() ? reader.withUrls(described) : described;
    boolean withoutBytes = form.referencesOnly() || form.downloadUrls() && reader.givesUrls();
    long bytes = withoutBytes ? 0 : ResultReader.imageBytes(named);
    return bytes == 0
        ? CompletableFuture.completedStage(named)
        : call.claim(bytes).thenApplyAsync(held -> reader.withImages(named), blockingThreads);
  }
}
