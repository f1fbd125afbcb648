package io.bitloom.loadtests.chaos;

import io.bitloom.v1.AppendPromptsRequest;
import io.bitloom.v1.AppendPromptsResponse;
import io.bitloom.v1.BatchServiceGrpc;
import io.bitloom.v1.BatchServiceGrpc.BatchServiceBlockingStub;
import io.bitloom.v1.CreateJobRequest;
import io.bitloom.v1.GetJobRequest;
import io.bitloom.v1.Job;
import io.bitloom.v1.ListModelsRequest;
import io.bitloom.v1.Prompt;
import io.bitloom.v1.PromptResult;
import io.bitloom.v1.ReadResultsRequest;
import io.bitloom.v1.ReadResultsResponse;
import io.bitloom.v1.SealJobRequest;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.StreamObserver;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** A tenant's client that goes to the next coordinator whenever one is not there. */
final class PatientClient implements AutoCloseable {

  private static final int MESSAGE_PROMPTS = 100;
  private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(120);
  private static final Set<Status.Code> PASSING =
      Set.of(
          Status.Code.UNAVAILABLE,
          Status.Code.DEADLINE_EXCEEDED,
          Status.Code.CANCELLED,
          Status.Code.UNKNOWN,
          Status.Code.INTERNAL);

  private interface Call<T> {
    T on(BatchServiceBlockingStub stub) throws InterruptedException;
  }

  private final List<ManagedChannel> channels;
  private int attempts;

  PatientClient(List<String> targets, String token) {
    Metadata headers = new Metadata();
    headers.put(
        Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER), "Bearer " + token);
    this.channels =
        targets.stream()
            .map(
                target ->
                    NettyChannelBuilder.forTarget(target)
                        .usePlaintext()
                        .maxInboundMessageSize(64 << 20)
                        .intercept(MetadataUtils.newAttachHeadersInterceptor(headers))
                        .build())
            .toList();
  }

  private <T> T call(Call<T> call) throws InterruptedException {
    long end = System.nanoTime() + PATIENCE_NANOS;
    while (true) {
      ManagedChannel channel = channels.get(attempts % channels.size());
      try {
        return call.on(
            BatchServiceGrpc.newBlockingStub(channel).withDeadlineAfter(20, TimeUnit.SECONDS));
      } catch (StatusRuntimeException e) {
        if (!PASSING.contains(e.getStatus().getCode()) || System.nanoTime() > end) {
          throw e;
        }
        attempts++;
        channel.resetConnectBackoff();
        Thread.sleep(100);
      }
    }
  }

  void awaitModel() throws InterruptedException {
    while (call(stub -> stub.listModels(ListModelsRequest.getDefaultInstance())).getModelsCount()
        == 0) {
      Thread.sleep(20);
    }
  }

  /** Creates a job. */
  Job create(Job job, String requestId) throws InterruptedException {
    CreateJobRequest request =
        CreateJobRequest.newBuilder().setJob(job).setRequestId(requestId).build();
    return call(stub -> stub.createJob(request)).getJob();
  }

  /** Submits a whole job; every prompt is acknowledged when this returns. */
  String submit(String requestId, List<Prompt> prompts) throws InterruptedException {
    String name =
        call(stub -> stub.createJob(CreateJobRequest.newBuilder().setRequestId(requestId).build()))
            .getJob()
            .getName();
    for (long at = 0; at < prompts.size(); ) {
      long offset = at;
      List<Prompt> some =
          prompts.subList((int) at, (int) Math.min(prompts.size(), at + MESSAGE_PROMPTS));
      at = call(stub -> append(stub, name, offset, some));
    }
    call(
        stub ->
            stub.sealJob(
                SealJobRequest.newBuilder()
                    .setName(name)
                    .setExpectedPrompts(prompts.size())
                    .build()));
    return name;
  }

  private static long append(
      BatchServiceBlockingStub stub, String name, long offset, List<Prompt> prompts)
      throws InterruptedException {
    CompletableFuture<Long> next = new CompletableFuture<>();
    StreamObserver<AppendPromptsRequest> call =
        BatchServiceGrpc.newStub(stub.getChannel())
            .withDeadlineAfter(20, TimeUnit.SECONDS)
            .appendPrompts(
                new StreamObserver<>() {
                  @Override
                  public void onNext(AppendPromptsResponse response) {
                    next.complete(response.getNextOffset());
                  }

                  @Override
                  public void onError(Throwable error) {
                    next.completeExceptionally(error);
                  }

                  @Override
                  public void onCompleted() {}
                });
    call.onNext(
        AppendPromptsRequest.newBuilder()
            .setName(name)
            .setOffset(offset)
            .addAllPrompts(prompts)
            .build());
    call.onCompleted();
    try {
      return next.get(30, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      throw Status.fromThrowable(e.getCause()).asRuntimeException();
    } catch (TimeoutException e) {
      throw Status.DEADLINE_EXCEEDED.asRuntimeException();
    }
  }

  Job job(String name) throws InterruptedException {
    return call(stub -> stub.getJob(GetJobRequest.newBuilder().setName(name).build())).getJob();
  }

  /** All results that there are, read on from the last cursor whenever a call breaks. */
  List<PromptResult> results(String name) throws InterruptedException {
    List<PromptResult> results = new ArrayList<>();
    String[] cursor = {""};
    call(
        stub -> {
          Iterator<ReadResultsResponse> some =
              stub.readResults(
                  ReadResultsRequest.newBuilder().setName(name).setAfterCursor(cursor[0]).build());
          while (some.hasNext()) {
            ReadResultsResponse response = some.next();
            results.add(response.getResult());
            cursor[0] = response.getCursor();
          }
          return null;
        });
    return results;
  }

  @Override
  public void close() {
    channels.forEach(ManagedChannel::shutdownNow);
  }
}
