package io.bitloom.coordinator;

import io.bitloom.v1.HeldLease;
import io.bitloom.v1.Lease;
import io.bitloom.v1.LeaseOutcomes;
import io.bitloom.v1.PromptOutcome;
import io.bitloom.v1.Task;
import io.bitloom.v1.TaskRef;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;

/** What a {@link FakeWorker} holds, across its connections. */
final class FakeLeases {

  /** A lease, and which of its prompts have no acknowledged outcome. */
  static final class Held {
    private final Lease lease;
    private final List<Task> tasks;
    private final SortedSet<Integer> open = new TreeSet<>();
    private final Map<Integer, PromptOutcome> reported = new LinkedHashMap<>();

    private Held(Lease lease, List<Task> tasks) {
      this.lease = lease;
      this.tasks = tasks;
      for (int index = 0; index < tasks.size(); index++) {
        open.add(index);
      }
    }

    Lease lease() {
      return lease;
    }

    /** The lease without its prompts, for messages that speak of it. */
    LeaseOutcomes.Builder outcomes() {
      return LeaseOutcomes.newBuilder()
          .setLeaseId(lease.getLeaseId())
          .setFencingToken(lease.getFencingToken())
          .setLeaseSecret(lease.getSecret())
          .setBatchImages(tasks.size());
    }

    Task task(int index) {
      return tasks.get(index);
    }

    /** Places of the prompts that have no acknowledged outcome. */
    List<Integer> open() {
      return List.copyOf(open);
    }

    List<TaskRef> openRefs() {
      return open.stream().map(index -> task(index).getRef()).toList();
    }

    void reported(PromptOutcome outcome) {
      reported.put(outcome.getIndex(), outcome);
    }

    /** Outcomes that nobody has acknowledged. */
    List<PromptOutcome> unacknowledged() {
      return List.copyOf(reported.values());
    }

    HeldLease named() {
      return HeldLease.newBuilder()
          .setLeaseId(lease.getLeaseId())
          .setFencingToken(lease.getFencingToken())
          .setSecret(lease.getSecret())
          .setModel(lease.getModel())
          .setSchedule(lease.getSchedule())
          .addAllTasks(openRefs())
          .addAllIndexes(open)
          .build();
    }
  }

  private final Map<String, Held> held = new LinkedHashMap<>();
  private final Deque<Held> toDraw = new ArrayDeque<>();

  void add(Lease lease, List<Task> tasks) {
    Held added = new Held(lease, tasks);
    held.put(lease.getLeaseId(), added);
    toDraw.add(added);
  }

  /** How many nobody has begun to draw. */
  int undrawn() {
    return toDraw.size();
  }

  boolean holds(Held lease) {
    return held.get(lease.lease.getLeaseId()) == lease;
  }

  Collection<Held> all() {
    return held.values();
  }

  Optional<Held> find(String leaseId) {
    return Optional.ofNullable(held.get(leaseId));
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

  void acknowledged(String leaseId, int index) {
    Held lease = held.get(leaseId);
    if (lease != null) {
      lease.open.remove(index);
      lease.reported.remove(index);
      if (lease.open.isEmpty()) {
        held.remove(leaseId);
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
