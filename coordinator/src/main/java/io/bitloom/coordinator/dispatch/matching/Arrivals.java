package io.bitloom.coordinator.dispatch.matching;

import io.bitloom.coordinator.queue.Bucket;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Which buckets are being filled at this moment by calls to this coordinator, so that a batch with
 * room left is not sent off just before its companions arrive.
 */
public final class Arrivals {

  private final Map<Bucket, Integer> callsByBucket = new ConcurrentHashMap<>();
  private volatile Runnable onQuiet = () -> {};

  /** Whether a call that has put prompts into the bucket is still sending. */
  boolean expectedIn(Bucket bucket) {
    return callsByBucket.containsKey(bucket);
  }

  /** Calls the listener when a call has ended, which may have been the last of a bucket. */
  void onQuiet(Runnable listener) {
    onQuiet = listener;
  }

  /** A call that will bring prompts. */
  public Call begin() {
    return new Call();
  }

  /** One call's part. */
  public final class Call {

    private final Set<Bucket> buckets = new HashSet<>();
    private boolean ended;

    private Call() {}

    /** The call is about to put a prompt into the bucket, and others may follow. */
    public synchronized void into(Bucket bucket) {
      if (!ended && buckets.add(bucket)) {
        callsByBucket.merge(bucket, 1, Integer::sum);
      }
    }

    /** Nothing more comes after what is being put into the queue now. Idempotent. */
    public void end() {
      synchronized (this) {
        if (ended) {
          return;
        }
        ended = true;
        for (Bucket bucket : buckets) {
          callsByBucket.computeIfPresent(
              bucket, (key, calls) -> calls == 1 ? null : Integer.valueOf(calls - 1));
        }
      }
      onQuiet.run();
    }
  }
}
