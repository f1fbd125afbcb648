package io.bitloom.coordinator;

import io.bitloom.v1.HeldLease;
import io.bitloom.v1.Lease;
import io.bitloom.v1.Outcome;
import io.bitloom.v1.OutcomeAck;
import io.bitloom.v1.Task;
import io.bitloom.v1.TaskRef;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What a {@link FakeWorker} holds, across its connections. */
final class FakeLeases {

  /** A lease, and which of its prompts have no acknowledged outcome. */
  static final class Held {
    private final Lease lease;
    private final Map<TaskRef, Task> open = new LinkedHashMap<>();
    private final Map<TaskRef, Outcome> reported = new HashMap<>();

    private Held(Lease lease) {
      this.lease = lease;
      lease.getTasksList().forEach(task -> open.put(task.getRef(), task));
    }

    Lease lease() {
      return lease;
    }

    List<Task> tasks() {
      return List.copyOf(open.values());
    }

    void reported(Outcome outcome) {
      reported.put(outcome.getTask(), outcome);
    }

    HeldLease named() {
      return HeldLease.newBuilder()
          .setLeaseId(lease.getLeaseId())
          .setFencingToken(lease.getFencingToken())
          .setSecret(lease.getSecret())
          .setModel(lease.getModel())
          .setSchedule(lease.getSchedule())
          .addAllTasks(open.keySet())
          .build();
    }
  }

  private final Map<String, Held> held = new LinkedHashMap<>();
  private final Deque<Held> toDraw = new ArrayDeque<>();

  void add(Lease lease) {
    Held added = new Held(lease);
    held.put(lease.getLeaseId(), added);
    toDraw.add(added);
  }

  int count() {
    return held.size();
  }

  boolean holds(Held lease) {
    return held.get(lease.lease.getLeaseId()) == lease;
  }

  Collection<Held> all() {
    return held.values();
  }

  /** Outcomes that nobody has acknowledged. */
  List<Outcome> unacknowledged() {
    List<Outcome> outcomes = new ArrayList<>();
    held.values().forEach(lease -> outcomes.addAll(lease.reported.values()));
    return outcomes;
  }

  /** An outcome that nobody has acknowledged. */
  Optional<Outcome> unacknowledged(String leaseId, TaskRef task) {
    return Optional.ofNullable(held.get(leaseId)).map(lease -> lease.reported.get(task));
  }

  /** Reports something else in the place of an outcome. */
  void replace(Outcome outcome) {
    held.get(outcome.getLeaseId()).reported(outcome);
  }

  boolean nothingToDraw() {
    return toDraw.isEmpty();
  }

  Held nextToDraw() {
    return toDraw.remove();
  }

  void drawLater(Held lease) {
    toDraw.addFirst(lease);
  }

  void acknowledged(OutcomeAck ack) {
    Held lease = held.get(ack.getLeaseId());
    if (lease != null) {
      lease.open.remove(ack.getTask());
      lease.reported.remove(ack.getTask());
      if (lease.open.isEmpty()) {
        held.remove(ack.getLeaseId());
      }
    }
  }

  /** Drops a lease; true if it was not drawn, so that another batch can be asked for. */
  boolean forget(String leaseId) {
    Held lease = held.remove(leaseId);
    return lease != null && toDraw.remove(lease);
  }

  void forgetAll() {
    held.clear();
    toDraw.clear();
  }
}
