package io.bitloom.coordinator.queue.redis;

import io.bitloom.coordinator.queue.Bucket;
import java.time.Duration;
import java.util.Iterator;
import java.util.concurrent.CompletionStage;

/**
 * Forgets buckets in which nothing is. One that is used again meanwhile, by a coordinator that
 * believes it to be listed, is made anew by that and listed again, by that coordinator or by this;
 * if both die, by the next sweep.
 */
public final class UnusedBuckets {

  private final JobIndex index;
  private final BucketScripts buckets;
  private final Keys keys;

  public UnusedBuckets(JobIndex index, BucketScripts buckets, Keys keys) {
    this.index = index;
    this.buckets = buckets;
    this.keys = keys;
  }

  /**
   * Forgets those in which nothing is and of which nothing was leased for so long. Coordinators of
   * data version 1 would not list them again, so that as long as there may be such nothing is done.
   */
  public CompletionStage<Void> drop(Duration unused) {
    return keys.version() == 1
        ? Stages.nothing()
        : index.buckets().thenCompose(all -> drop(all.iterator(), unused));
  }

  private CompletionStage<Void> drop(Iterator<Bucket> left, Duration unused) {
    return left.hasNext()
        ? drop(left.next(), unused).thenCompose(done -> drop(left, unused))
        : Stages.nothing();
  }

  private CompletionStage<Void> drop(Bucket bucket, Duration unused) {
    return buckets
        .vanish(bucket, unused)
        .thenCompose(gone -> gone ? unlist(bucket, unused) : Stages.nothing());
  }

  private CompletionStage<Void> unlist(Bucket bucket, Duration unused) {
    return index
        .removeBucket(bucket)
        .thenCompose(done -> buckets.vanish(bucket, unused))
        .thenAccept(
            gone -> {
              if (!gone) { // it was made anew before it was off the list
                index.addNewBucket(bucket);
              }
            });
  }
}
