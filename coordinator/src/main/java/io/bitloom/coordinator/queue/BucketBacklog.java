package io.bitloom.coordinator.queue;

import java.time.Duration;

/**
 * What waits in a bucket, and what workers hold of it.
 *
 * @param prompts that wait for their first attempt
 * @param images that these prompts ask for
 * @param retries prompts that wait for a later attempt
 * @param leased prompts of the leases that workers hold; those of a lease count until all of it is
 *     done
 * @param leases that workers hold
 * @param waiting for how long prompts have been waiting and none of the bucket was leased; zero if
 *     none waits
 */
public record BucketBacklog(
    Bucket bucket,
    long prompts,
    long images,
    long retries,
    long leased,
    long leases,
    Duration waiting) {

  /** This shard of a bucket and another one together. */
  public BucketBacklog with(BucketBacklog other) {
    return new BucketBacklog(
        bucket.whole(),
        prompts + other.prompts,
        images + other.images,
        retries + other.retries,
        leased + other.leased,
        leases + other.leases,
        waiting.compareTo(other.waiting) > 0 ? waiting : other.waiting);
  }
}
