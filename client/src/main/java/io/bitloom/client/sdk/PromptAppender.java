package io.bitloom.client.sdk;

import io.bitloom.v1.AppendPromptsRequest;
import io.bitloom.v1.AppendPromptsResponse;
import io.bitloom.v1.BatchServiceGrpc.BatchServiceBlockingV2Stub;
import io.bitloom.v1.Prompt;
import io.grpc.StatusException;
import io.grpc.stub.BlockingClientCall;
import io.grpc.stub.MetadataUtils;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.function.LongConsumer;
import java.util.function.ToLongFunction;

/**
 * Appends prompts in windows. A window is one client stream of many messages; its prompts are kept
 * until the coordinator acknowledged it, so what a broken connection lost is sent again from where
 * the coordinator stands and the caller's iterator is read only once.
 */
final class PromptAppender {

  private static final int MESSAGE_PROMPTS = 512;
  private static final int MESSAGE_BYTES = 1 << 20;
  private static final int WINDOW_PROMPTS = 64 * MESSAGE_PROMPTS;
  private static final int WINDOW_BYTES = 16 << 20;
  private static final int MOST_LATE = 256;
  private static final Duration WINDOW_DEADLINE = Duration.ofMinutes(2);

  private final Connection connection;
  private final Backoff backoff;
  private final ToLongFunction<String> appended;
  private final SubmitTraces traces;

  /**
   * A message of the window.
   *
   * @param handed when each of its prompts was taken from the iterator; empty if nobody asks
   */
  private record Message(AppendPromptsRequest request, long[] handed) {

    long end() {
      return request.getOffset() + request.getPromptsCount();
    }
  }

  private final Deque<Message> window = new ArrayDeque<>();

  /** Messages whose acknowledgement was lost with the connection, until the next one comes. */
  private final List<Message> late = new ArrayList<>();

  /** A prompt that was read from the iterator and did not fit into the window before. */
  private Prompt pending;

  private long pendingSince;

  /**
   * @param appended asks how many prompts a job has
   */
  PromptAppender(Connection connection, ToLongFunction<String> appended, SubmitTraces traces) {
    this.connection = connection;
    this.backoff = new Backoff(connection);
    this.appended = appended;
    this.traces = traces;
  }

  /**
   * Appends all prompts.
   *
   * @param offset of the first prompt
   * @param acknowledged told of the offset after the last prompt that cannot be lost any more
   * @return the offset after the last prompt
   */
  long append(String job, long offset, Iterator<Prompt> prompts, LongConsumer acknowledged) {
    long next = offset;
    for (long end = fill(job, next, prompts); end > next; end = fill(job, next, prompts)) {
      deliver(job);
      next = end;
      acknowledged.accept(next);
    }
    return next;
  }

  /** Fills the window and returns the offset after its last prompt. */
  private long fill(String job, long offset, Iterator<Prompt> prompts) {
    long end = offset;
    long bytes = 0;
    while (end - offset < WINDOW_PROMPTS && bytes < WINDOW_BYTES) {
      Message message = message(job, end, prompts);
      if (message.request().getPromptsCount() == 0) {
        break;
      }
      window.add(message);
      end = message.end();
      bytes += message.request().getSerializedSize();
    }
    return end;
  }

  private Message message(String job, long offset, Iterator<Prompt> prompts) {
    AppendPromptsRequest.Builder message =
        AppendPromptsRequest.newBuilder().setName(job).setOffset(offset);
    long[] handed = new long[traces.on() ? MESSAGE_PROMPTS : 0];
    int bytes = 0;
    while (message.getPromptsCount() < MESSAGE_PROMPTS && (pending != null || prompts.hasNext())) {
      Prompt prompt = pending != null ? pending : prompts.next();
      long since = pending != null ? pendingSince : traces.now();
      pending = null;
      bytes += prompt.getSerializedSize();
      if (bytes > MESSAGE_BYTES && message.getPromptsCount() > 0) {
        pending = prompt;
        pendingSince = since;
        break;
      }
      if (traces.on()) {
        handed[message.getPromptsCount()] = since;
      }
      message.addPrompts(prompt);
    }
    return new Message(
        message.build(), Arrays.copyOf(handed, traces.on() ? message.getPromptsCount() : 0));
  }

  private void deliver(String job) {
    while (!window.isEmpty()) {
      try {
        send();
        window.clear();
        backoff.succeeded();
      } catch (StatusException e) {
        backoff.waitAfter(e);
        forgetUntil(appended.applyAsLong(job));
      } catch (InterruptedException e) {
        throw Backoff.interrupted(e);
      }
    }
  }

  private void send() throws StatusException, InterruptedException {
    BlockingClientCall<AppendPromptsRequest, AppendPromptsResponse> call = stub().appendPrompts();
    for (Message message : window) {
      if (!call.write(message.request())) {
        break;
      }
    }
    call.halfClose();
    AppendPromptsResponse answer = call.read();
    if (traces.on() && answer != null) {
      late.forEach(message -> acknowledged(message, answer.getTraceRatio()));
      window.forEach(message -> acknowledged(message, answer.getTraceRatio()));
      late.clear();
    }
  }

  private BatchServiceBlockingV2Stub stub() {
    BatchServiceBlockingV2Stub stub = connection.stubWithDeadline(WINDOW_DEADLINE);
    return traces.on()
        ? stub.withInterceptors(MetadataUtils.newAttachHeadersInterceptor(traces.headers()))
        : stub;
  }

  private void acknowledged(Message message, double traceRatio) {
    traces.acknowledged(
        message.request().getName(),
        message.request().getOffset(),
        message.handed(),
        traceRatio,
        traces.current());
  }

  /** Drops the messages that the coordinator has; of one that it has in part it skips that part. */
  private void forgetUntil(long offset) {
    while (!window.isEmpty() && window.peek().end() <= offset) {
      Message arrived = window.remove();
      if (traces.on() && late.size() < MOST_LATE) {
        late.add(arrived);
      }
    }
  }
}
