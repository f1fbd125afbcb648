package io.bitloom.loadtests.queue;

import io.bitloom.v1.AppendPromptsRequest;
import io.bitloom.v1.AppendPromptsResponse;
import io.bitloom.v1.BatchServiceGrpc;
import io.bitloom.v1.CreateJobRequest;
import io.bitloom.v1.Job;
import io.bitloom.v1.Prompt;
import io.bitloom.v1.ResumeJobRequest;
import io.bitloom.v1.SealJobRequest;
import io.grpc.ManagedChannel;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/** One job and one call that appends its prompts. */
final class Submitter {

  static final int MESSAGE_PROMPTS = 500;

  private final String name;
  private final String shape;
  private final BatchServiceGrpc.BatchServiceStub stub;
  private final Semaphore ready = new Semaphore(0);
  private final CompletableFuture<Long> next = new CompletableFuture<>();
  private final ClientCallStreamObserver<AppendPromptsRequest> call;
  private long offset;

  Submitter(ManagedChannel channel, String model, int priority) {
    this(channel, model, priority, "");
  }

  /**
   * @param shape aspect ratio of its images, which decides in which bucket its prompts are; empty:
   *     the default
   */
  Submitter(ManagedChannel channel, String model, int priority, String shape) {
    this.shape = shape;
    this.stub = BatchServiceGrpc.newStub(channel);
    this.name =
        BatchServiceGrpc.newBlockingStub(channel)
            .createJob(
                CreateJobRequest.newBuilder()
                    .setJob(Job.newBuilder().setModel(model).setPriority(priority))
                    .build())
            .getJob()
            .getName();
    this.call = (ClientCallStreamObserver<AppendPromptsRequest>) stub.appendPrompts(new Response());
  }

  private final class Response
      implements ClientResponseObserver<AppendPromptsRequest, AppendPromptsResponse> {

    @Override
    public void beforeStart(ClientCallStreamObserver<AppendPromptsRequest> call) {
      call.setOnReadyHandler(ready::release);
    }

    @Override
    public void onNext(AppendPromptsResponse response) {
      next.complete(response.getNextOffset());
    }

    @Override
    public void onError(Throwable error) {
      next.completeExceptionally(error);
      ready.release();
    }

    @Override
    public void onCompleted() {}
  }

  String name() {
    return name;
  }

  /** Appends prompts as fast as the coordinator takes them. */
  void append(int count) throws InterruptedException {
    for (int left = count; left > 0 && !next.isDone(); ) {
      if (!call.isReady()) {
        ready.acquire();
        continue;
      }
      int some = Math.min(left, MESSAGE_PROMPTS);
      appendNow(some);
      left -= some;
    }
  }

  /** Sends one message, whether or not the connection has room. */
  void appendNow(int count) {
    AppendPromptsRequest.Builder message =
        AppendPromptsRequest.newBuilder().setName(name).setOffset(offset);
    for (int i = 0; i < count; i++) {
      message.addPrompts(shape.isEmpty() ? prompt(offset + i) : shaped(prompt(offset + i)));
    }
    offset += count;
    call.onNext(message.build());
  }

  private Prompt shaped(Prompt prompt) {
    return prompt.toBuilder().setAspectRatio(shape).build();
  }

  /** A prompt of usual length. */
  static Prompt prompt(long i) {
    return Prompt.newBuilder()
        .setCustomId("image-" + i)
        .setPrompt("a lighthouse on a cliff at dusk, storm clouds, long exposure, number " + i)
        .setSize("0.06M")
        .build();
  }

  /** Ends the call when all is taken, and leaves the job open. */
  void close() throws Exception {
    call.onCompleted();
    long appended = next.get(120, TimeUnit.SECONDS);
    if (appended != offset) {
      throw new IllegalStateException(appended + " prompts were taken, not " + offset);
    }
  }

  /** Lets a job that is paused go on. */
  void resume() {
    BatchServiceGrpc.newBlockingStub(stub.getChannel())
        .resumeJob(ResumeJobRequest.newBuilder().setName(name).build());
  }

  /** Ends the call and seals the job when all is taken. */
  void finish() throws Exception {
    close();
    BatchServiceGrpc.newBlockingStub(stub.getChannel())
        .sealJob(SealJobRequest.newBuilder().setName(name).setExpectedPrompts(offset).build());
  }
}
