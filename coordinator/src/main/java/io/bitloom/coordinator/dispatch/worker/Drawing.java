package io.bitloom.coordinator.dispatch.worker;

import com.google.protobuf.ByteString;
import io.bitloom.coordinator.models.WorkerProfile;
import io.bitloom.v1.PromptOutcome;
import io.bitloom.v1.PromptResult;
import io.bitloom.v1.Provenance;
import io.bitloom.v1.StageTimes;

/** How prompts of a lease were drawn together, which is part of the result of each of them. */
final class Drawing {

  private final OpenLease lease;
  private final int batchImages;
  private final StageTimes times;
  private final Provenance provenance;
  private final ByteString provenanceBytes;

  /**
   * @param batchImages in the batch in which they were drawn
   */
  Drawing(WorkerProfile worker, OpenLease lease, int batchImages, StageTimes times) {
    this.lease = lease;
    this.batchImages = batchImages;
    this.times = times;
    String model = lease.ref().bucket().model();
    // Everything but the prompt, which the queue has already, and what it knows better.
    this.provenance =
        Provenance.newBuilder()
            .setModel(model)
            .setModelDigest(worker.digest(model))
            .setSchedule(lease.ref().bucket().schedule())
            .setWorker(worker.workerId())
            .setBatchImages(batchImages)
            .setTimes(times)
            .build();
    this.provenanceBytes = field(provenance);
  }

  OpenLease lease() {
    return lease;
  }

  int batchImages() {
    return batchImages;
  }

  /** Seconds of the batch; {@link #hasTimes} says whether the worker told them. */
  StageTimes times() {
    return times;
  }

  boolean hasTimes() {
    return !times.equals(StageTimes.getDefaultInstance());
  }

  /**
   * A result as the queue keeps it. What prompts of a drawing share is written once: the bytes of
   * two messages behind each other are those of both merged.
   *
   * @param result without provenance
   */
  ByteString body(PromptOutcome outcome, PromptResult result) {
    ByteString drawn =
        outcome.hasDrawnText()
            ? field(provenance.toBuilder().setDrawnText(outcome.getDrawnText()).build())
            : provenanceBytes;
    return result.toByteString().concat(drawn);
  }

  private static ByteString field(Provenance provenance) {
    return PromptResult.newBuilder().setProvenance(provenance).build().toByteString();
  }
}
