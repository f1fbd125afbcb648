package io.bitloom.coordinator.api;

import io.bitloom.common.grpc.GrpcErrors;
import io.bitloom.coordinator.jobs.ResponseSink;
import io.grpc.Context;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.concurrent.TimeoutException;

/** The caller of the gRPC call that this thread begins to serve. */
final class GrpcSink<M> implements ResponseSink<M> {

  private final ServerCallStreamObserver<M> caller;
  private final Context context = Context.current();

  GrpcSink(StreamObserver<M> caller) {
    this.caller = (ServerCallStreamObserver<M>) caller;
    this.caller.setOnCancelHandler(() -> {}); // else messages to a caller who left would throw
  }

  @Override
  public boolean isReady() {
    return caller.isReady();
  }

  @Override
  public void send(M message) {
    caller.onNext(message);
  }

  @Override
  public void complete() {
    caller.onCompleted();
  }

  @Override
  public void fail(Throwable error) {
    caller.onError(GrpcErrors.unwrap(error));
  }

  /**
   * An ordinary error would be queued behind what the reader has not taken; an expired deadline is
   * the one end that is not.
   */
  @Override
  public void cutOff() {
    if (context instanceof Context.CancellableContext cancellable) {
      cancellable.cancel(new TimeoutException("the reader stalls and others wait"));
    }
  }

  @Override
  public void onReady(Runnable handler) {
    caller.setOnReadyHandler(handler);
  }

  @Override
  public void onEnd(Runnable handler) {
    caller.setOnCancelHandler(handler);
    caller.setOnCloseHandler(handler);
  }

  @Override
  public void readyBelow(int bytes) {
    caller.setOnReadyThreshold(bytes);
  }
}
