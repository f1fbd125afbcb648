package io.bitloom.coordinator.dispatch.worker;

import io.bitloom.common.grpc.GrpcErrors;
import io.bitloom.coordinator.queue.TaskRef;
import io.bitloom.v1.ConnectResponse;
import io.bitloom.v1.OutcomeAck;
import io.bitloom.v1.OutcomeAckBatch;
import io.bitloom.v1.PromptOutcome;
import io.grpc.stub.ServerCallStreamObserver;
import java.util.ArrayList;
import java.util.List;

/**
 * What is sent to a worker, and how fast its messages are read: one at a time, and none while the
 * outcomes that came are too large to be held. Confined to the dispatch loop.
 */
final class WorkerStream {

  /** Outcomes that are being stored hold at most this much before the next message is read. */
  private static final long MAX_BYTES_IN_FLIGHT = 8 << 20;

  private final ServerCallStreamObserver<ConnectResponse> observer;
  private boolean open = true;
  private boolean owesRead;
  private boolean paused = true;
  private long bytesInFlight;
  private boolean acknowledgesInBatches;
  private final List<OutcomeAck> acknowledgements = new ArrayList<>(); // form 1
  private final VerdictRanges verdicts = new VerdictRanges(); // form 2

  /** Reads the first message, and no other one before {@link #resume}. */
  WorkerStream(ServerCallStreamObserver<ConnectResponse> observer) {
    this.observer = observer;
    observer.disableAutoRequest();
    observer.request(1);
  }

  boolean open() {
    return open;
  }

  /** Marks the end, whoever brought it about; false if that was done before. */
  boolean end() {
    boolean ended = open;
    open = false;
    return ended;
  }

  void send(ConnectResponse message) {
    if (open) {
      observer.onNext(message);
    }
  }

  /** The worker, which is of form 1, takes acknowledgements in batches. */
  void acknowledgeInBatches() {
    acknowledgesInBatches = true;
  }

  /** Tells a worker of form 1 of an outcome, with the next {@link #flushAcknowledgements}. */
  void acknowledge(String leaseId, TaskRef task, boolean committed) {
    acknowledgements.add(WorkerMessages.ack(leaseId, task, committed));
  }

  /** Tells a worker of form 2 of an outcome, with the next {@link #flushAcknowledgements}. */
  void acknowledge(String leaseId, int index, boolean committed) {
    verdicts.add(leaseId, index, committed);
  }

  void flushAcknowledgements() {
    verdicts.take().forEach(this::send);
    if (acknowledgements.isEmpty()) {
      return;
    }
    if (acknowledgesInBatches) {
      send(
          ConnectResponse.newBuilder()
              .setOutcomeAckBatch(OutcomeAckBatch.newBuilder().addAllAcks(acknowledgements))
              .build());
    } else {
      acknowledgements.forEach(
          ack -> send(ConnectResponse.newBuilder().setOutcomeAck(ack).build()));
    }
    acknowledgements.clear();
  }

  /** Answers the worker's orderly end. */
  void complete() {
    observer.onCompleted();
  }

  void fail(Throwable error) {
    observer.onError(GrpcErrors.unwrap(error));
  }

  /** A message was handled. */
  void handled() {
    owesRead = true;
    readOn();
  }

  /** The worker is welcome, so that it may speak. */
  void resume() {
    paused = false;
    readOn();
  }

  /** An outcome is to be held for a while. */
  void hold(PromptOutcome outcome) {
    bytesInFlight += outcome.getSerializedSize();
  }

  void letGo(PromptOutcome outcome) {
    bytesInFlight -= outcome.getSerializedSize();
    readOn();
  }

  /** Whether heartbeats may be stuck behind what cannot be stored now. */
  boolean unread() {
    return open && bytesInFlight >= MAX_BYTES_IN_FLIGHT;
  }

  private void readOn() {
    if (open && owesRead && !paused && bytesInFlight < MAX_BYTES_IN_FLIGHT) {
      owesRead = false;
      observer.request(1);
    }
  }
}
