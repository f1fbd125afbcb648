package io.bitloom.coordinator.http.bridge;

import com.google.protobuf.Message;
import io.bitloom.common.grpc.GrpcErrors;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.vertx.core.Context;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.http.HttpVersion;
import io.vertx.ext.web.RoutingContext;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.Callable;

/**
 * One call over HTTP. Of the request no more is read than the service asks for, and of the service
 * no more is asked for than the caller takes: at any time there is one message, or the messages of
 * one read, in each direction. Confined to the event loop of its connection.
 */
final class WebCall {

  private final RoutingContext exchange;
  private final HttpServerRequest request;
  private final HttpServerResponse response;
  private final Context loop;
  private final ClientCall<Message, Message> call;
  private final boolean many;
  private final RequestBody body;
  private final Answer answer;
  private final Queue<Message> pending = new ArrayDeque<>();
  private boolean decoding;
  private boolean bodyEnded;
  private boolean halfClosed;
  private boolean closed;
  private long heartbeat;

  /**
   * @param many whether the method takes a stream: only then gRPC says when to go on
   */
  WebCall(
      RoutingContext exchange,
      ClientCall<Message, Message> call,
      boolean many,
      RequestBody body,
      Answer answer) {
    this.exchange = exchange;
    this.request = exchange.request();
    this.response = exchange.response();
    this.loop = exchange.vertx().getOrCreateContext();
    this.call = call;
    this.many = many;
    this.body = body;
    this.answer = answer;
  }

  /**
   * @param silence after so long without a message a sign of life is sent, if the answer has one
   */
  void start(Metadata headers, Duration silence) {
    request.pause();
    request.handler(this::take);
    request.endHandler(nothing -> endOfBody());
    request.exceptionHandler(broken -> left());
    response.exceptionHandler(broken -> left());
    response.closeHandler(nothing -> left());
    heartbeat = exchange.vertx().setPeriodic(silence.toMillis(), tick -> showLife());
    call.start(new Answers(), headers);
    call.request(1);
    if ("100-continue".equalsIgnoreCase(request.getHeader("Expect"))) {
      response.writeContinue();
    }
    move();
  }

  // The request

  private void take(Buffer bytes) {
    request.pause();
    decode(() -> body.take(bytes), false);
  }

  private void endOfBody() {
    decode(body::end, true);
  }

  private void decode(Callable<List<Message>> step, boolean last) {
    decoding = true;
    loop.executeBlocking(step)
        .onComplete(
            done -> {
              decoding = false;
              if (done.failed()) {
                StatusRuntimeException why = GrpcErrors.toStatus(done.cause());
                call.cancel("the body is refused", null);
                close(why.getStatus(), why.getTrailers());
                return;
              }
              pending.addAll(done.result());
              bodyEnded = last;
              move();
            });
  }

  /** Hands on what was read, and reads more when all was taken. */
  private void move() {
    if (closed) {
      return;
    }
    while (!pending.isEmpty() && isReady()) {
      call.sendMessage(pending.poll());
    }
    if (!pending.isEmpty() || decoding) {
      return;
    }
    if (!bodyEnded) {
      if (isReady()) {
        request.resume();
      }
    } else if (!halfClosed) {
      halfClosed = true;
      call.halfClose();
    }
  }

  private boolean isReady() {
    return !many || call.isReady();
  }

  // The answer

  private final class Answers extends ClientCall.Listener<Message> {

    @Override
    public void onReady() {
      loop.runOnContext(nothing -> move());
    }

    @Override
    public void onMessage(Message message) {
      Buffer encoded = answer.encode(message);
      loop.runOnContext(nothing -> write(encoded));
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      loop.runOnContext(nothing -> close(status, trailers));
    }
  }

  private void write(Buffer encoded) {
    if (closed) {
      return;
    }
    answer.write(encoded);
    if (response.writeQueueFull()) {
      response.drainHandler(nothing -> call.request(1));
    } else {
      call.request(1);
    }
  }

  private void showLife() {
    if (!closed && !response.writeQueueFull()) {
      answer.signOfLife().ifPresent(answer::write);
    }
  }

  private void close(Status status, Metadata trailers) {
    if (closed) {
      return;
    }
    end();
    boolean unread = !bodyEnded && !request.isEnded();
    boolean alone = request.version() != HttpVersion.HTTP_2;
    if (unread && alone && !response.headWritten()) {
      response.putHeader("Connection", "close");
    }
    answer.end(status, trailers == null ? new Metadata() : trailers);
    if (unread && alone) {
      request.connection().close(); // once all is sent
    } else if (!request.isEnded()) {
      request.handler(rest -> {}); // of a connection that others use too
      request.resume();
    }
  }

  private void left() {
    if (!closed) {
      end();
      call.cancel("the caller left", null);
    }
  }

  private void end() {
    closed = true;
    pending.clear();
    exchange.vertx().cancelTimer(heartbeat);
  }
}
