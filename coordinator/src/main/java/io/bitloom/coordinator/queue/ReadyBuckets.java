package io.bitloom.coordinator.queue;

import java.util.Set;
import java.util.function.Consumer;

/** Where there is something to be leased. Kept here by notifications; asking costs nothing. */
public interface ReadyBuckets {

  /**
   * Buckets in which prompts may be ready to be leased: every one in which there are some, and
   * perhaps a few in which a lease will find none (then it leaves this set).
   */
  Set<Bucket> buckets();

  /**
   * Calls the listener whenever prompts become ready in a bucket that had none, after the bucket
   * was added to {@link #buckets()}. Whoever asks for ready buckets after subscribing misses
   * nothing.
   */
  Subscription onReady(Consumer<Bucket> listener);

  /**
   * Calls the listener whenever the queue tells that prompts come into a bucket that had none,
   * whether or not it is among {@link #buckets()} already; perhaps once more.
   */
  Subscription onWork(Consumer<Bucket> listener);
}
