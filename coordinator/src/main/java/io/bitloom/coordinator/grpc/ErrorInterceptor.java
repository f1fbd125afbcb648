package io.bitloom.coordinator.grpc;

import com.google.protobuf.Message;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.grpc.GrpcErrors;
import io.bitloom.common.grpc.UnknownFields;
import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one place where exceptions become statuses: those that a service throws and those that it
 * hands to its observer. What is not meant for callers goes to the log only. No service sees a
 * message that is none, or that has fields which this version does not know.
 */
final class ErrorInterceptor implements ServerInterceptor {

  private static final Logger log = LoggerFactory.getLogger(ErrorInterceptor.class);

  @Override
  public <Q, A> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
    MappedCall<Q, A> mapped = new MappedCall<>(call);
    try {
      return new MappedListener<>(mapped, next.startCall(mapped, headers));
    } catch (RuntimeException e) {
      mapped.fail(e);
      return new ServerCall.Listener<>() {};
    }
  }

  private static final class MappedCall<Q, A> extends SimpleForwardingServerCall<Q, A> {

    private final AtomicBoolean closed = new AtomicBoolean();

    MappedCall(ServerCall<Q, A> call) {
      super(call);
    }

    @Override
    public void close(Status status, Metadata trailers) {
      boolean carriesException =
          status.getCode() == Status.Code.UNKNOWN && status.getCause() != null;
      if (carriesException) {
        fail(status.getCause());
      } else if (closed.compareAndSet(false, true)) {
        super.close(status, trailers);
      }
    }

    void fail(Throwable error) {
      StatusRuntimeException status = GrpcErrors.toStatus(error);
      report(GrpcErrors.unwrap(error), status.getStatus());
      if (closed.compareAndSet(false, true)) {
        Metadata trailers = status.getTrailers() == null ? new Metadata() : status.getTrailers();
        super.close(status.getStatus().withCause(null), trailers);
      }
    }

    private void report(Throwable error, Status status) {
      String method = getMethodDescriptor().getFullMethodName();
      boolean expected =
          error instanceof StatusRuntimeException
              || (error instanceof BitloomException known
                  && known.code().fault() != ErrorCode.Fault.BITLOOM);
      if (expected) {
        log.debug("{}: {} {}", method, status.getCode(), status.getDescription());
      } else {
        log.error("{} failed", method, error);
      }
    }
  }

  /** Confined to the call's thread, as grpc-java promises. */
  private static final class MappedListener<Q, A> extends SimpleForwardingServerCallListener<Q> {

    private final MappedCall<Q, A> call;
    private boolean failed;

    MappedListener(MappedCall<Q, A> call, ServerCall.Listener<Q> listener) {
      super(listener);
      this.call = call;
    }

    @Override
    public void onMessage(Q message) {
      if (message == null) {
        fail(
            new BitloomException(
                ErrorCode.MALFORMED_MESSAGE, "the request is not a valid protobuf message"));
      } else {
        guarded(
            () -> {
              if (isOurs((Message) message)) {
                UnknownFields.refuse((Message) message);
              }
              super.onMessage(message);
            });
      }
    }

    /** Fields that others add to messages of theirs are theirs to add. */
    private static boolean isOurs(Message message) {
      return message.getDescriptorForType().getFile().getPackage().startsWith("bitloom.");
    }

    @Override
    public void onHalfClose() {
      guarded(super::onHalfClose);
    }

    @Override
    public void onReady() {
      guarded(super::onReady);
    }

    @Override
    public void onCancel() {
      guarded(super::onCancel);
    }

    @Override
    public void onComplete() {
      guarded(super::onComplete);
    }

    private void guarded(Runnable step) {
      if (failed) {
        return;
      }
      try {
        step.run();
      } catch (RuntimeException e) {
        fail(e);
      }
    }

    /** Ends the call and tells the service, which would wait for its caller forever otherwise. */
    private void fail(RuntimeException error) {
      failed = true;
      call.fail(error);
      try {
        super.onCancel();
      } catch (RuntimeException e) {
        log.error("{} cannot be cancelled", call.getMethodDescriptor().getFullMethodName(), e);
      }
    }
  }
}
