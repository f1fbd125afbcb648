package io.bitloom.coordinator.dispatch.worker;

import io.bitloom.coordinator.queue.LeaseRef;
import io.bitloom.coordinator.queue.TaskRef;
import io.bitloom.v1.HeldLease;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The leases that a worker names in its Hello.
 *
 * @param leases those that can exist, by their reference
 * @param impossible ids that are no leases at all
 */
record HeldLeases(Map<LeaseRef, OpenLease> leases, List<String> impossible) {

  /**
   * @param before what the worker held in its session before, if that was here
   */
  static HeldLeases of(List<HeldLease> held, Map<LeaseRef, OpenLease> before) {
    Map<LeaseRef, OpenLease> leases = new LinkedHashMap<>();
    List<String> impossible = new ArrayList<>();
    for (HeldLease lease : held) {
      Optional<LeaseRef> ref = WorkerMessages.leaseRef(lease.getLeaseId(), lease.getFencingToken());
      if (ref.isEmpty()) {
        impossible.add(lease.getLeaseId());
      } else {
        List<TaskRef> tasks = lease.getTasksList().stream().map(WorkerMessages::ref).toList();
        Optional<OpenLease> known = Optional.ofNullable(before.get(ref.get()));
        leases.put(ref.get(), new OpenLease(ref.get(), tasks, known, System.nanoTime()));
      }
    }
    return new HeldLeases(leases, impossible);
  }

  /** The leases that the worker keeps. */
  Collection<OpenLease> without(Set<LeaseRef> lost) {
    return leases.values().stream().filter(lease -> !lost.contains(lease.ref())).toList();
  }

  /** The ids that the worker has to forget. */
  List<String> lostIds(Set<LeaseRef> lost) {
    List<String> ids = new ArrayList<>(impossible);
    lost.forEach(lease -> ids.add(lease.id()));
    return ids;
  }

  /** Prompts of a lease of before that the worker does not name. */
  List<TaskRef> unnamed(OpenLease before) {
    OpenLease named = leases.get(before.ref());
    return before.openTasks().stream()
        .filter(task -> named == null || !named.openTasks().contains(task))
        .toList();
  }
}
