package io.bitloom.coordinator.jobs;

import io.bitloom.common.error.BitloomException;
import io.bitloom.coordinator.auth.Caller;
import io.bitloom.coordinator.queue.Cursor;
import io.bitloom.coordinator.queue.JobQueue;
import io.bitloom.coordinator.queue.JobStore;
import io.bitloom.coordinator.queue.ResultLog;
import io.bitloom.v1.GetPromptRequest;
import io.bitloom.v1.GetPromptResponse;
import io.bitloom.v1.ListFailuresRequest;
import io.bitloom.v1.ListFailuresResponse;
import io.bitloom.v1.ListPromptsRequest;
import io.bitloom.v1.ListPromptsResponse;
import io.bitloom.v1.PromptResult;
import io.bitloom.v1.ReadResultsRequest;
import io.bitloom.v1.ReadResultsResponse;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;

/** What became of the prompts of a job. */
public final class Results {

  private static final int PROMPTS_PER_PAGE = 100;

  private final JobStore jobs;
  private final ResultLog results;
  private final JobAccess access;
  private final Prompts prompts;
  private final ImageDelivery delivery;
  private final Executor blockingThreads;

  public Results(JobQueue queue, ImageDelivery delivery, Executor blockingThreads) {
    this.jobs = queue.jobs();
    this.results = queue.results();
    this.access = new JobAccess(jobs);
    this.prompts = new Prompts(queue.prompts(), results);
    this.delivery = delivery;
    this.blockingThreads = blockingThreads;
  }

  /** Sends the results of a job, and if asked those that are still to come. */
  public void read(
      Caller caller, ReadResultsRequest request, ResponseSink<ReadResultsResponse> sink) {
    new ResultStream(caller, sink, request, jobs, results, delivery, blockingThreads)
        .start(access.find(caller, request.getName()));
  }

  /** A page of a job's prompts. */
  public CompletionStage<ListPromptsResponse> prompts(Caller caller, ListPromptsRequest request) {
    PromptConditions conditions = PromptConditions.of(request);
    int size = promptsPerPage(request.getPageSize());
    return access.with(
        caller,
        request.getName(),
        id -> prompts.list(id, conditions, size, request.getPageToken()));
  }

  private static int promptsPerPage(int asked) {
    return asked == 0 ? PROMPTS_PER_PAGE : JobRules.pageSize(asked);
  }

  /** Sends one prompt with its result, once there is memory for its images. */
  public void prompt(
      Caller caller, GetPromptRequest request, ResponseSink<GetPromptResponse> sink) {
    String customId = request.getCustomId();
    if (customId.isEmpty()) {
      throw BitloomException.invalid("custom_id", "", "must not be empty");
    }
    CallBudget budget = delivery.budget(sink::cutOff);
    sink.onEnd(budget::end);
    access
        .with(
            caller,
            request.getName(),
            id ->
                prompts
                    .find(id, customId)
                    .thenCompose(found -> withResult(caller, id, found, request, budget)))
        .whenComplete(
            (answer, error) -> {
              if (error == null) {
                sink.send(answer);
                sink.complete();
              } else {
                sink.fail(error);
              }
            });
  }

  private CompletionStage<GetPromptResponse> withResult(
      Caller caller,
      String jobId,
      Prompts.Found found,
      GetPromptRequest request,
      CallBudget budget) {
    GetPromptResponse.Builder answer = GetPromptResponse.newBuilder().setPrompt(found.status());
    if (found.outcome().isEmpty()) {
      return CompletableFuture.completedStage(answer.build());
    }
    ReadResultsResponse described = ResultReader.describe(caller, jobId, found.outcome().get());
    return delivery
        .of(
            described,
            new ImageForm(request.getReferencesOnly(), request.getDownloadUrls()),
            budget)
        .thenApply(result -> answer.setResult(result.getResult()).build());
  }

  /** A page of a job's failures, in the order in which they happened. */
  public CompletionStage<ListFailuresResponse> failures(
      Caller caller, ListFailuresRequest request) {
    int size = promptsPerPage(request.getPageSize());
    return access.with(
        caller,
        request.getName(),
        id -> {
          Cursor from = ResultCursor.place("page_token", id, request.getPageToken());
          return results.failures(id, from, size).thenApply(failures -> page(id, failures));
        });
  }

  private static ListFailuresResponse page(String id, List<ResultLog.Failed> failures) {
    ListFailuresResponse.Builder page = ListFailuresResponse.newBuilder();
    for (ResultLog.Failed failed : failures) {
      PromptResult result = ResultReader.describe(id, failed.result()).getResult();
      page.addFailuresBuilder()
          .setOffset(result.getOffset())
          .setCustomId(result.getCustomId())
          .setFailure(result.getFailure());
    }
    if (!failures.isEmpty()) {
      page.setNextPageToken(ResultCursor.of(id, failures.get(failures.size() - 1).behind()));
    }
    return page.build();
  }
}
