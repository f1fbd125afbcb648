package io.bitloom.coordinator.dispatch.matching;

import io.bitloom.coordinator.queue.Bucket;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

/**
 * Which buckets are being filled at this moment by calls to this coordinator, so that a batch with
 * room left is not sent off just before its companions arrive.
 */
public final class Arrivals {

  private final Map<Bucket, Integer> callsByBucket = new ConcurrentHashMap<>();
  private volatile Consumer<Bucket> onQuiet = bucket -> {};

  /** Whether a call that has put prompts into the bucket, in whatever shard, is still sending. */
  boolean expectedIn(Bucket bucket) {
    return callsByBucket.containsKey(bucket.whole());
  }

  /** Calls the listener when the last call has ended that put prompts into a bucket. */
  void onQuiet(Consumer<Bucket> listener) {
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
      ended().forEach(bucket -> onQuiet.accept(bucket));
    }

    /** The buckets of which this was the last call. */
    private synchronized List<Bucket> ended() {
      if (ended) {
        return List.of();
      }
      ended = true;
      return buckets.stream()
          .filter(bucket -> callsByBucket.merge(bucket, -1, Arrivals::left) == null)
          .toList();
    }
  }

  /** How many calls are left; null: none. */
  private static Integer left(int calls, int change) {
    return calls + change == 0 ? null : Integer.valueOf(calls + change);
  }
}
