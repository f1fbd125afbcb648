package io.bitloom.client.sdk;

import io.bitloom.v1.AppendPromptsRequest;
import io.bitloom.v1.AppendPromptsResponse;
import io.bitloom.v1.Prompt;
import io.grpc.StatusException;
import io.grpc.stub.BlockingClientCall;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
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
  private static final Duration WINDOW_DEADLINE = Duration.ofMinutes(2);

  private final Connection connection;
  private final Backoff backoff;
  private final ToLongFunction<String> appended;

  private final Deque<AppendPromptsRequest> window = new ArrayDeque<>();

  /** A prompt that was read from the iterator and did not fit into the window before. */
  private Prompt pending;

  /**
   * @param appended asks how many prompts a job has
   */
  PromptAppender(Connection connection, ToLongFunction<String> appended) {
    this.connection = connection;
    this.backoff = new Backoff(connection);
    this.appended = appended;
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
      AppendPromptsRequest message = message(job, end, prompts);
      if (message.getPromptsCount() == 0) {
        break;
      }
      window.add(message);
      end += message.getPromptsCount();
      bytes += message.getSerializedSize();
    }
    return end;
  }

  private AppendPromptsRequest message(String job, long offset, Iterator<Prompt> prompts) {
    AppendPromptsRequest.Builder message =
        AppendPromptsRequest.newBuilder().setName(job).setOffset(offset);
    int bytes = 0;
    while (message.getPromptsCount() < MESSAGE_PROMPTS && (pending != null || prompts.hasNext())) {
      Prompt prompt = pending != null ? pending : prompts.next();
      pending = null;
      bytes += prompt.getSerializedSize();
      if (bytes > MESSAGE_BYTES && message.getPromptsCount() > 0) {
        pending = prompt;
        break;
      }
      message.addPrompts(prompt);
    }
    return message.build();
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
    BlockingClientCall<AppendPromptsRequest, AppendPromptsResponse> call =
        connection.stubWithDeadline(WINDOW_DEADLINE).appendPrompts();
    for (AppendPromptsRequest message : window) {
      if (!call.write(message)) {
        break;
      }
    }
    call.halfClose();
    call.read();
  }

  /** Drops the messages that the coordinator has; of one that it has in part it skips that part. */
  private void forgetUntil(long offset) {
    while (!window.isEmpty()
        && window.peek().getOffset() + window.peek().getPromptsCount() <= offset) {
      window.remove();
    }
  }
}
