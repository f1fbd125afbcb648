package io.bitloom.coordinator.dispatch.worker;

import io.bitloom.coordinator.queue.LeaseRef;
import io.bitloom.coordinator.queue.TaskRef;
import io.bitloom.v1.HeldLease;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The leases that a worker names in its Hello.
 *
 * @param leases those that can be its own, by their reference
 * @param lost ids of those that cannot, which the worker has to forget
 */
record HeldLeases(Map<LeaseRef, OpenLease> leases, List<String> lost) {

  /** No lease has more. */
  private static final int MOST_PROMPTS = 1 << 16;

  /**
   * @param before what the worker held in its session before, if that was here
   */
  static HeldLeases of(List<HeldLease> held, Map<LeaseRef, OpenLease> before) {
    Map<LeaseRef, OpenLease> leases = new LinkedHashMap<>();
    List<String> lost = new ArrayList<>();
    for (HeldLease lease : held) {
      Optional<LeaseRef> ref =
          WorkerMessages.leaseRef(lease.getLeaseId(), lease.getFencingToken(), lease.getSecret());
      if (ref.isEmpty()) {
        lost.add(lease.getLeaseId());
      } else {
        Optional<OpenLease> known = Optional.ofNullable(before.get(ref.get()));
        leases.put(ref.get(), OpenLease.brought(ref.get(), tasks(lease), known, System.nanoTime()));
      }
    }
    return new HeldLeases(leases, lost);
  }

  /** Prompts by their places; a worker of form 1 names no places, and any will do. */
  private static Map<Integer, TaskRef> tasks(HeldLease lease) {
    boolean placed = lease.getIndexesCount() > 0;
    if (placed && lease.getIndexesCount() != lease.getTasksCount()) {
      throw WorkerMessages.violation(
          lease.getTasksCount() + " prompts have " + lease.getIndexesCount() + " indexes");
    }
    Map<Integer, TaskRef> tasks = new LinkedHashMap<>();
    Set<TaskRef> named = new HashSet<>();
    for (int i = 0; i < lease.getTasksCount(); i++) {
      int index = placed ? index(lease, i) : i;
      TaskRef task = WorkerMessages.ref(lease.getTasks(i));
      if (tasks.put(index, task) != null) {
        throw WorkerMessages.violation("two prompts of a lease have the index " + index);
      }
      if (!named.add(task)) {
        throw WorkerMessages.violation("a lease has " + task + " twice");
      }
    }
    return tasks;
  }

  private static int index(HeldLease lease, int i) {
    int index = lease.getIndexes(i);
    if (index < 0 || index >= MOST_PROMPTS) {
      throw WorkerMessages.violation("no prompt of a lease can have the index " + index);
    }
    return index;
  }

  /**
   * What of them is the worker's.
   *
   * @param claimed what the queue says that the worker's leases hold
   */
  HeldLeases claimed(Map<LeaseRef, Set<TaskRef>> claimed) {
    Map<LeaseRef, OpenLease> kept = new LinkedHashMap<>();
    List<String> gone = new ArrayList<>(lost);
    leases.forEach(
        (ref, lease) -> {
          lease.claimed(claimed.getOrDefault(ref, Set.of()));
          if (lease.done()) {
            gone.add(ref.id());
          } else {
            kept.put(ref, lease);
          }
        });
    return new HeldLeases(kept, gone);
  }

  /** Prompts of a lease of before that the worker does not name. */
  List<TaskRef> unnamed(OpenLease before) {
    OpenLease named = leases.get(before.ref());
    return before.openTasks().stream()
        .filter(task -> named == null || named.find(task).isEmpty())
        .toList();
  }
}
