package io.bitloom.coordinator.grpc;

import io.bitloom.common.grpc.GrpcErrors;
import io.grpc.Context;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeoutException;

/** Answers that come later, and ends before their time. */
public final class Calls {

  private Calls() {}

  /**
   * Ends a call so that the transport drops what its reader has not taken. An ordinary error would
   * be queued behind it; an expired deadline is the one end that is not.
   */
  public static void cutOff(Context call) {
    if (call instanceof Context.CancellableContext cancellable) {
      cancellable.cancel(new TimeoutException("the reader stalls and others wait"));
    }
  }

  /** Hands the value or the error to the caller, who may be gone by then. */
  public static <A> void answer(StreamObserver<A> caller, CompletionStage<A> answer) {
    ((ServerCallStreamObserver<A>) caller).setOnCancelHandler(() -> {});
    answer.whenComplete(
        (value, error) -> {
          if (error == null) {
            caller.onNext(value);
            caller.onCompleted();
          } else {
            caller.onError(GrpcErrors.unwrap(error));
          }
        });
  }
}
