package io.bitloom.coordinator.jobs;

/**
 * Where the messages of one call go, whatever door the caller came through. Messages are sent one
 * at a time. Handlers are set before the method that was called returns, each at most once; they
 * must not block.
 *
 * @param <M> the messages
 */
public interface ResponseSink<M> {

  /**
   * Whether the caller takes a message now. One that is sent nevertheless is kept in memory, so
   * only what is small and rare may be.
   */
  boolean isReady();

  /** Without effect once the caller has left. */
  void send(M message);

  /** All was sent. */
  void complete();

  /** The call has failed; the door finds the words for the caller. */
  void fail(Throwable error);

  /** Ends the call and drops what its caller has not taken. */
  void cutOff();

  /** Called whenever {@link #isReady} becomes true after it was false. */
  void onReady(Runnable handler);

  /** Called when the caller has left, or has taken all of a completed call. */
  void onEnd(Runnable handler);

  /** How much may wait for the caller before {@link #isReady} is false. */
  void readyBelow(int bytes);
}
