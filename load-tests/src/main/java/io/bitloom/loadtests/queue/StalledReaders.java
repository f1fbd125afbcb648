package io.bitloom.loadtests.queue;

import io.bitloom.coordinator.FakeBehaviour;
import io.bitloom.coordinator.FakeWorker;
import io.bitloom.v1.BatchServiceGrpc;
import io.bitloom.v1.GetJobRequest;
import io.bitloom.v1.Job;
import io.bitloom.v1.ListModelsRequest;
import io.bitloom.v1.ReadResultsRequest;
import io.bitloom.v1.ReadResultsResponse;
import io.grpc.ManagedChannel;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Callers that ask for the results of a job with large images, take one, and no more. */
final class StalledReaders {

  static final int READERS = 100;
  private static final String MODEL = "pictures";
  private static final int IMAGES = 100;
  private static final int IMAGE_BYTES = 512 << 10;

  private final ManagedChannel channel;
  private final String job;
  private final List<ClientCallStreamObserver<ReadResultsRequest>> calls =
      new CopyOnWriteArrayList<>();

  /** Has the images made. */
  StalledReaders(ManagedChannel channel, String target) throws Exception {
    this.channel = channel;
    FakeBehaviour drawing =
        FakeBehaviour.DEFAULT
            .withModel(MODEL, "0.06M")
            .withBatch(4, Duration.ZERO)
            .withImageBytes(IMAGE_BYTES);
    BatchServiceGrpc.BatchServiceBlockingStub batch = BatchServiceGrpc.newBlockingStub(channel);
    try (FakeWorker worker = FakeWorker.start(target, "pictures", drawing)) {
      while (batch.listModels(ListModelsRequest.getDefaultInstance()).getModelsList().stream()
          .noneMatch(model -> model.getName().equals(MODEL))) {
        Thread.sleep(10);
      }
      Submitter submitter = new Submitter(channel, MODEL, 5);
      submitter.append(IMAGES);
      submitter.finish();
      job = submitter.name();
      Job done;
      do {
        Thread.sleep(20);
        done = batch.getJob(GetJobRequest.newBuilder().setName(job).build()).getJob();
      } while (!done.hasEndTime());
    }
  }

  /** Starts all, and waits until each has its first result. */
  void start() throws InterruptedException {
    CountDownLatch first = new CountDownLatch(READERS);
    for (int i = 0; i < READERS; i++) {
      BatchServiceGrpc.newStub(channel)
          .readResults(
              ReadResultsRequest.newBuilder().setName(job).build(),
              new ClientResponseObserver<ReadResultsRequest, ReadResultsResponse>() {
                @Override
                public void beforeStart(ClientCallStreamObserver<ReadResultsRequest> call) {
                  call.disableAutoRequestWithInitial(1);
                  calls.add(call);
                }

                @Override
                public void onNext(ReadResultsResponse response) {
                  first.countDown();
                }

                @Override
                public void onError(Throwable error) {}

                @Override
                public void onCompleted() {}
              });
    }
    if (!first.await(60, TimeUnit.SECONDS)) {
      throw new IllegalStateException(first.getCount() + " readers got no result");
    }
  }

  void stop() {
    calls.forEach(call -> call.cancel("the reader has seen enough", null));
  }
}
