package io.bitloom.coordinator.dispatch.worker;

import io.bitloom.coordinator.queue.LeaseRef;
import io.bitloom.coordinator.queue.TaskRef;
import io.bitloom.v1.HeldLease;
import java.util.ArrayList;
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
        List<TaskRef> tasks = lease.getTasksList().stream().map(WorkerMessages::ref).toList();
        Optional<OpenLease> known = Optional.ofNullable(before.get(ref.get()));
        leases.put(ref.get(), new OpenLease(ref.get(), tasks, known, System.nanoTime()));
      }
    }
    return new HeldLeases(leases, lost);
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
          lease.dropAllBut(claimed.getOrDefault(ref, Set.of()));
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
        .filter(task -> named == null || !named.openTasks().contains(task))
        .toList();
  }
}
