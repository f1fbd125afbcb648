package io.bitloom.coordinator.queue;

/** A listener that is called until this is closed. */
public interface Subscription extends AutoCloseable {

  /** Ends the calls; one may still be under way. */
  @Override
  void close();
}
