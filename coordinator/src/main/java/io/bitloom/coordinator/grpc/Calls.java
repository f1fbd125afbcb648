package io.bitloom.coordinator.grpc;

import io.bitloom.common.grpc.GrpcErrors;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.concurrent.CompletionStage;

/** Answers that come later. */
public final class Calls {

  private Calls() {}

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
