package io.bitloom.coordinator.dispatch.worker;

import io.bitloom.coordinator.queue.LeaseRef;
import io.bitloom.coordinator.queue.LeasedBatch;
import io.bitloom.coordinator.queue.LeasedTask;
import io.bitloom.coordinator.queue.TaskRef;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** A lease that a worker holds, and its prompts that have no outcome yet. */
final class OpenLease {

  /**
   * One prompt.
   *
   * @param leased empty if the lease was taken over from another session of its worker
   */
  record Task(TaskRef ref, Optional<LeasedTask> leased) {}

  private final LeaseRef ref;
  private final long grantedAt;
  private final Map<TaskRef, Task> open = new LinkedHashMap<>();
  private final Set<TaskRef> reported = new HashSet<>();
  private boolean settled;
  private int scalesDone;
  private int scales;

  /** A lease that was just given out. */
  OpenLease(LeasedBatch batch, long now) {
    this.ref = batch.lease();
    this.grantedAt = now;
    batch.tasks().forEach(task -> open.put(task.task(), new Task(task.task(), Optional.of(task))));
  }

  /**
   * A lease that a worker brings along.
   *
   * @param before the same lease in the worker's session before, if that was here
   */
  OpenLease(LeaseRef ref, Collection<TaskRef> tasks, Optional<OpenLease> before, long now) {
    this.ref = ref;
    this.grantedAt = now;
    for (TaskRef task : tasks) {
      Task known = before.map(lease -> lease.open.get(task)).orElse(null);
      open.put(task, known != null ? known : new Task(task, Optional.empty()));
    }
  }

  LeaseRef ref() {
    return ref;
  }

  /** Whether these are what the lease was given out with. */
  boolean isProvenBy(long fencingToken, String secret) {
    return ref.token() == fencingToken && ref.secret().is(secret);
  }

  long grantedAt() {
    return grantedAt;
  }

  /** Prompts that the worker has neither reported nor handed back. */
  Set<TaskRef> openTasks() {
    return open.keySet();
  }

  /** A prompt that the worker has neither reported nor handed back. */
  Optional<Task> find(TaskRef ref) {
    return Optional.ofNullable(open.get(ref));
  }

  /** The prompt that an outcome is for, once; empty if the worker does not hold it any more. */
  Optional<Task> report(TaskRef ref) {
    Task task = open.remove(ref);
    if (task != null) {
      reported.add(ref);
    }
    return Optional.ofNullable(task);
  }

  /** The prompt's outcome was taken or refused. */
  void acknowledged(TaskRef ref) {
    reported.remove(ref);
  }

  /** Drops a prompt that the worker no longer holds. */
  boolean drop(TaskRef ref) {
    return open.remove(ref) != null;
  }

  /** Drops prompts that the lease does not hold. */
  void dropAllBut(Set<TaskRef> held) {
    open.keySet().retainAll(held);
  }

  /** True once: for the first outcome that is done with. */
  boolean firstSettled() {
    boolean first = !settled;
    settled = true;
    return first;
  }

  /** Whether nothing more will come of it. */
  boolean done() {
    return open.isEmpty() && reported.isEmpty();
  }

  void progress(int scalesDone, int scales) {
    this.scalesDone = scalesDone;
    this.scales = scales;
  }

  int scalesDone() {
    return scalesDone;
  }

  int scales() {
    return scales;
  }
}
