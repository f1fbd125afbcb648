package io.bitloom.coordinator.jobs;

import java.util.concurrent.CompletionStage;

/**
 * What a caller sends in many messages and gets one answer to. The door asks its caller for the
 * next message when the one before is done, so that a call holds one message and its caller is
 * never faster than what becomes of them.
 *
 * @param <Q> the messages
 * @param <A> the answer
 */
public interface Upload<Q, A> {

  /** Takes the next message; its stage is done when the one after it may come. */
  CompletionStage<?> take(Q message);

  /** There are no more messages; the last may still be under way. */
  CompletionStage<A> complete();

  /** Nothing comes any more, for whatever reason. */
  void end();
}
