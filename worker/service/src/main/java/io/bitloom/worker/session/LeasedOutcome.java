package io.bitloom.worker.session;

import io.bitloom.v1.GeneratedImage;
import io.bitloom.v1.HeldLease;
import io.bitloom.v1.LeaseOutcomes;
import io.bitloom.v1.PromptOutcome;
import io.bitloom.v1.StageTimes;
import io.bitloom.v1.TaskRef;
import java.util.List;

/**
 * What one prompt of a lease came to.
 *
 * @param lease the lease without its prompts
 * @param task the prompt's name
 * @param outcome has the prompt's place in the lease
 * @param batchImages images that shared the prompt's batch; 0 if it was not drawn
 * @param times seconds in each stage; none if it was not drawn
 * @param ready when, by {@link io.bitloom.common.trace.TraceClock}; 0 if nobody asks
 */
record LeasedOutcome(
    HeldLease lease,
    TaskRef task,
    PromptOutcome outcome,
    int batchImages,
    StageTimes times,
    long ready) {

  String leaseId() {
    return lease.getLeaseId();
  }

  /** Place in the lease, from 0. */
  int index() {
    return outcome.getIndex();
  }

  /** Of the outcome with its images, in bytes. */
  int size() {
    return outcome.getSerializedSize();
  }

  LeasedOutcome with(PromptOutcome other) {
    return new LeasedOutcome(lease, task, other, batchImages, times, ready);
  }

  /** Whether bytes of images go with it. */
  boolean carriesBytes() {
    return outcome.getImages().getImagesList().stream().anyMatch(GeneratedImage::hasData);
  }

  /** Whether one message can have both. */
  boolean goesWith(LeasedOutcome other) {
    return leaseId().equals(other.leaseId())
        && batchImages == other.batchImages
        && times.equals(other.times);
  }

  /**
   * Outcomes as the coordinator is told of them.
   *
   * @param outcomes at least one; each {@link #goesWith} the first
   */
  static LeaseOutcomes message(List<LeasedOutcome> outcomes) {
    LeasedOutcome first = outcomes.get(0);
    return LeaseOutcomes.newBuilder()
        .setLeaseId(first.leaseId())
        .setFencingToken(first.lease.getFencingToken())
        .setLeaseSecret(first.lease.getSecret())
        .addAllOutcomes(outcomes.stream().map(LeasedOutcome::outcome).toList())
        .setBatchImages(first.batchImages)
        .setTimes(first.times)
        .build();
  }
}
