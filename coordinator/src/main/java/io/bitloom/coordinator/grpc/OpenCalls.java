package io.bitloom.coordinator.grpc;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.grpc.GrpcErrors;
import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;

/**
 * The calls that are being served. Ended here, a call says to clients in any language that another
 * attempt helps; a server that is shut down with open calls resets their streams, which clients
 * take for a cancellation of their own.
 */
final class OpenCalls implements ServerInterceptor {

  private final Set<OpenCall<?, ?>> open = ConcurrentHashMap.newKeySet();
  private volatile Predicate<MethodDescriptor<?, ?>> refused = method -> false;

  @Override
  public <Q, A> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
    OpenCall<Q, A> mine = new OpenCall<>(call);
    open.add(mine);
    if (refused.test(call.getMethodDescriptor())) {
      mine.end();
    }
    return new SimpleForwardingServerCallListener<>(next.startCall(mine, headers)) {
      @Override
      public void onCancel() {
        open.remove(mine);
        super.onCancel();
      }

      @Override
      public void onComplete() {
        open.remove(mine);
        if (mine.endedEarly) {
          super.onCancel(); // the service has more to say and must learn that nobody listens
        } else {
          super.onComplete();
        }
      }
    };
  }

  /** Ends the calls of some methods with {@code SHUTTING_DOWN}, those that come later as well. */
  void end(Predicate<MethodDescriptor<?, ?>> methods) {
    refused = methods;
    open.stream().filter(call -> methods.test(call.getMethodDescriptor())).forEach(OpenCall::end);
  }

  /** Takes nothing more from its service once it has ended. */
  private static final class OpenCall<Q, A> extends SimpleForwardingServerCall<Q, A> {

    private boolean closed; // guarded by this
    private volatile boolean endedEarly;

    OpenCall(ServerCall<Q, A> call) {
      super(call);
    }

    synchronized void end() {
      if (!closed) {
        endedEarly = true;
        StatusRuntimeException stopping =
            GrpcErrors.toStatus(
                new BitloomException(ErrorCode.SHUTTING_DOWN, "this coordinator stops"));
        close(stopping.getStatus(), stopping.getTrailers());
      }
    }

    @Override
    public synchronized void sendHeaders(Metadata headers) {
      if (!closed) {
        super.sendHeaders(headers);
      }
    }

    @Override
    public synchronized void sendMessage(A message) {
      if (!closed) {
        super.sendMessage(message);
      }
    }

    @Override
    public synchronized void close(Status status, Metadata trailers) {
      if (!closed) {
        closed = true;
        super.close(status, trailers);
      }
    }
  }
}
