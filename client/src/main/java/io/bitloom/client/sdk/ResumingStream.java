package io.bitloom.client.sdk;

import io.grpc.StatusException;
import io.grpc.stub.BlockingClientCall;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.function.Function;

/**
 * A server's stream as an iterator that survives lost connections: it opens the stream again after
 * the last message that was taken. Messages are fetched one at a time, so a slow reader holds the
 * server back. Not thread-safe; {@link #close} may be called from any thread.
 *
 * @param <T> the messages
 */
public final class ResumingStream<T> implements Iterator<T>, AutoCloseable {

  private final Function<T, BlockingClientCall<?, T>> open;
  private final Backoff backoff;

  private volatile BlockingClientCall<?, T> call;
  private volatile boolean closed;
  private T last;
  private T next;

  /**
   * @param open opens the stream after a message, or from its start after null
   */
  ResumingStream(Function<T, BlockingClientCall<?, T>> open, Backoff backoff) {
    this.open = open;
    this.backoff = backoff;
  }

  /**
   * Waits for the next message.
   *
   * @return false when the server ended the stream or {@link #close} was called
   * @throws io.bitloom.common.error.BitloomException if the call failed for good
   */
  @Override
  public boolean hasNext() {
    while (next == null && !closed) {
      try {
        next = opened().read();
        backoff.succeeded();
        if (next == null) {
          closed = true;
        }
      } catch (StatusException e) {
        call = null;
        if (!closed) {
          backoff.waitAfter(e);
        }
      } catch (InterruptedException e) {
        throw Backoff.interrupted(e);
      }
    }
    return next != null;
  }

  private BlockingClientCall<?, T> opened() {
    if (call == null) {
      call = open.apply(last);
      if (closed) {
        cancel();
      }
    }
    return call;
  }

  @Override
  public T next() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    last = next;
    next = null;
    return last;
  }

  @Override
  public void close() {
    closed = true;
    cancel();
  }

  private void cancel() {
    BlockingClientCall<?, T> current = call;
    if (current != null) {
      current.cancel("the reader closed the stream", null);
    }
  }
}
