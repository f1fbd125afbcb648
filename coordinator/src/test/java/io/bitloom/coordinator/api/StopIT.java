package io.bitloom.coordinator.api;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.grpc.GrpcErrors;
import io.bitloom.coordinator.TestCoordinator;
import io.bitloom.v1.AppendPromptsRequest;
import io.bitloom.v1.AppendPromptsResponse;
import io.bitloom.v1.EstimatePromptsRequest;
import io.bitloom.v1.EstimatePromptsResponse;
import io.bitloom.v1.GenerateRequest;
import io.bitloom.v1.GenerateResponse;
import io.bitloom.v1.Job;
import io.bitloom.v1.Prompt;
import io.bitloom.v1.ReadResultsRequest;
import io.bitloom.v1.ReadResultsResponse;
import io.bitloom.v1.WatchJobRequest;
import io.bitloom.v1.WatchJobResponse;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StopIT {

  @TempDir Path directory;

  /** What a call ended with. */
  private static final class End<A> implements StreamObserver<A> {

    private final CompletableFuture<Void> open = new CompletableFuture<>();
    private final CompletableFuture<Throwable> failure = new CompletableFuture<>();

    @Override
    public void onNext(A message) {
      open.complete(null);
    }

    @Override
    public void onError(Throwable error) {
      open.completeExceptionally(error);
      failure.complete(error);
    }

    @Override
    public void onCompleted() {
      failure.complete(new AssertionError("the stream has a good end"));
    }

    Throwable get() throws Exception {
      return failure.get(TestCoordinator.PATIENCE.toSeconds(), TimeUnit.SECONDS);
    }
  }

  @Test
  void everyStreamIsToldThatTheCoordinatorStops() throws Exception {
    try (TestCoordinator coordinator = TestCoordinator.start(directory)) {
      coordinator.announce("fake", "0.06M");
      Job job = coordinator.newJob();
      End<WatchJobResponse> watch = new End<>();
      End<ReadResultsResponse> results = new End<>();
      End<AppendPromptsResponse> append = new End<>();
      End<EstimatePromptsResponse> estimate = new End<>();
      End<GenerateResponse> generate = new End<>();
      coordinator
          .batchAsync()
          .readResults(
              ReadResultsRequest.newBuilder().setName(job.getName()).setFollow(true).build(),
              results);
      StreamObserver<AppendPromptsRequest> prompts = coordinator.batchAsync().appendPrompts(append);
      prompts.onNext(
          AppendPromptsRequest.newBuilder()
              .setName(job.getName())
              .addPrompts(Prompt.newBuilder().setPrompt("a kite").setSize("0.06M"))
              .build());
      coordinator
          .batchAsync()
          .estimatePrompts(estimate)
          .onNext(EstimatePromptsRequest.getDefaultInstance());
      coordinator
          .batchAsync()
          .generate(
              GenerateRequest.newBuilder()
                  .setPrompt(Prompt.newBuilder().setPrompt("a kite").setSize("0.06M"))
                  .build(),
              generate);
      coordinator
          .batchAsync()
          .watchJob(WatchJobRequest.newBuilder().setName(job.getName()).build(), watch);
      watch.open.get(TestCoordinator.PATIENCE.toSeconds(), TimeUnit.SECONDS);
      generate.open.get(TestCoordinator.PATIENCE.toSeconds(), TimeUnit.SECONDS);

      coordinator.stop();

      for (End<?> end : List.of(watch, results, append, estimate, generate)) {
        Throwable failure = end.get();
        assertEquals(
            Status.Code.UNAVAILABLE, Status.fromThrowable(failure).getCode(), "" + failure);
        assertEquals(ErrorCode.SHUTTING_DOWN, GrpcErrors.fromStatus(failure).code());
      }
    }
  }
}
