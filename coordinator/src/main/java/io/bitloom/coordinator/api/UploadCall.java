package io.bitloom.coordinator.api;

import io.bitloom.common.grpc.GrpcErrors;
import io.bitloom.coordinator.jobs.Upload;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;

/** A client stream that asks for its next message when the one before is done. */
final class UploadCall<Q, A> implements StreamObserver<Q> {

  private final ServerCallStreamObserver<A> caller;
  private final Upload<Q, A> upload;
  private boolean ended; // guarded by this

  UploadCall(StreamObserver<A> caller, Upload<Q, A> upload) {
    this.caller = (ServerCallStreamObserver<A>) caller;
    this.upload = upload;
    this.caller.disableAutoRequest();
    this.caller.setOnCancelHandler(this::end);
    this.caller.request(1);
  }

  @Override
  public void onNext(Q message) {
    upload
        .take(message)
        .whenComplete(
            (done, error) -> {
              if (error == null) {
                caller.request(1);
              } else {
                fail(error);
              }
            });
  }

  @Override
  public void onCompleted() {
    upload
        .complete()
        .whenComplete(
            (answer, error) -> {
              if (error != null) {
                fail(error);
              } else if (end()) {
                caller.onNext(answer);
                caller.onCompleted();
              }
            });
  }

  private void fail(Throwable error) {
    if (end()) {
      caller.onError(GrpcErrors.unwrap(error));
    }
  }

  @Override
  public void onError(Throwable broken) {
    end();
  }

  /** Whether this is the end, and not after it. */
  private synchronized boolean end() {
    boolean first = !ended;
    ended = true;
    upload.end();
    return first;
  }
}
