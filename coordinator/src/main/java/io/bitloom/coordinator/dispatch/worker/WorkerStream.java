package io.bitloom.coordinator.dispatch.worker;

import io.bitloom.common.grpc.GrpcErrors;
import io.bitloom.coordinator.queue.TaskRef;
import io.bitloom.v1.ConnectRequest;
import io.bitloom.v1.ConnectResponse;
import io.bitloom.v1.OutcomeAck;
import io.bitloom.v1.OutcomeAckBatch;
import io.bitloom.v1.PromptOutcome;
import io.grpc.stub.ServerCallStreamObserver;
import java.util.ArrayList;
import java.util.List;

/**
 * What is sent to a worker, and how far its messages are read ahead. Confined to the dispatch loop,
 * but for {@link #came}.
 */
final class WorkerStream {

  private final ServerCallStreamObserver<ConnectResponse> observer;
  private final ReadAhead ahead;
  private boolean open = true;
  private boolean acknowledgesInBatches;
  private final List<OutcomeAck> acknowledgements = new ArrayList<>(); // form 1
  private final VerdictRanges verdicts = new VerdictRanges(); // form 2

  /** Reads the first message, and no other one before {@link #resume}. */
  WorkerStream(ServerCallStreamObserver<ConnectResponse> observer) {
    this.observer = observer;
    this.ahead = new ReadAhead(() -> observer.request(1));
    observer.disableAutoRequest();
    ahead.first();
  }

  boolean open() {
    return open;
  }

  /** Marks the end, whoever brought it about; false if that was done before. */
  boolean end() {
    boolean ended = open;
    open = false;
    ahead.end();
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

  /** A message has come, in whatever thread. */
  void came(ConnectRequest message) {
    ahead.came(message.getSerializedSize());
  }

  /** A message was handled. */
  void handled(ConnectRequest message) {
    ahead.handled(message.getSerializedSize());
  }

  /** The worker is welcome, so that it may speak. */
  void resume() {
    ahead.resume();
  }

  /** An outcome is to be held for a while. */
  void hold(PromptOutcome outcome) {
    ahead.hold(outcome.getSerializedSize());
  }

  void letGo(PromptOutcome outcome) {
    ahead.letGo(outcome.getSerializedSize());
  }

  /** Whether heartbeats may be stuck behind what cannot be stored now. */
  boolean unread() {
    return open && ahead.full();
  }
}
