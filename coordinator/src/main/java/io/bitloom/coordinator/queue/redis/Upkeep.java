package io.bitloom.coordinator.queue.redis;

import io.bitloom.common.secret.Secret;
import io.bitloom.coordinator.queue.Bucket;
import io.bitloom.coordinator.queue.JobUse;
import io.bitloom.coordinator.queue.LeaseRef;
import java.time.Duration;
import java.util.List;

/** What calls leave to be done later, by themselves or by others. No method blocks. */
public interface Upkeep {

  /** A job may have to be ended after this time. */
  void deadlineIn(Duration left);

  /** A call left something half-done between a job, or a part of one, and its buckets. */
  void sweep(String partId);

  /** A job of this tenant, or a part of one, takes so much now; what is 0 is not said. */
  void used(String tenant, String partId, JobUse use);

  /** A lease of this bucket may expire after this time. */
  void leaseEndsIn(Bucket bucket, Duration duration);

  /** A lease was asked for, and the bucket said what is left in it. */
  void asked(Bucket bucket, BucketScripts.Leased leased);

  /** A lease is over, and its bucket may forget it. */
  void finished(LeaseRef lease);

  /** Leases of a bucket that are over; whoever takes them tells the bucket. */
  List<LeaseRef> takeFinished(Bucket bucket);

  /**
   * The reply to a request for a lease did not come; there may be a lease that nobody knows of.
   *
   * @param request its secret, which that lease has
   */
  void replyLost(Bucket bucket, Secret request);
}
