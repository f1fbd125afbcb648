package io.bitloom.coordinator.queue.upkeep;

import io.bitloom.common.secret.Secret;
import io.bitloom.coordinator.queue.Bucket;
import io.bitloom.coordinator.queue.JobUse;
import io.bitloom.coordinator.queue.LeaseRef;
import io.bitloom.coordinator.queue.redis.BucketScripts;
import io.bitloom.coordinator.queue.redis.Upkeep;
import java.time.Duration;
import java.util.List;

/** Who does what calls leave to be done later. */
record BackgroundWork(
    WakeUps wakeUps,
    Reaper reaper,
    JobSweep jobSweep,
    Deadlines deadlines,
    LostReplies lostReplies,
    FinishedLeases finishedLeases,
    Bookkeeper bookkeeper)
    implements Upkeep {

  @Override
  public void deadlineIn(Duration left) {
    deadlines.watch(left);
  }

  @Override
  public void sweep(String partId) {
    jobSweep.sweepLater(partId);
  }

  @Override
  public void used(String tenant, String partId, JobUse use) {
    bookkeeper.used(tenant, partId, use);
  }

  @Override
  public void leaseEndsIn(Bucket bucket, Duration duration) {
    reaper.watch(bucket, duration);
  }

  @Override
  public void asked(Bucket bucket, BucketScripts.Leased leased) {
    wakeUps.leased(bucket, leased);
  }

  @Override
  public void finished(LeaseRef lease) {
    finishedLeases.add(lease);
  }

  @Override
  public List<LeaseRef> takeFinished(Bucket bucket) {
    return finishedLeases.take(bucket);
  }

  @Override
  public void replyLost(Bucket bucket, Secret request) {
    lostReplies.add(bucket, request);
  }
}
