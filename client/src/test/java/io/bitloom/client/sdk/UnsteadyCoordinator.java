package io.bitloom.client.sdk;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.grpc.GrpcErrors;
import io.bitloom.v1.AppendPromptsRequest;
import io.bitloom.v1.AppendPromptsResponse;
import io.bitloom.v1.BatchServiceGrpc;
import io.bitloom.v1.EstimatePromptsRequest;
import io.bitloom.v1.EstimatePromptsResponse;
import io.bitloom.v1.GetJobRequest;
import io.bitloom.v1.GetJobResponse;
import io.bitloom.v1.Job;
import io.bitloom.v1.JobCounts;
import io.bitloom.v1.ListModelsRequest;
import io.bitloom.v1.ListModelsResponse;
import io.bitloom.v1.Prompt;
import io.bitloom.v1.PromptResult;
import io.bitloom.v1.ReadResultsRequest;
import io.bitloom.v1.ReadResultsResponse;
import io.bitloom.v1.WatchJobRequest;
import io.bitloom.v1.WatchJobResponse;
import io.grpc.Grpc;
import io.grpc.InsecureServerCredentials;
import io.grpc.Server;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.netty.shaded.io.netty.channel.EventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.MultiThreadIoEventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollIoHandler;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollServerDomainSocketChannel;
import io.grpc.netty.shaded.io.netty.channel.unix.DomainSocketAddress;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * A coordinator on a real port that holds one job in memory, keeps the offset rules of the
 * contract, and hangs up when it is told to.
 */
final class UnsteadyCoordinator extends BatchServiceGrpc.BatchServiceImplBase
    implements AutoCloseable {

  final List<Prompt> prompts = new ArrayList<>();
  int results;
  int appendCalls;
  volatile int readCalls;

  /** Calls stay open when all is said, as those about a job that goes on. */
  volatile boolean jobGoesOn;

  /** Done with the first prompts that come. */
  final CompletableFuture<Void> firstPrompts = new CompletableFuture<>();

  /** Told with every acknowledgement. */
  double traceRatio;

  /** Messages that are taken before the call is broken off, once; negative: no such thing. */
  int messagesUntilHangUp = -1;

  private Server server;
  private EventLoopGroup threads; // of a Unix socket

  UnsteadyCoordinator() throws IOException {
    start(0);
  }

  private UnsteadyCoordinator(Path socket) throws IOException {
    EventLoopGroup threads = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
    server =
        NettyServerBuilder.forAddress(new DomainSocketAddress(socket.toFile()))
            .channelType(EpollServerDomainSocketChannel.class)
            .bossEventLoopGroup(threads)
            .workerEventLoopGroup(threads)
            .addService(this)
            .build()
            .start();
    this.threads = threads;
  }

  /** One that listens at a Unix socket. */
  static UnsteadyCoordinator at(Path socket) throws IOException {
    return new UnsteadyCoordinator(socket);
  }

  int port() {
    return server.getPort();
  }

  void start(int port) throws IOException {
    server =
        Grpc.newServerBuilderForPort(port, InsecureServerCredentials.create())
            .addService(this)
            .build()
            .start();
  }

  /** What was called before stays open all the same, also if it is still being answered. */
  synchronized void endJob() {
    jobGoesOn = false;
  }

  /** Starts one that sends every connection away, with GOAWAY, after about a second. */
  void startWithShortConnections(int port) throws IOException {
    server =
        NettyServerBuilder.forPort(port, InsecureServerCredentials.create())
            .maxConnectionAge(1, TimeUnit.SECONDS)
            .maxConnectionAgeGrace(1, TimeUnit.MILLISECONDS)
            .addService(this)
            .build()
            .start();
  }

  /** Resets all streams with CANCEL, as a server does that is shut down with calls that run. */
  void stop() throws InterruptedException {
    server.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
  }

  @Override
  public void close() throws InterruptedException {
    stop();
    if (threads != null) {
      threads.shutdownGracefully(0, 5, TimeUnit.SECONDS);
    }
  }

  @Override
  public synchronized void getJob(GetJobRequest request, StreamObserver<GetJobResponse> responses) {
    if (!request.getName().equals("jobs/1")) {
      responses.onError(
          GrpcErrors.toStatus(
              new BitloomException(
                  ErrorCode.JOB_NOT_FOUND, "there is no such job", "name", request.getName())));
      return;
    }
    JobCounts counts = JobCounts.newBuilder().setAppended(prompts.size()).build();
    responses.onNext(
        GetJobResponse.newBuilder()
            .setJob(Job.newBuilder().setName("jobs/1").setCounts(counts))
            .build());
    responses.onCompleted();
  }

  @Override
  public void listModels(ListModelsRequest request, StreamObserver<ListModelsResponse> responses) {
    responses.onNext(ListModelsResponse.getDefaultInstance());
    responses.onCompleted();
  }

  @Override
  public StreamObserver<AppendPromptsRequest> appendPrompts(
      StreamObserver<AppendPromptsResponse> responses) {
    appendCalls++;
    return new StreamObserver<>() {
      private boolean brokenOff;

      @Override
      public void onNext(AppendPromptsRequest request) {
        synchronized (UnsteadyCoordinator.this) {
          firstPrompts.complete(null);
          if (!brokenOff && hangsUp()) {
            brokenOff = true;
            responses.onError(unavailable());
          } else if (!brokenOff) {
            long known = prompts.size() - request.getOffset();
            request.getPromptsList().stream().skip(known).forEach(prompts::add);
          }
        }
      }

      @Override
      public void onError(Throwable failure) {
        brokenOff = true;
      }

      @Override
      public void onCompleted() {
        if (!brokenOff && !jobGoesOn) {
          responses.onNext(
              AppendPromptsResponse.newBuilder()
                  .setNextOffset(prompts.size())
                  .setTraceRatio(traceRatio)
                  .build());
          responses.onCompleted();
        }
      }
    };
  }

  @Override
  public synchronized void readResults(
      ReadResultsRequest request, StreamObserver<ReadResultsResponse> responses) {
    readCalls++;
    String after = request.getAfterCursor();
    for (int i = after.isEmpty() ? 0 : Integer.parseInt(after) + 1; i < results; i++) {
      if (hangsUp()) {
        responses.onError(unavailable());
        return;
      }
      responses.onNext(
          ReadResultsResponse.newBuilder()
              .setResult(PromptResult.newBuilder().setOffset(i))
              .setCursor(Integer.toString(i))
              .build());
    }
    if (!jobGoesOn) {
      responses.onCompleted();
    }
  }

  @Override
  public synchronized void watchJob(
      WatchJobRequest request, StreamObserver<WatchJobResponse> responses) {
    JobCounts counts = JobCounts.newBuilder().setSucceeded(results).build();
    responses.onNext(
        WatchJobResponse.newBuilder().setJob(Job.newBuilder().setCounts(counts)).build());
    if (!jobGoesOn) {
      responses.onCompleted();
    }
  }

  @Override
  public StreamObserver<EstimatePromptsRequest> estimatePrompts(
      StreamObserver<EstimatePromptsResponse> responses) {
    return new StreamObserver<>() {
      private long count;

      @Override
      public void onNext(EstimatePromptsRequest request) {
        count += request.getPromptsCount();
      }

      @Override
      public void onError(Throwable failure) {}

      @Override
      public void onCompleted() {
        firstPrompts.complete(null);
        if (!jobGoesOn) {
          responses.onNext(EstimatePromptsResponse.newBuilder().setPrompts(count).build());
          responses.onCompleted();
        }
      }
    };
  }

  /** True once, after the allowed messages. */
  private boolean hangsUp() {
    if (messagesUntilHangUp > 0) {
      messagesUntilHangUp--;
      return false;
    }
    boolean now = messagesUntilHangUp == 0;
    messagesUntilHangUp = -1;
    return now;
  }

  private static Throwable unavailable() {
    return GrpcErrors.toStatus(
        new BitloomException(ErrorCode.SHUTTING_DOWN, "the coordinator goes away"));
  }
}
