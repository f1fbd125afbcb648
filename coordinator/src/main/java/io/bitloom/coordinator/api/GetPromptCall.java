package io.bitloom.coordinator.api;

import io.bitloom.common.error.BitloomException;
import io.bitloom.coordinator.grpc.Calls;
import io.bitloom.v1.GetPromptRequest;
import io.bitloom.v1.GetPromptResponse;
import io.bitloom.v1.ReadResultsResponse;
import io.grpc.Context;
import io.grpc.stub.ServerCallStreamObserver;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;

/** One GetPrompt call, which waits until there is memory for the images. */
final class GetPromptCall {

  private final ServerCallStreamObserver<GetPromptResponse> caller;
  private final Prompts prompts;
  private final ResultReader results;
  private final SendShare share;
  private final Executor blockingThreads;
  private final GetPromptRequest request;

  GetPromptCall(
      ServerCallStreamObserver<GetPromptResponse> caller,
      Prompts prompts,
      ResultReader results,
      SendBudget budget,
      Executor blockingThreads,
      GetPromptRequest request) {
    Context context = Context.current();
    this.caller = caller;
    this.prompts = prompts;
    this.results = results;
    this.share = new SendShare(budget, () -> Calls.cutOff(context));
    this.blockingThreads = blockingThreads;
    this.request = request;
  }

  /** Must be called within the RPC's method, because handlers cannot be set later. */
  void start(JobAccess jobs) {
    if (request.getCustomId().isEmpty()) {
      throw BitloomException.invalid("custom_id", "", "must not be empty");
    }
    caller.setOnCloseHandler(share::end);
    Calls.answer(
        caller,
        jobs.with(
            request.getName(),
            jobId ->
                prompts
                    .find(jobId, request.getCustomId())
                    .thenCompose(found -> answer(jobId, found))));
    caller.setOnCancelHandler(share::end);
  }

  private CompletionStage<GetPromptResponse> answer(String jobId, Prompts.Found found) {
    GetPromptResponse.Builder answer = GetPromptResponse.newBuilder().setPrompt(found.status());
    if (found.outcome().isEmpty()) {
      return CompletableFuture.completedStage(answer.build());
    }
    return result(ResultReader.describe(jobId, found.outcome().get()))
        .thenApply(result -> answer.setResult(result.getResult()).build());
  }

  private CompletionStage<ReadResultsResponse> result(ReadResultsResponse described) {
    ReadResultsResponse named = request.getDownloadUrls() ? results.withUrls(described) : described;
    boolean withoutBytes =
        request.getReferencesOnly() || request.getDownloadUrls() && results.givesUrls();
    return withoutBytes || ResultReader.imageBytes(named) == 0
        ? CompletableFuture.completedStage(named)
        : share
            .claim(ResultReader.imageBytes(named))
            .thenApplyAsync(granted -> results.withImages(named), blockingThreads);
  }
}
